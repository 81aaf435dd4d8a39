/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/view.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/boot.h"
#include "monitor/boot_config.h"
#include "platform/platform.h"
#include "runtime/view_hide.h"

bool path_is_below(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	while (len > 1 && dir[len - 1] == '/')
		len--;
	if (len == 1 && dir[0] == '/')
		return true;
	return strncmp(path, dir, len) == 0 && (!path[len] || path[len] == '/');
}

static bool path_is_strictly_below(const char *path, const char *dir)
{
	return strcmp(path, dir) != 0 && path_is_below(path, dir);
}

/* What follows @dir in @path, which lies strictly below it: begins with a slash. */
static const char *path_rest(const char *path, const char *dir)
{
	return dir[1] ? path + strlen(dir) : path;
}

/* The hidden path that @path lies at or below, or NULL. */
static const struct hidden_path *hidden_over(const struct view *v, const char *path)
{
	for (size_t i = 0; i < v->hidden_count; i++)
		if (path_is_below(path, v->hidden[i].path))
			return &v->hidden[i];
	return NULL;
}

/* ---- looking the host over ---- */

static int resolve_root(struct view *v, const struct rf_config *c, struct rf_error *err)
{
	v->root = realpath(c->root ? c->root : "/", NULL);
	return v->root ? 0 : error_set(err, -errno, "cannot open %s", c->root);
}

static int resolve_mount(const struct rf_mount *m, struct view_mount *ret, struct rf_error *err)
{
	bool bind = m->kind == RF_MOUNT_RW || m->kind == RF_MOUNT_RO;
	const char *target = m->target;

	if (m->kind > RF_MOUNT_TMPFS)
		return error_set(err, -EINVAL, "unknown kind of mount %d", m->kind);
	ret->kind = m->kind;
	if (bind) {
		ret->source = realpath(m->source, NULL);
		if (!ret->source)
			return error_set(err, -errno, "cannot bind %s", m->source);
	}
	if (!target)
		target = bind ? ret->source : m->source;
	if (!target || target[0] != '/')
		return rf_error_set(err, -EINVAL, "%s is not an absolute path inside the sandbox",
				    target ? target : "(none)");
	ret->target = strdup(target);
	return ret->target ? 0 : error_set(err, -ENOMEM, "no memory for the mounts");
}

static int resolve_mounts(struct view *v, const struct rf_config *c, struct rf_error *err)
{
	int r = 0;

	if (!c->mount_count)
		return 0;
	v->mounts = calloc(c->mount_count, sizeof(*v->mounts));
	if (!v->mounts)
		return error_set(err, -ENOMEM, "no memory for the mounts");
	for (size_t i = 0; i < c->mount_count && r == 0; i++, v->mount_count++)
		r = resolve_mount(&c->mounts[i], &v->mounts[i], err);
	return r;
}

/* A --hide of the host's file system holds for the monitor, too. Our kernel hides it by its mount, at its turn. */
static int hide_more(struct view *v)
{
	char path[PATH_MAX];
	bool ok = true;

	for (size_t i = 0; i < v->mount_count && ok; i++) {
		const struct view_mount *m = &v->mounts[i];

		if (m->kind == RF_MOUNT_HIDE &&
		    snprintf(path, sizeof(path), "%s%s", v->root[1] ? v->root : "", m->target) <
			    (int)sizeof(path))
			ok = view_hide(v, path, 0, true);
	}
	return ok ? 0 : -ENOMEM;
}

static const char *home_inside(const struct rf_config *c)
{
	for (const char *const *e = c->envp; e && *e; e++)
		if (strncmp(*e, "HOME=/", 6) == 0)
			return *e + 5;
	return NULL;
}

static bool hidden_strictly_over(const struct view *v, const char *path)
{
	const struct hidden_path *h = hidden_over(v, path);

	return h && !h->own && strcmp(h->path, path) != 0;
}

