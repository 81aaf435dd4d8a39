/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths below a writable root while somebody on the host, or another sandbox on the same directory, exchanges directories for
 * symlinks to the outside: no hostcall gets there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"
#include "monitor/hostcalls.h"
#include "unit/test-hostcall-image.h"

#define ROUNDS 3000

static struct test_image elf;
static struct monitor m;
static char base[64];
static u64 root;
static atomic_uint stop, swaps;

static void write_text(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ASSERT_NOT_NULL(f);
	fputs(text, f);
	fclose(f);
}

/* outside/secret and outside/d; rw/swap is a directory that looks alike, rw/link a symlink to the outside. */
static void setup(void)
{
	struct monitor_options o = { .image = &elf,
				     .image_size = sizeof(elf),
				     .residency = RF_RESIDENCY_GUEST,
				     .cpus = 1,
				     .memory = 32 << 20,
				     .max_tasks = 16,
				     .log_fd = 2,
				     .strace_fd = -1 };
	struct rf_error err = { 0 };

	test_image_fill(&elf);
	ASSERT_EQ(monitor_init(&m, &o, &err), 0);
	strcpy(base, "/tmp/rf-race-XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(base));
	ASSERT_EQ(chdir(base), 0);
	ASSERT_EQ(mkdir("outside", 0755), 0);
	ASSERT_EQ(mkdir("outside/d", 0755), 0);
	write_text("outside/secret", "OUTSIDE");
	ASSERT_EQ(mkdir("rw", 0755), 0);
	ASSERT_EQ(mkdir("rw/swap", 0755), 0);
	ASSERT_EQ(mkdir("rw/swap/d", 0755), 0);
	write_text("rw/swap/secret", "INSIDE");
	write_text("rw/file", "INSIDE");
	ASSERT_EQ(symlink("../outside", "rw/link"), 0);
	ASSERT_EQ(symlink("../outside/secret", "rw/filelink"), 0);
	ASSERT_EQ(handle_install(&m.handles, open("rw", O_PATH | O_CLOEXEC), HANDLE_PATH,
				 HANDLE_F_WRITABLE, &root),
		  0);
	atomic_store(&stop, 0);
	atomic_store(&swaps, 0);
}

static void teardown(void)
{
	char command[128];

	monitor_done(&m);
	ASSERT_EQ(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -rf %s", base);
	ASSERT_EQ(system(command), 0);
}

static void *swapper_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&stop)) {
		renameat2(AT_FDCWD, "rw/swap", AT_FDCWD, "rw/link", RENAME_EXCHANGE);
		renameat2(AT_FDCWD, "rw/file", AT_FDCWD, "rw/filelink", RENAME_EXCHANGE);
		atomic_fetch_add(&swaps, 1);
	}
	return NULL;
}

static u64 put(u32 slot, const char *text)
{
	char *p = (char *)m.arena.base + m.info_free_start + slot * 8192;

	strcpy(p, text);
	return (u64)(uintptr_t)p;
}

static s64 call(u64 nr, u64 a, u64 b, u64 c, u64 d, u64 e, u64 f)
{
	struct hostcall hc = { .m = &m, .arg = { a, b, c, d, e, f } };

	return hostcall_run(&hc, nr);
}

#define PATH(slot, text) put(slot, text), strlen(text)

/* Opens @path every way there is; what opens is inside. Returns whether it opened. */
static bool try_open(const char *path, u64 flags)
{
	u64 buf = put(4, "");
	s64 h = call(HC_OPEN, root, PATH(0, path), flags, 0600, 0), n;

	if (h < 0)
		return false;
	n = call(HC_PREAD, (u64)h, buf, 16, 0, 0, 0);
	if (n > 0)
		EXPECT_EQ(memcmp((void *)(uintptr_t)buf, "INSIDE", 6), 0);
	EXPECT_EQ(call(HC_CLOSE, (u64)h, 0, 0, 0, 0, 0), 0);
	return true;
}

