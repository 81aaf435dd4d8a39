/* SPDX-License-Identifier: Apache-2.0 */
/* The hostcall server against a directory of its own, asked as a hostile kernel would. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "harness/test.h"
#include "monitor/hostcalls.h"
#include "unit/test-hostcall-image.h"

static struct test_image elf;
static struct monitor m;
static char dir[64];
static u64 root_rw, root_ro;
static u8 *mem; /* arena memory for buffers */

/* In a fresh directory: file "f" ("hello"), directory "d" with file "g", symlinks, a fifo. */
static void make_files(void)
{
	FILE *f;

	strcpy(dir, "/tmp/rf-hostcall-XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(dir));
	ASSERT_EQ(chdir(dir), 0);
	f = fopen("f", "w");
	fputs("hello", f);
	fclose(f);
	mkdir("d", 0755);
	close(open("d/g", O_CREAT | O_WRONLY, 0644));
	ASSERT_EQ(symlink("/etc", "abs"), 0);
	ASSERT_EQ(symlink("d", "rel"), 0);
	ASSERT_EQ(mkfifo("fifo", 0600), 0);
}

static u64 add_root(u32 flags)
{
	u64 h = 0;

	ASSERT_EQ(handle_install(&m.handles, open(dir, O_PATH | O_CLOEXEC), HANDLE_PATH, flags, &h),
		  0);
	return h;
}

static void setup(void)
{
	struct monitor_options o = { .image = &elf,
				     .image_size = sizeof(elf),
				     .residency = RF_RESIDENCY_HOST,
				     .cpus = 1,
				     .memory = 32 << 20,
				     .max_tasks = 64,
				     .log_fd = 2,
				     .strace_fd = 2 };
	struct rf_error err = { 0 };

	test_image_fill(&elf);
	ASSERT_EQ(monitor_init(&m, &o, &err), 0);
	make_files();
	root_rw = add_root(HANDLE_F_WRITABLE);
	root_ro = add_root(0);
	mem = m.arena.base + m.info->free_start;
}

static void teardown(void)
{
	char command[128];

	monitor_done(&m);
	ASSERT_EQ(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	ASSERT_EQ(system(command), 0);
}

static s64 call(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct hostcall hc = { .m = &m, .arg = { a, b, c, d, e, f } };

	return hostcall_run(&hc, nr);
}

/* Puts a path into arena memory, at @slot pages behind the start. */
static u64 put(u32 slot, const char *text)
{
	char *p = (char *)mem + slot * 8192;

	strcpy(p, text);
	return (u64)(uintptr_t)p;
}

#define OUT ((u64)(uintptr_t)(mem + 65536))

static s64 open_path(u64 root, const char *path, u64 flags)
{
	return call(HC_OPEN, root, put(0, path), strlen(path), flags, 0644, 0);
}

static s64 stat_path(const char *path)
{
	return call(HC_STAT, root_rw, put(0, path), strlen(path), OUT, 0, 0);
}

static void unit(void (*test)(void))
{
	setup();
	test();
	teardown();
}
#define FIXTURE_TEST(name)             \
	static void body_##name(void); \
	TEST(name)                     \
	{                              \
		unit(body_##name);     \
	}                              \
	static void body_##name(void)

TEST(hostcall_table_is_complete)
{
#define HAS_FUNCTION(nr, name, blocking) EXPECT_TRUE(hostcall_lookup(nr) != NULL);
	HOSTCALL_TABLE(HAS_FUNCTION)
#undef HAS_FUNCTION
	EXPECT_TRUE(hostcall_lookup(0) == NULL);
	EXPECT_TRUE(hostcall_lookup(HC_NR) == NULL);
	EXPECT_TRUE(hostcall_lookup(~0ull) == NULL);
}

FIXTURE_TEST(hostcall_refuses_unknown_and_wrong_residency)
{
	EXPECT_EQ(call(0, 0, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(call(99, 0, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(call(~0ull, 0, 0, 0, 0, 0, 0), -ENOSYS);
	m.residency = RF_RESIDENCY_GUEST;
	EXPECT_EQ(call(HC_PLAT_AS_NEW, 0, 0, 0, 0, 0, 0), -EPERM);
	EXPECT_EQ(call(HC_PLAT_SWITCH, 1, 1, OUT, OUT, 0, 0), -EPERM);
	EXPECT_EQ(call(HC_GUARD, m.info->free_start, 4096, 0, 0, 0, 0), -EPERM);
	m.residency = RF_RESIDENCY_HOST;
	EXPECT_EQ(call(HC_PLAT_SWITCH, 1, 1, OUT, OUT, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_PLAT_AS_MAP, ~0ull, 0, 0, 0, 0, 0), -EBADF);
}

FIXTURE_TEST(mailbox_answers_in_place)
{
	m.info->cpu[0].mbox.nr = HC_STAT;
	m.info->cpu[0].mbox.arg[0] = root_rw;
	m.info->cpu[0].mbox.arg[1] = put(0, "f");
	m.info->cpu[0].mbox.arg[2] = 1;
	m.info->cpu[0].mbox.arg[3] = OUT;
	EXPECT_TRUE(monitor_serve(&m, 0));
	EXPECT_EQ(m.info->cpu[0].mbox.ret, 0);
	EXPECT_EQ(((struct hc_stat *)(uintptr_t)OUT)->size, 5);
	m.info->cpu[0].mbox.nr = HC_EXIT;
	m.info->cpu[0].mbox.arg[0] = 0x109;
	EXPECT_FALSE(monitor_serve(&m, 0));
	EXPECT_EQ(m.ended, MONITOR_EXITED | 0x109 << 8);
}

FIXTURE_TEST(paths_stay_below_the_root)
{
	static const char *const climbing[] = {
		"..", "../f", "d/../../f", "d/..", "./..", "d/../f"
	};

	for (size_t i = 0; i < ARRAY_SIZE(climbing); i++) {
		EXPECT_EQ(stat_path(climbing[i]), -EXDEV);
		EXPECT_EQ(open_path(root_rw, climbing[i], HC_O_READ), -EXDEV);
	}
	EXPECT_EQ(stat_path("/etc/passwd"), -EINVAL);
	EXPECT_EQ(open_path(root_rw, "/etc/passwd", HC_O_READ), -EINVAL);
	EXPECT_EQ(stat_path("d/g"), 0);
	EXPECT_EQ(stat_path("..f"), -ENOENT);
	EXPECT_EQ(stat_path(""), 0);
	EXPECT_TRUE(S_ISDIR(((struct hc_stat *)(uintptr_t)OUT)->mode));
}

FIXTURE_TEST(symlinks_are_not_followed)
{
	EXPECT_EQ(stat_path("abs"), 0);
	EXPECT_TRUE(S_ISLNK(((struct hc_stat *)(uintptr_t)OUT)->mode));
	EXPECT_EQ(stat_path("abs/passwd"), -ELOOP);
	EXPECT_EQ(stat_path("rel/g"), -ELOOP);
	EXPECT_EQ(open_path(root_rw, "abs", HC_O_READ), -ELOOP);
	EXPECT_EQ(open_path(root_rw, "rel/g", HC_O_READ), -ELOOP);
	EXPECT_EQ(open_path(root_rw, "rel/new", HC_O_WRITE | HC_O_CREAT), -ELOOP);
	EXPECT_EQ(open_path(root_rw, "abs", HC_O_WRITE | HC_O_CREAT), -ELOOP);
	EXPECT_EQ(call(HC_READLINK, root_rw, put(0, "abs"), 3, OUT, 100, 0), 4);
	EXPECT_EQ(memcmp((void *)(uintptr_t)OUT, "/etc", 4), 0);
	EXPECT_EQ(call(HC_READLINK, root_rw, put(0, "f"), 1, OUT, 100, 0), -EINVAL);
	EXPECT_EQ(call(HC_MKDIR, root_rw, put(0, "rel/x"), 5, 0755, 0, 0), -ENOTDIR);
	EXPECT_EQ(call(HC_UNLINK, root_rw, put(0, "rel/g"), 5, 0, 0, 0), -ENOTDIR);
}

FIXTURE_TEST(devices_and_fifos_are_not_opened)
{
	u64 dev;

	EXPECT_EQ(open_path(root_rw, "fifo", HC_O_READ), -ENXIO);
	EXPECT_EQ(open_path(root_rw, "fifo", HC_O_WRITE | HC_O_CREAT), -ENXIO);
	ASSERT_EQ(handle_install(&m.handles, open("/dev", O_PATH), HANDLE_PATH, HANDLE_F_WRITABLE,
				 &dev),
		  0);
	EXPECT_EQ(open_path(dev, "null", HC_O_READ), -ENXIO);
	EXPECT_EQ(open_path(dev, "zero", HC_O_READ | HC_O_WRITE), -ENXIO);
	EXPECT_EQ(call(HC_MKNOD, root_rw, put(0, "n"), 1, S_IFCHR | 0600, 0, 0), -EPERM);
	EXPECT_EQ(call(HC_MKNOD, root_rw, put(0, "n"), 1, S_IFBLK | 0600, 0, 0), -EPERM);
	EXPECT_EQ(call(HC_MKNOD, root_rw, put(0, "n"), 1, S_IFIFO | 0600, 0, 0), 0);
}

FIXTURE_TEST(buffers_lie_in_the_arena)
{
	static char outside[4096];
	const u64 bad[] = { 0,
			    1,
			    (u64)(uintptr_t)outside,
			    RF_ARENA_BASE,
			    RF_ARENA_BASE + BOOT_CONFIG_OFF,
			    RF_ARENA_BASE + KERNEL_IMAGE_OFF - 8,
			    RF_ARENA_BASE + m.arena.size - 8,
			    RF_ARENA_BASE + m.arena.size,
			    ~7ull,
			    RF_ARENA_BASE - 8 };
	s64 h = open_path(root_rw, "f", HC_O_READ);

	ASSERT_GE(h, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(call(HC_PREAD, (u64)h, bad[i], 16, 0, 0, 0), -EFAULT);
		EXPECT_EQ(call(HC_FSTAT, (u64)h, bad[i], 0, 0, 0, 0), -EFAULT);
		EXPECT_EQ(call(HC_STAT, root_rw, bad[i], 16, OUT, 0, 0), -EFAULT);
		EXPECT_EQ(call(HC_RANDOM, bad[i], 64, 0, 0, 0, 0), -EFAULT);
		EXPECT_EQ(call(HC_LOG, 0, bad[i], 16, 0, 0, 0), -EFAULT);
	}
	/* The kernel's text can be read from but not written to. */
	EXPECT_EQ(call(HC_RANDOM, TEST_IMAGE_BASE, 8, 0, 0, 0, 0), -EFAULT);
	EXPECT_EQ(call(HC_RANDOM, TEST_DATA_VA, 8, 0, 0, 0, 0), 8);
	EXPECT_EQ(call(HC_FSTAT, (u64)h, OUT + 1, 0, 0, 0, 0), -EFAULT);
}

FIXTURE_TEST(lengths_are_limited)
{
	s64 h = open_path(root_rw, "f", HC_O_READ);

	EXPECT_EQ(call(HC_STAT, root_rw, OUT, HC_PATH_MAX, OUT, 0, 0), -ENAMETOOLONG);
	EXPECT_EQ(call(HC_STAT, root_rw, OUT, ~0ull, OUT, 0, 0), -ENAMETOOLONG);
	memset((void *)(uintptr_t)OUT, 'x', 300);
	EXPECT_EQ(call(HC_MKDIR, root_rw, OUT, 300, 0755, 0, 0), -ENAMETOOLONG);
	memcpy((void *)(uintptr_t)OUT, "f\0g", 3);
	EXPECT_EQ(call(HC_STAT, root_rw, OUT, 3, OUT + 4096, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_PREAD, (u64)h, OUT, ~0ull, 0, 0, 0), 5);
	EXPECT_EQ(call(HC_PREAD, (u64)h, OUT, 16, ~0ull, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_PREAD, (u64)h, OUT, 16, INT64_MAX, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_SYMLINK, root_rw, put(0, "s"), 1, OUT, ~0ull, 0), -ENAMETOOLONG);
}

FIXTURE_TEST(stale_and_wrong_handles_are_refused)
{
	s64 h = open_path(root_rw, "f", HC_O_READ), again;

	ASSERT_GE(h, 0);
	EXPECT_EQ(call(HC_GETDENTS, (u64)h, OUT, 4096, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_READ, (u64)h, OUT, 16, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_STAT, (u64)h, 0, 0, OUT, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_CLOSE, (u64)h, 0, 0, 0, 0, 0), 0);
	again = open_path(root_rw, "d/g", HC_O_READ);
	EXPECT_EQ(call(HC_PREAD, (u64)h, OUT, 16, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_CLOSE, (u64)h, 0, 0, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_PREAD, (u64)again, OUT, 16, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_PREAD, ~0ull, OUT, 16, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_WATCH, (u64)again, 1, 0, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_WATCH, (u64)again, 1, WATCH_SLOTS, 0, 0, 0), -EINVAL);
}

FIXTURE_TEST(read_only_roots_are_read_only)
{
	struct hc_setattr *attr = (void *)(uintptr_t)OUT;
	s64 h = open_path(root_ro, "f", HC_O_READ), d;

	ASSERT_GE(h, 0);
	*attr = (struct hc_setattr){ .valid = HC_ATTR_MODE, .mode = 0600 };
	EXPECT_EQ(open_path(root_ro, "f", HC_O_WRITE), -EROFS);
	EXPECT_EQ(open_path(root_ro, "f", HC_O_READ | HC_O_TRUNC), -EROFS);
	EXPECT_EQ(open_path(root_ro, "new", HC_O_READ | HC_O_CREAT), -EROFS);
	EXPECT_EQ(open_path(root_ro, "d", HC_O_WRITE | HC_O_TMPFILE), -EROFS);
	EXPECT_EQ(call(HC_MKDIR, root_ro, put(0, "x"), 1, 0755, 0, 0), -EROFS);
	EXPECT_EQ(call(HC_UNLINK, root_ro, put(0, "f"), 1, 0, 0, 0), -EROFS);
	EXPECT_EQ(call(HC_SETATTR, root_ro, put(0, "f"), 1, OUT, 0, 0), -EROFS);
	EXPECT_EQ(call(HC_FSETATTR, (u64)h, OUT, 0, 0, 0, 0), -EROFS);
	EXPECT_EQ(call(HC_TRUNCATE, (u64)h, 0, 0, 0, 0, 0), -EROFS);
	EXPECT_EQ(call(HC_FALLOCATE, (u64)h, 0, 0, 10, 0, 0), -EROFS);
	EXPECT_EQ(call(HC_PWRITE, (u64)h, OUT, 1, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_RENAME, root_ro, put(0, "f"), 1, root_rw, put(1, "g"), 1), -EROFS);
	EXPECT_EQ(call(HC_RENAME, root_rw, put(0, "f"), 1, root_ro, put(1, "g"), 1), -EROFS);
	EXPECT_EQ(call(HC_LINK, root_ro, put(0, "f"), 1, root_rw, put(1, "g"), 1), -EROFS);
	/* A handle below a read-only root is no way around it. */
	d = open_path(root_ro, "d", HC_O_PATH);
	ASSERT_GE(d, 0);
	EXPECT_EQ(open_path((u64)d, "g", HC_O_WRITE), -EROFS);
}

FIXTURE_TEST(files_are_made_written_and_removed)
{
	s64 h = open_path(root_rw, "d/new", HC_O_READ | HC_O_WRITE | HC_O_CREAT | HC_O_EXCL);
	struct hc_setattr *attr = (void *)(uintptr_t)OUT;
	struct stat st;

	ASSERT_GE(h, 0);
	EXPECT_EQ(open_path(root_rw, "d/new", HC_O_READ | HC_O_CREAT | HC_O_EXCL), -EEXIST);
	EXPECT_EQ(call(HC_PWRITE, (u64)h, put(1, "abc"), 3, 2, 0, 0), 3);
	EXPECT_EQ(call(HC_PREAD, (u64)h, OUT, 16, 0, 0, 0), 5);
	EXPECT_EQ(memcmp((void *)(uintptr_t)OUT, "\0\0abc", 5), 0);
	EXPECT_EQ(call(HC_TRUNCATE, (u64)h, 1, 0, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_FSYNC, (u64)h, 1, 0, 0, 0, 0), 0);
	*attr = (struct hc_setattr){ .valid = HC_ATTR_MODE | HC_ATTR_MTIME | HC_ATTR_SIZE,
				     .mode = 0640,
				     .size = 9,
				     .mtime_s = 1000 };
	EXPECT_EQ(call(HC_SETATTR, root_rw, put(0, "d/new"), 5, OUT, 0, 0), 0);
	ASSERT_EQ(stat("d/new", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0640);
	EXPECT_EQ(st.st_size, 9);
	EXPECT_EQ(st.st_mtime, 1000);
	EXPECT_EQ(call(HC_RENAME, root_rw, put(0, "d/new"), 5, root_rw, put(1, "moved"), 5), 0);
	EXPECT_EQ(call(HC_LINK, root_rw, put(0, "moved"), 5, root_rw, put(1, "d/l"), 3), 0);
	EXPECT_EQ(call(HC_UNLINK, root_rw, put(0, "moved"), 5, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_MKDIR, root_rw, put(0, "d/e"), 3, 0755, 0, 0), 0);
	EXPECT_EQ(call(HC_UNLINK, root_rw, put(0, "d/e"), 3, 0, 0, 0), -EISDIR);
	EXPECT_EQ(call(HC_UNLINK, root_rw, put(0, "d/e"), 3, 1, 0, 0), 0);
	EXPECT_EQ(call(HC_SYMLINK, root_rw, put(0, "sl"), 2, put(1, "../x"), 4, 0), 0);
	EXPECT_EQ(open_path(root_rw, "d", HC_O_WRITE), -EISDIR);
	EXPECT_EQ(open_path(root_rw, "f", HC_O_READ | HC_O_DIRECTORY), -ENOTDIR);
	EXPECT_GE(open_path(root_rw, "d", HC_O_READ | HC_O_WRITE | HC_O_TMPFILE), 0);
}

FIXTURE_TEST(set_user_id_is_not_left_behind)
{
	struct hc_setattr *attr = (void *)(uintptr_t)OUT;
	struct stat st;

	ASSERT_GE(call(HC_OPEN, root_rw, put(0, "s"), 1, HC_O_WRITE | HC_O_CREAT, 06755, 0), 0);
	ASSERT_EQ(stat("s", &st), 0);
	EXPECT_EQ(st.st_mode & 06000, 0);
	*attr = (struct hc_setattr){ .valid = HC_ATTR_MODE, .mode = 04755 };
	EXPECT_EQ(call(HC_SETATTR, root_rw, put(0, "s"), 1, OUT, 0, 0), -EPERM);
}

FIXTURE_TEST(directories_are_listed)
{
	s64 h = open_path(root_ro, "d", HC_O_READ);
	s64 n, again;

	ASSERT_GE(h, 0);
	n = call(HC_GETDENTS, (u64)h, OUT, 4096, 0, 0, 0);
	EXPECT_GT(n, 0);
	EXPECT_EQ(call(HC_GETDENTS, (u64)h, OUT, 4096, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_REWIND, (u64)h, 0, 0, 0, 0, 0), 0);
	again = call(HC_GETDENTS, (u64)h, OUT, 4096, 0, 0, 0);
	EXPECT_EQ(n, again);
	EXPECT_EQ(call(HC_PREAD, (u64)h, OUT, 16, 0, 0, 0), -EBADF);
	EXPECT_EQ(call(HC_OPEN, (u64)h, put(0, "g"), 1, HC_O_READ, 0, OUT) < 0, 0);
}

FIXTURE_TEST(memory_calls_keep_to_frames)
{
	u64 start = m.info->free_start, *word = (void *)mem;

	*word = 42;
	EXPECT_EQ(call(HC_DISCARD, start, 4096, 0, 0, 0, 0), 0);
	EXPECT_EQ(*word, 0);
	EXPECT_EQ(call(HC_POPULATE, start, 8192, 0, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_DISCARD, start + 1, 4096, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_DISCARD, start, 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_DISCARD, 0, 4096, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_DISCARD, KERNEL_IMAGE_OFF, 4096, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_DISCARD, start, ~0ull & ~4095ull, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_POPULATE, m.arena.size, 4096, 0, 0, 0, 0), -EINVAL);
	/* What the kernel says free_start is does not matter. */
	m.info->free_start = 0;
	EXPECT_EQ(call(HC_DISCARD, KERNEL_IMAGE_OFF, 4096, 0, 0, 0, 0), -EINVAL);
}

/* A stream handle of @fd, which it takes. */
static u64 add_stream(int fd, enum boot_stream_kind kind)
{
	u64 value = 0;
	struct handle *h;

	ASSERT_EQ(handle_install(&m.handles, fd, HANDLE_STREAM, 0, &value), 0);
	h = handle_get(&m.handles, value, HANDLE_STREAM);
	h->stream = kind;
	handle_put(&m.handles, h);
	return value;
}

FIXTURE_TEST(streams_never_wait)
{
	int p[2], s[2];
	u64 in, out, a;
	s64 n, total = 0;

	ASSERT_EQ(pipe(p), 0);
	in = add_stream(p[0], BOOT_STREAM_PIPE);
	out = add_stream(p[1], BOOT_STREAM_PIPE);
	EXPECT_EQ(call(HC_READ, in, OUT, 16, 0, 0, 0), -EAGAIN);
	EXPECT_EQ(call(HC_POLL, in, POLLIN, 0, 0, 0, 0), 0);
	while ((n = call(HC_WRITE, out, OUT, 16384, 0, 0, 0)) > 0)
		total += n;
	EXPECT_EQ(n, -EAGAIN);
	EXPECT_GE(total, 4096);
	EXPECT_EQ(call(HC_POLL, in, POLLIN, 0, 0, 0, 0), POLLIN);
	EXPECT_EQ(call(HC_READ, in, OUT, 16, 0, 0, 0), 16);
	EXPECT_EQ(call(HC_SEEK, in, 0, SEEK_SET, 0, 0, 0), -ESPIPE);
	EXPECT_EQ(call(HC_IOCTL, in, TIOCSTI, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, in, TIOCSWINSZ, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, in, TCGETS, OUT, 8, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_IOCTL, in, FIONREAD, OUT, 4, 0, 0), 0);
	ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	a = add_stream(s[0], BOOT_STREAM_SOCKET);
	EXPECT_EQ(call(HC_READ, a, OUT, 16, 0, 0, 0), -EAGAIN);
	close(s[1]);
	EXPECT_EQ(call(HC_WRITE, a, OUT, 16, 0, 0, 0), -EPIPE);
	EXPECT_EQ(call(HC_READ, a, OUT, 16, 0, 0, 0), 0);
}

FIXTURE_TEST(watches_fire_once)
{
	struct rf_error err;
	int p[2];
	u64 in, file;

	ASSERT_EQ(pipe(p), 0);
	in = add_stream(p[0], BOOT_STREAM_PIPE);
	file = add_stream(open("f", O_RDONLY), BOOT_STREAM_FILE);
	ASSERT_EQ(events_init(&m, &err), 0);
	ASSERT_EQ(write(p[1], "xyz", 3), 3);
	EXPECT_EQ(call(HC_WATCH, in, POLLIN, 70, 0, 0, 0), 0);
	events_poll_once(&m);
	EXPECT_EQ(m.info->watch_pending[1], 1ull << 6);
	EXPECT_EQ(m.info->watch_events[70], POLLIN);
	EXPECT_EQ(m.info->cpu[0].kick, 1);
	m.info->watch_pending[1] = 0;
	events_poll_once(&m);
	EXPECT_EQ(m.info->watch_pending[1], 0);
	EXPECT_EQ(call(HC_WATCH, in, POLLIN, 71, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_WATCH, in, 0, 71, 0, 0, 0), 0);
	events_poll_once(&m);
	EXPECT_EQ(m.info->watch_pending[1], 0);
	/* epoll knows no regular files: always ready. */
	EXPECT_EQ(call(HC_WATCH, file, POLLIN, 3, 0, 0, 0), 0);
	EXPECT_EQ(m.info->watch_pending[0], 8);
	EXPECT_EQ(call(HC_CLOSE, in, 0, 0, 0, 0, 0), 0);
	close(p[1]);
}

FIXTURE_TEST(idle_ends_by_kick_or_deadline)
{
	u64 start = clock_now_ns(1);

	EXPECT_EQ(call(HC_IDLE, start + 2000000, 0, 0, 0, 0, 0), 0);
	EXPECT_GE(clock_now_ns(1), start + 2000000);
	EXPECT_EQ(call(HC_KICK, 0, 0, 0, 0, 0, 0), 0);
	EXPECT_EQ(m.info->cpu[0].kick, 1);
	EXPECT_EQ(call(HC_IDLE, 0, 0, 0, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_KICK, 1, 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_KICK, ~0ull, 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_GT(call(HC_CLOCK, 1, 0, 0, 0, 0, 0), 0);
	EXPECT_EQ(call(HC_CLOCK, 3, 0, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_CLOCK, ~0ull, 0, 0, 0, 0, 0), -EINVAL);
}

FIXTURE_TEST(log_text_cannot_drive_a_terminal)
{
	char text[] = "a\033[2J\tb\r\n\x7f\x9b\xc2\x9b";
	int p[2];
	char got[32] = { 0 };

	ASSERT_EQ(pipe(p), 0);
	monitor_write_text(p[1], text, sizeof(text) - 1);
	ASSERT_EQ(read(p[0], got, sizeof(got)), sizeof(text) - 1);
	EXPECT_EQ(memcmp(got, "a?[2J\tb?\n????", sizeof(text) - 1), 0);
	close(p[0]);
	close(p[1]);
}

/* What is waiting in the pipe @fd, as a string. */
static const char *drain(int fd)
{
	static char text[1 << 20];
	size_t len = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = 0;
	return text;
}

static u32 count_lines(const char *text)
{
	u32 n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

FIXTURE_TEST(log_is_limited)
{
	u64 text = put(0, "one\ntwo\n");
	const char *got;
	u32 refused = 0;
	int p[2];

	ASSERT_EQ(pipe(p), 0);
	fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
	m.log_fd = p[1];
	EXPECT_EQ(call(HC_LOG, 0, text, 8, 0, 0, 0), 8);
	EXPECT_STR_EQ(drain(p[0]), "ringfence: one two\n"); /* no line of its own making */
	for (u32 i = 0; i < 3000; i++)
		refused += call(HC_LOG, 0, text, 3, 0, 0, 0) == -EAGAIN;
	EXPECT_GT(refused, 1000);
	got = drain(p[0]);
	EXPECT_LE(count_lines(got), 3000 - refused + 100); /* remarks about what was dropped */
	atomic_store(&m.log_bytes, LOG_TOTAL_MAX - 2);
	memset(m.rate, 0, sizeof(m.rate));
	EXPECT_EQ(call(HC_LOG, 0, text, 3, 0, 0, 0), 3);
	EXPECT_EQ(call(HC_LOG, 0, text, 3, 0, 0, 0), -EAGAIN);
	EXPECT_NOT_NULL(strstr(drain(p[0]), "no more\n"));
	close(p[0]);
	close(p[1]);
}

FIXTURE_TEST(strace_is_written_only_where_asked_for)
{
	int p[2];

	ASSERT_EQ(pipe(p), 0);
	m.log_fd = p[1];
	m.strace_fd = -1;
	EXPECT_EQ(call(HC_LOG, 1, put(0, "x"), 1, 0, 0, 0), -EPERM);
	EXPECT_EQ(call(HC_LOG, 2, put(0, "x"), 1, 0, 0, 0), -EINVAL);
	/* Said once, however often it happens. */
	EXPECT_EQ(count_lines(drain(p[0])), 1);
	m.strace_fd = p[1];
	EXPECT_EQ(call(HC_LOG, 1, put(0, "x"), 1, 0, 0, 0), 1);
	EXPECT_STR_EQ(drain(p[0]), "x");
	close(p[0]);
	close(p[1]);
}

TEST(rate_gives_a_burst_and_then_its_rate)
{
	struct rate_bucket b = { 0 };
	u64 now = 1000000000000ull, wait;
	u32 n = 0;

	while ((wait = rate_take(&b, RATE_LOG, now)) == 0)
		ASSERT_LT(n++, 100000);
	EXPECT_EQ(n, 1000);
	EXPECT_EQ(wait, 10000000); /* 100 a second */
	EXPECT_EQ(rate_take(&b, RATE_LOG, now + wait), 0);
	EXPECT_GT(rate_take(&b, RATE_LOG, now + wait), 0);
	/* An idle hour fills it to the brim, not over it. */
	now += 3600000000000ull;
	for (n = 0; rate_take(&b, RATE_LOG, now) == 0;)
		ASSERT_LT(n++, 100000);
	EXPECT_EQ(n, 1000);
}

FIXTURE_TEST(calls_beyond_their_rate_wait)
{
	u64 start = clock_now_ns(CLOCK_MONOTONIC);

	m.log_fd = -1;
	/* 20,000 at once, then 20,000 a second: the last 2,000 take a tenth of one. */
	for (u32 i = 0; i < 22000; i++)
		EXPECT_EQ(call(99, 0, 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_GE(clock_now_ns(CLOCK_MONOTONIC), start + 90000000);
	/* Not once the sandbox has ended. */
	atomic_store(&m.ended, MONITOR_FAILED);
	EXPECT_EQ(call(99, 0, 0, 0, 0, 0, 0), -ENOSYS);
}

static u64 host_root(const char *path, u32 flags)
{
	u64 h = 0;

	ASSERT_EQ(handle_install(&m.handles, open(path, O_PATH | O_CLOEXEC), HANDLE_PATH, flags,
				 &h),
		  0);
	return h;
}

FIXTURE_TEST(interfaces_of_the_host_kernel_are_no_files)
{
	struct hc_setattr *attr = (void *)(uintptr_t)OUT;
	u64 proc = host_root("/proc", HANDLE_F_WRITABLE), sys;
	char own[32];

	snprintf(own, sizeof(own), "%d/mem", getpid());
	EXPECT_EQ(open_path(proc, own, HC_O_READ | HC_O_WRITE), -EACCES);
	EXPECT_EQ(open_path(proc, "uptime", HC_O_READ), -EACCES);
	EXPECT_EQ(open_path(proc, "sys/kernel", HC_O_READ), -EACCES);
	EXPECT_EQ(open_path(proc, "", HC_O_READ), -EACCES);
	EXPECT_EQ(open_path(proc, "self/root/etc/passwd", HC_O_READ), -ELOOP);
	*attr = (struct hc_setattr){ .valid = HC_ATTR_MODE, .mode = 0444 };
	EXPECT_EQ(call(HC_SETATTR, proc, put(0, "uptime"), 6, OUT, 0, 0), -EACCES);
	EXPECT_EQ(call(HC_MKDIR, proc, put(0, "x"), 1, 0755, 0, 0), -EACCES);
	if (access("/sys/kernel/uevent_seqnum", F_OK) < 0)
		return;
	sys = host_root("/sys", HANDLE_F_WRITABLE);
	EXPECT_GE(open_path(sys, "kernel/uevent_seqnum", HC_O_READ), 0);
	EXPECT_EQ(open_path(sys, "kernel/uevent_seqnum", HC_O_READ | HC_O_WRITE), -EACCES);
	EXPECT_EQ(open_path(sys, "kernel/uevent_seqnum", HC_O_READ | HC_O_TRUNC), -EACCES);
}

FIXTURE_TEST(set_user_id_is_dropped_before_writing)
{
	struct stat st;

	ASSERT_EQ(chmod("f", 06755), 0);
	ASSERT_GE(open_path(root_rw, "f", HC_O_READ), 0);
	ASSERT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 06755);
	EXPECT_EQ(open_path(root_ro, "f", HC_O_WRITE), -EROFS);
	ASSERT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 06755);
	ASSERT_GE(open_path(root_rw, "f", HC_O_WRITE), 0);
	ASSERT_EQ(stat("f", &st), 0);
	EXPECT_EQ(st.st_mode & 07777, 0755);
}

FIXTURE_TEST(attributes_of_devices_and_sockets_stay)
{
	struct hc_setattr *attr = (void *)(uintptr_t)OUT;
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	u64 dev = host_root("/dev", HANDLE_F_WRITABLE);

	ASSERT_EQ(bind(s, (struct sockaddr *)&name, sizeof(name)), 0);
	*attr = (struct hc_setattr){ .valid = HC_ATTR_MODE, .mode = 0666 };
	EXPECT_EQ(call(HC_SETATTR, dev, put(0, "null"), 4, OUT, 0, 0), -EPERM);
	EXPECT_EQ(call(HC_SETATTR, root_rw, put(0, "sock"), 4, OUT, 0, 0), -EPERM);
	EXPECT_EQ(open_path(root_rw, "sock", HC_O_READ), -ENXIO);
	EXPECT_EQ(call(HC_SETATTR, root_rw, put(0, "fifo"), 4, OUT, 0, 0), 0);
	EXPECT_EQ(call(HC_SETATTR, root_rw, put(0, "abs"), 3, OUT, 0, 0), -EOPNOTSUPP);
	attr->valid = 64;
	EXPECT_EQ(call(HC_SETATTR, root_rw, put(0, "f"), 1, OUT, 0, 0), -EINVAL);
	close(s);
}

FIXTURE_TEST(flags_and_sizes_of_lists)
{
	s64 h = open_path(root_rw, "f", HC_O_READ | HC_O_WRITE);
	u64 start = m.info_free_start;

	EXPECT_EQ(call(HC_FALLOCATE, (u64)h, 4, 0, 10, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(call(HC_FALLOCATE, (u64)h, 1ull << 32, 0, 10, 0, 0), -EOPNOTSUPP);
	EXPECT_EQ(call(HC_FALLOCATE, (u64)h, 0, ~0ull, 10, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_RENAME, root_rw, put(0, "f"), 1, root_rw, put(1, "g"), 1), 0);
	EXPECT_EQ(call(HC_OPEN, root_rw, put(0, "g"), 1, 0x200, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_OPEN, root_rw, put(0, "g"), 1, 1ull << 32, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_OPEN, root_rw, put(0, "g"), 1, HC_O_PATH | HC_O_WRITE, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_RANDOM, OUT, ~0ull, 0, 0, 0, 0), HC_RANDOM_MAX);
	EXPECT_EQ(call(HC_DISCARD, start, HC_FRAMES_MAX + 4096, 0, 0, 0, 0), -EINVAL);
	EXPECT_EQ(call(HC_READ, (u64)h, OUT, 1, 0, 0, 0), -EBADF);
}

FIXTURE_TEST(rename_flags_are_a_list)
{
	struct hostcall hc = { .m = &m,
			       .arg = { root_rw, put(0, "f"), 1, root_rw, put(1, "w"), 1, 4 } };

	EXPECT_EQ(hostcall_run(&hc, HC_RENAME), -EINVAL); /* RENAME_WHITEOUT makes a device */
	hc.arg[6] = 1;
	EXPECT_EQ(hostcall_run(&hc, HC_RENAME), 0);
}

FIXTURE_TEST(terminal_requests_are_for_terminals)
{
	int pty = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	u64 tty, other;

	ASSERT_GE(pty, 0);
	tty = add_stream(dup(pty), BOOT_STREAM_TTY);
	other = add_stream(pty, BOOT_STREAM_CHAR);
	EXPECT_EQ(call(HC_IOCTL, tty, TCGETS, OUT, 64, 0, 0), 0);
	EXPECT_EQ(call(HC_IOCTL, other, TCGETS, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, other, FIONREAD, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, tty, TIOCSTI, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, tty, TIOCLINUX, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, tty, TIOCSCTTY, OUT, 64, 0, 0), -ENOTTY);
	EXPECT_EQ(call(HC_IOCTL, tty, TIOCSETD, OUT, 64, 0, 0), -ENOTTY);
}

struct watcher {
	u64 handle;
	atomic_uint stop;
};

static void *watch_again_and_again(void *arg)
{
	struct watcher *w = arg;

	while (!atomic_load(&w->stop))
		events_watch(&m, w->handle, POLLIN, 5);
	return NULL;
}

/* The epoll set is asked whether it still knows a description that stays open elsewhere: adding it again must work. */
FIXTURE_TEST(watches_end_with_their_handle)
{
	struct epoll_event e = { .events = EPOLLIN };
	struct rf_error err;
	struct watcher w = { 0 };
	pthread_t thread;
	int p[2], fd;

	ASSERT_EQ(pipe(p), 0);
	ASSERT_EQ(events_init(&m, &err), 0);
	for (int i = 0; i < 100; i++) {
		fd = fcntl(p[0], F_DUPFD_CLOEXEC, 200);
		w.handle = add_stream(fd, BOOT_STREAM_PIPE);
		atomic_store(&w.stop, 0);
		ASSERT_EQ(pthread_create(&thread, NULL, watch_again_and_again, &w), 0);
		sched_yield();
		EXPECT_EQ(call(HC_CLOSE, w.handle, 0, 0, 0, 0, 0), 0);
		atomic_store(&w.stop, 1);
		pthread_join(thread, NULL);
		ASSERT_EQ(fcntl(p[0], F_DUPFD_CLOEXEC, fd), fd);
		ASSERT_EQ(epoll_ctl(m.epoll_fd, EPOLL_CTL_ADD, fd, &e), 0);
		ASSERT_EQ(epoll_ctl(m.epoll_fd, EPOLL_CTL_DEL, fd, &e), 0);
		close(fd);
	}
	close(p[0]);
	close(p[1]);
}