/* A program expects its HOME to be there. What lies below a hidden path is not, unless a mount is. */
static int choose_home(struct view *v, const struct rf_config *c)
{
	const char *home = home_inside(c);
	char real[PATH_MAX];
	struct stat st;

	if (!home || v->root[1])
		return 0;
	if (!hidden_strictly_over(v, home) &&
	    (!realpath(home, real) || !hidden_strictly_over(v, real)))
		return 0;
	v->home_mode = stat(home, &st) == 0 && S_ISDIR(st.st_mode) ? st.st_mode & 0777 : 0700;
	v->home = strdup(home);
	return v->home ? 0 : -ENOMEM;
}

/* By default the caller's directory, unless something else has that name inside. */
static int choose_workdir(struct view *v, const struct rf_config *c)
{
	char cwd[PATH_MAX];
	const char *dir = c->workdir;

	if (!dir)
		dir = getcwd(cwd, sizeof(cwd)) && !view_covers(v, cwd) ? cwd : "/";
	v->workdir = strdup(dir);
	return v->workdir ? 0 : -ENOMEM;
}

int view_init(struct view *v, const struct rf_config *c, struct rf_error *err)
{
	int r;

	*v = (struct view){ 0 };
	r = resolve_root(v, c, err);
	if (r == 0)
		r = resolve_mounts(v, c, err);
	if (r == 0) {
		r = hide_more(v);
		if (r == 0)
			r = view_hide_defaults(v);
		if (r == 0)
			r = choose_home(v, c);
		if (r == 0)
			r = choose_workdir(v, c);
		if (r < 0)
			error_set(err, r, "cannot find out what to hide");
	}
	if (r < 0)
		view_done(v);
	return r;
}

void view_done(struct view *v)
{
	for (size_t i = 0; i < v->hidden_count; i++)
		free(v->hidden[i].path);
	for (size_t i = 0; v->mounts && i < v->mount_count; i++) {
		free(v->mounts[i].source);
		free(v->mounts[i].target);
	}
	free(v->hidden_paths);
	free(v->hidden);
	free(v->mounts);
	free(v->workdir);
	free(v->home);
	free(v->root);
	*v = (struct view){ 0 };
}

/* ---- asking ---- */

/* They follow each other, as the list is sorted. */
const char *const *view_hidden(const struct view *v, const char *source, size_t *ret_count)
{
	size_t first = 0, end;

	while (first < v->hidden_count && !path_is_strictly_below(v->hidden_paths[first], source))
		first++;
	for (end = first; end < v->hidden_count; end++)
		if (!path_is_strictly_below(v->hidden_paths[end], source))
			break;
	*ret_count = end - first;
	return v->hidden_paths + first;
}

const struct hidden_path *view_next_hidden(const struct view *v, const char *source, size_t *at)
{
	while (*at < v->hidden_count) {
		const struct hidden_path *h = &v->hidden[(*at)++];

		if (path_is_strictly_below(h->path, source))
			return h;
	}
	return NULL;
}

/* Whether a view of @source leaves @path, at or below it, out. */
static const char *view_leaves_out(const struct view *v, const char *source, const char *path)
{
	const struct hidden_path *h = hidden_over(v, path);

	return h && path_is_strictly_below(h->path, source) ? h->path : NULL;
}

/* What nobody else on the host may search, nobody inside may: BOOT_MOUNT_F_OTHERS. */
static bool closed_to_others(const char *path)
{
	char part[PATH_MAX];
	struct stat st;

	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (part[0] && stat(part, &st) == 0 && st.st_mode & 0110 && !(st.st_mode & 01))
			return true;
	}
	return stat(path, &st) == 0 && st.st_mode & 0110 && !(st.st_mode & 01);
}

static const char *root_covers(const struct view *v, const char *path)
{
	const char *by = v->root[1] ? v->root : view_leaves_out(v, "/", path);

	return !by && closed_to_others(path) ? "its permissions" : by;
}