static void try_changes(u64 attr)
{
	call(HC_OPEN, root, PATH(0, "swap/new"), HC_O_WRITE | HC_O_CREAT, 0600, 0);
	call(HC_MKDIR, root, PATH(0, "swap/made"), 0700, 0, 0);
	call(HC_SYMLINK, root, PATH(0, "swap/sl"), PATH(1, "x"), 0);
	call(HC_LINK, root, PATH(0, "swap/secret"), root, PATH(1, "stolen"));
	call(HC_LINK, root, PATH(0, "file"), root, PATH(1, "swap/planted"));
	call(HC_MKNOD, root, PATH(0, "swap/fifo"), S_IFIFO | 0600, 0, 0);
	call(HC_SETATTR, root, PATH(0, "swap/secret"), attr, 0, 0);
	call(HC_SETATTR, root, PATH(0, "file"), attr, 0, 0);
	call(HC_RENAME, root, PATH(0, "swap/d"), root, PATH(1, "swap/e"));
	call(HC_RENAME, root, PATH(0, "swap/e"), root, PATH(1, "swap/d"));
	try_open("stolen", HC_O_READ);
	call(HC_UNLINK, root, PATH(0, "stolen"), 0, 0, 0);
	call(HC_UNLINK, root, PATH(0, "swap/planted"), 0, 0, 0);
	call(HC_UNLINK, root, PATH(0, "swap/fifo"), 0, 0, 0);
	call(HC_UNLINK, root, PATH(0, "swap/sl"), 0, 0, 0);
	call(HC_UNLINK, root, PATH(0, "swap/made"), 1, 0, 0);
}

static void close_all_but_root(void)
{
	for (u32 i = 0; i < HC_HANDLES_MAX; i++) {
		u64 value = m.handles.slot[i].generation << 12 | i;

		if (m.handles.slot[i].open && value != root)
			EXPECT_EQ(handle_close(&m.handles, value), 0);
	}
}

TEST(paths_that_change_on_the_host_never_lead_outside)
{
	struct stat before[3], after[3];
	static const char *const outside[3] = { "outside", "outside/d", "outside/secret" };
	struct hc_setattr attr = { .valid = HC_ATTR_MODE | HC_ATTR_SIZE, .mode = 0640, .size = 6 };
	u64 attr_at;
	pthread_t thread;
	u32 opened = 0;

	setup();
	attr_at = put(8, "");
	memcpy((void *)(uintptr_t)attr_at, &attr, sizeof(attr));
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(lstat(outside[i], &before[i]), 0);
	ASSERT_EQ(pthread_create(&thread, NULL, swapper_main, NULL), 0);
	for (u32 i = 0; i < ROUNDS || (atomic_load(&swaps) < ROUNDS && i < 100 * ROUNDS); i++) {
		opened += try_open("swap/secret", HC_O_READ);
		opened += try_open("link/secret", HC_O_READ | HC_O_WRITE);
		opened += try_open("file", HC_O_READ | HC_O_WRITE | HC_O_CREAT);
		opened += try_open("filelink", HC_O_READ);
		try_changes(attr_at);
		close_all_but_root();
	}
	atomic_store(&stop, 1);
	pthread_join(thread, NULL);
	/* Both sides have had their turns, or nothing was tried. */
	EXPECT_GT(opened, 0);
	EXPECT_GE(swaps, 100);
	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(lstat(outside[i], &after[i]), 0);
		EXPECT_EQ(after[i].st_ctim.tv_sec, before[i].st_ctim.tv_sec);
		EXPECT_EQ(after[i].st_ctim.tv_nsec, before[i].st_ctim.tv_nsec);
		EXPECT_EQ(after[i].st_size, before[i].st_size);
		EXPECT_EQ(after[i].st_mode, before[i].st_mode);
		EXPECT_EQ(after[i].st_nlink, before[i].st_nlink);
	}
	test_note("%u swaps, %u opens that found the inside", atomic_load(&swaps), opened);
	teardown();
}
