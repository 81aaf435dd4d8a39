/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/boot_config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "platform/platform.h"

/* Character devices 1:n (null, zero, full, random …) never wait: mem(4). */
#define MEM_MAJOR 1

void config_begin(struct config_writer *w, struct monitor *m)
{
	w->m = m;
	w->config = (struct boot_config *)(void *)(m->arena.base + BOOT_CONFIG_OFF);
	w->used = sizeof(*w->config);
	w->full = false;
}

u32 config_bytes(struct config_writer *w, const void *data, u32 size, u32 align)
{
	u32 at = ALIGN_UP(w->used, align);

	if (size > BOOT_CONFIG_MAX || at > BOOT_CONFIG_MAX - size) {
		w->full = true;
		return 0;
	}
	if (size)
		memcpy((u8 *)w->config + at, data, size);
	w->used = at + size;
	return at;
}

u32 config_string(struct config_writer *w, const char *s)
{
	size_t len = s ? strlen(s) + 1 : 0;

	if (len > BOOT_CONFIG_MAX) {
		w->full = true;
		return 0;
	}
	return s ? config_bytes(w, s, (u32)len, 1) : 0;
}

u32 config_strings(struct config_writer *w, const char *const *list, u32 *ret_count)
{
	u32 first = w->used, n = 0;

	for (; list && list[n]; n++)
		config_string(w, list[n]);
	*ret_count = n;
	return n ? first : 0;
}

static bool kind_has_files(enum boot_mount_kind kind)
{
	return kind == BOOT_MOUNT_ROOT_OVERLAY || kind == BOOT_MOUNT_HOST_RW ||
	       kind == BOOT_MOUNT_HOST_RO;
}

/* The handle made before of what may be bound. */
static int take_view(struct monitor *m, const char *source, bool writable, struct rf_error *err)
{
	for (size_t i = 0; i < m->view_count; i++) {
		struct monitor_view *v = &m->views[i];
		int fd = v->fd;

		if (fd < 0 || v->writable != writable || strcmp(v->path, source) != 0)
			continue;
		v->fd = -1;
		return fd;
	}
	return error_set(err, -ENOENT, "no view was made of %s", source);
}

static int open_source(struct monitor *m, const char *source, bool writable, struct rf_error *err)
{
	int fd;

	if (m->views)
		return take_view(m, source, writable, err);
	fd = open(source, O_PATH | O_CLOEXEC);
	return fd < 0 ? error_set(err, -errno, "cannot open %s", source) : fd;
}

/* Opens a host path as a root. Only directories and regular files can be bound. */
static int open_root(struct config_writer *w, enum boot_mount_kind kind, const char *source,
		     struct boot_mount *ret, struct rf_error *err)
{
	bool writable = kind == BOOT_MOUNT_HOST_RW;
	int fd = open_source(w->m, source, writable, err), r;
	struct stat st;
	u64 handle;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))) {
		close(fd);
		return rf_error_set(
			err, -EINVAL,
			"cannot bind %s: only directories and regular files can be bound", source);
	}
	r = handle_install(&w->m->handles, fd, HANDLE_PATH, writable ? HANDLE_F_WRITABLE : 0,
			   &handle);
	if (r < 0)
		return error_set(err, r, "too many host paths");
	ret->handle = (u32)handle;
	ret->is_file = S_ISREG(st.st_mode);
	return 0;
}

int config_mount(struct config_writer *w, enum boot_mount_kind kind, const char *source,
		 const char *target, struct rf_error *err)
{
	struct boot_mount mount = { .kind = kind };
	int r;

	if (w->config->nmounts == BOOT_MOUNTS_MAX)
		return error_set(err, -E2BIG, "more than %u mounts and hidden paths",
				 BOOT_MOUNTS_MAX);
	if (kind_has_files(kind)) {
		r = open_root(w, kind, source, &mount, err);
		if (r < 0)
			return r;
	}
	mount.target = config_string(w, target);
	w->config->mounts[w->config->nmounts++] = mount;
	return 0;
}

int config_replace(struct config_writer *w, const char *target, u32 mode, u32 uid, u32 gid,
		   struct rf_error *err)
{
	struct boot_mount mount = {
		.kind = BOOT_MOUNT_REPLACE, .mode = mode, .uid = uid, .gid = gid
	};

	if (w->config->nmounts == BOOT_MOUNTS_MAX)
		return error_set(err, -E2BIG, "more than %u mounts and hidden paths",
				 BOOT_MOUNTS_MAX);
	mount.target = config_string(w, target);
	w->config->mounts[w->config->nmounts++] = mount;
	return 0;
}

static enum boot_stream_kind stream_kind(int fd, const struct stat *st)
{
	if (isatty(fd))
		return BOOT_STREAM_TTY;
	if (S_ISFIFO(st->st_mode))
		return BOOT_STREAM_PIPE;
	if (S_ISSOCK(st->st_mode))
		return BOOT_STREAM_SOCKET;
	if (S_ISCHR(st->st_mode))
		return BOOT_STREAM_CHAR;
	return BOOT_STREAM_FILE;
}

int config_stream(struct config_writer *w, u32 n, int fd, struct rf_error *err)
{
	struct boot_stream *s = &w->config->stream[n];
	struct handle *h;
	struct stat st;
	int copy, r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		s->kind = BOOT_STREAM_CLOSED;
		return 0;
	}
	s->kind = stream_kind(fd, &st);
	s->flags = (u32)fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND);
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return error_set(err, -errno, "cannot copy descriptor %d", fd);
	r = handle_install(&w->m->handles, copy, HANDLE_STREAM,
			   s->flags & O_APPEND ? HANDLE_F_APPEND : 0, &s->handle);
	if (r < 0)
		return error_set(err, r, "too many handles");
	h = handle_get(&w->m->handles, s->handle, HANDLE_STREAM);
	h->stream = s->kind == BOOT_STREAM_CHAR && major(st.st_rdev) == MEM_MAJOR ? BOOT_STREAM_FILE
										  : s->kind;
	handle_put(&w->m->handles, h);
	return 0;
}

int config_finish(struct config_writer *w, struct rf_error *err)
{
	if (w->full)
		return error_set(err, -E2BIG,
				 "arguments, environment and paths together exceed %llu bytes",
				 BOOT_CONFIG_MAX);
	w->config->size = w->used;
	w->m->info->config_len = w->used;
	return 0;
}