const char *view_covers(const struct view *v, const char *path)
{
	const char *by = root_covers(v, path);

	/* A later mount covers or uncovers what an earlier one did. */
	for (size_t i = 0; i < v->mount_count; i++) {
		const struct view_mount *m = &v->mounts[i];

		if (!path_is_below(path, m->target))
			continue;
		by = m->source && strcmp(m->source, m->target) == 0
			     ? view_leaves_out(v, m->source, path)
			     : m->target;
	}
	return by;
}

/* ---- telling the kernel ---- */

static const enum boot_mount_kind mount_kinds[] = {
	[RF_MOUNT_RW] = BOOT_MOUNT_HOST_RW,
	[RF_MOUNT_RO] = BOOT_MOUNT_HOST_RO,
	[RF_MOUNT_HIDE] = BOOT_MOUNT_HIDE,
	[RF_MOUNT_TMPFS] = BOOT_MOUNT_TMPFS,
};

/* In the root's writable layer hidden paths are replaced: directories can be written, and there is no mount to be seen. */
static int write_root(const struct view *v, const struct rf_config *c, struct config_writer *w,
		      struct rf_error *err)
{
	const struct hidden_path *h;
	size_t at = 0;
	int r = config_mount(w, BOOT_MOUNT_ROOT_OVERLAY, v->root, "/", err);

	/* A root of the caller's own choosing is theirs to see. */
	if (r == 0 && !v->root[1])
		w->config->mounts[0].flags |= BOOT_MOUNT_F_OTHERS;
	while (r == 0 && (h = view_next_hidden(v, v->root, &at)))
		if (!h->own)
			r = config_replace(w, path_rest(h->path, v->root), h->mode, h->uid, h->gid,
					   err);
	if (r == 0 && v->home)
		r = config_replace(w, v->home, S_IFDIR | v->home_mode, c->uid, c->gid, err);
	return r;
}

/* What the root has under these names is replaced, not only mounted over: it must not come up when they are unmounted. */
static int write_own(const struct view *v, struct config_writer *w, struct rf_error *err)
{
	static const char *const names[] = { "/proc", "/dev", "/sys" };
	char path[PATH_MAX];
	struct stat st;
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && r == 0; i++)
		if (snprintf(path, sizeof(path), "%s%s", v->root, names[i]) < (int)sizeof(path) &&
		    stat(path, &st) == 0)
			r = config_replace(w, names[i], S_IFDIR | 0755, 0, 0, err);
	if (r == 0)
		r = config_mount(w, BOOT_MOUNT_PROC, NULL, "/proc", err);
	if (r == 0)
		r = config_mount(w, BOOT_MOUNT_DEV, NULL, "/dev", err);
	return r < 0 ? r : config_mount(w, BOOT_MOUNT_TMPFS, NULL, "/dev/shm", err);
}

static int write_mount(const struct view *v, const struct view_mount *m, struct config_writer *w,
		       struct rf_error *err)
{
	const struct hidden_path *h;
	char path[PATH_MAX];
	size_t at = 0;
	int r = config_mount(w, mount_kinds[m->kind], m->source, m->target, err);

	while (r == 0 && m->source && (h = view_next_hidden(v, m->source, &at))) {
		int n = snprintf(path, sizeof(path), "%s%s", m->target[1] ? m->target : "",
				 path_rest(h->path, m->source));

		r = n < (int)sizeof(path)
			    ? config_mount(w, BOOT_MOUNT_HIDE, NULL, path, err)
			    : error_set(err, -ENAMETOOLONG, "cannot hide %s", h->path);
	}
	return r;
}

int view_write(const struct view *v, const struct rf_config *c, struct config_writer *w,
	       struct rf_error *err)
{
	int r = write_root(v, c, w, err);

	if (r == 0)
		r = write_own(v, w, err);
	for (size_t i = 0; i < v->mount_count && r == 0; i++)
		r = write_mount(v, &v->mounts[i], w, err);
	return r;
}
