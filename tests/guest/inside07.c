/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside only: the limits of the sandbox are where Linux shows them, and hold for root too.
 *
 * Ringfence-Options: --memory 128M --pids 60 --files 200 --disk 10M:500 --file-size 3M --cpus 2
 */
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>

#include "guest/inside.h"

#define MIB (1ul << 20)

static unsigned long number_in(const char *path)
{
	return strtoul(read_file(path), NULL, 10);
}

static unsigned long meminfo(const char *name)
{
	const char *at = strstr(read_file("/proc/meminfo"), name);

	CHECK(at);
	return strtoul(at + strlen(name), NULL, 10);
}

static void check_rlimit(int which, rlim_t soft, rlim_t hard)
{
	struct rlimit l;

	OK(getrlimit(which, &l));
	CHECK_EQ(l.rlim_cur, soft);
	CHECK_EQ(l.rlim_max, hard);
	/* What the sandbox was given is the most there is. */
	l.rlim_max++;
	if (which != RLIMIT_NPROC)
		FAILS(setrlimit(which, &l), EPERM);
}

static void memory_is_shown(void)
{
	struct sysinfo s;

	OK(sysinfo(&s));
	CHECK_EQ(s.totalram * s.mem_unit, 128 * MIB);
	CHECK(s.freeram < s.totalram && s.freeram > s.totalram / 2);
	CHECK_EQ(s.totalswap, 0);
	CHECK_EQ(meminfo("MemTotal:"), 128 * 1024);
	CHECK(meminfo("MemFree:") < 128 * 1024);
	CHECK(meminfo("MemAvailable:") <= 128 * 1024);
	CHECK_EQ(sysconf(_SC_PHYS_PAGES), 128 * MIB / PAGE);
	CHECK_EQ(sysconf(_SC_NPROCESSORS_ONLN), 2);
}

static void rlimits_are_shown(void)
{
	const char *text = read_file("/proc/self/limits");

	CHECK(strstr(text, "Max processes             60                   60 "));
	CHECK(strstr(text, "Max open files            200                  200 "));
	CHECK(strstr(text, "Max file size             3145728              3145728 "));
	check_rlimit(RLIMIT_NPROC, 60, 60);
	check_rlimit(RLIMIT_NOFILE, 200, 200);
	check_rlimit(RLIMIT_FSIZE, 3 * MIB, 3 * MIB);
	CHECK_EQ(number_in("/proc/sys/kernel/threads-max"), 60);
	CHECK(number_in("/proc/sys/kernel/pid_max") >= 60);
	CHECK_EQ(number_in("/proc/sys/fs/file-max"), 200);
	CHECK_EQ(number_in("/proc/sys/fs/nr_open"), 200);
}

static int sleeper(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* Open files are counted in the whole sandbox, descriptors are not. */
static void files_end(void)
{
	unsigned long before = number_in("/proc/sys/fs/file-nr"), count = 0;
	int pipes[2], first, fd;
	pid_t pid;

	CHECK(before >= 1 && before < 20);
	first = OK(open("/proc/self", O_PATH));
	pid = spawn(sleeper, NULL); /* shares them all, and has none of its own */
	for (fd = first; (fd = open("/", O_PATH)) >= 0; count++)
		if (count % 2)
			OK(dup2(fd, 199));
	CHECK_EQ(errno, EMFILE);
	close(199);
	OK(kill(pid, SIGKILL));
	wait_for(pid);
	pid = OK(fork());
	if (pid == 0) {
		OK(close_range(first, ~0u, 0));
		while ((fd = open("/", O_PATH)) >= 0)
			;
		_exit(errno == ENFILE && pipe(pipes) < 0 && errno == ENFILE ? 0 : 1);
	}
	wait_ok(pid);
	OK(close_range(first, ~0u, 0));
	CHECK_EQ(number_in("/proc/sys/fs/file-nr"), before);
}

static void processes_end(void)
{
	pid_t pids[60];
	int n = 0;

	while (n < 60 && (pids[n] = fork()) > 0)
		n++;
	if (n < 60 && pids[n] == 0)
		pause();
	CHECK_EQ(errno, EAGAIN);
	CHECK_EQ(n, 59); /* and this one */
	while (n--) {
		OK(kill(pids[n], SIGKILL));
		wait_for(pids[n]);
	}
}

static void check_statfs(const char *path, unsigned long used_pages)
{
	struct statfs s;

	OK(statfs(path, &s));
	CHECK_EQ(s.f_blocks * (unsigned long)s.f_bsize, 10 * MIB);
	CHECK_EQ(s.f_blocks - s.f_bfree, used_pages);
	CHECK_EQ(s.f_files, 500);
	CHECK(s.f_ffree < 500 && s.f_ffree > 400);
}

static void fill(const char *path, long size)
{
	static char buffer[65536];
	int fd = OK(open(path, O_WRONLY | O_CREAT, 0644));

	while (size > 0) {
		CHECK_EQ(write(fd, buffer, sizeof(buffer)), sizeof(buffer));
		size -= (long)sizeof(buffer);
	}
	OK(close(fd));
}

/* All file systems in memory share the room. */
static void disk_ends(void)
{
	int fd, memfd = OK(memfd_create("memory", 0));
	unsigned long pages = 3 * MIB / PAGE;

	check_statfs("/", 0);
	fill("/tmp/one", 3 * MIB);
	fill("/dev/shm/two", 3 * MIB);
	fill("/var/three", 3 * MIB);
	check_statfs("/", 3 * pages);
	check_statfs("/tmp", 3 * pages);
	check_statfs("/dev/shm", 3 * pages);
	CHECK_EQ(pwrite(memfd, "x", 1, 0), 1); /* memory, not disk */
	check_statfs("/", 3 * pages);
	fd = OK(open("/dev/shm/four", O_RDWR | O_CREAT, 0644));
	FAILS(fallocate(fd, 0, 0, 2 * MIB), ENOSPC);
	OK(ftruncate(fd, 2 * MIB)); /* a hole needs no room */
	for (unsigned long n = 0; n < MIB / PAGE; n++)
		CHECK_EQ(pwrite(fd, "x", 1, (off_t)(n * PAGE)), 1);
	FAILS(pwrite(fd, "x", 1, MIB), ENOSPC);
	FAILS(open("/tmp/large", O_WRONLY | O_CREAT | O_TRUNC, 0644) < 0 ? -1
									 : pwrite(fd, "x", 1, MIB),
	      ENOSPC);
	OK(unlink("/tmp/large"));
	OK(ftruncate(fd, 0));
	CHECK_EQ(pwrite(fd, "x", 1, 0), 1);
	OK(close(fd));
	OK(unlink("/dev/shm/four"));
	OK(unlink("/dev/shm/two"));
	OK(unlink("/tmp/one"));
	OK(unlink("/var/three"));
	check_statfs("/", 0);
	OK(close(memfd));
}

static unsigned long inodes_free(void)
{
	struct statfs s;

	OK(statfs("/tmp", &s));
	return (unsigned long)s.f_ffree;
}

static void inodes_end(void)
{
	unsigned long before, n = 0;
	char name[32], link_name[32];

	OK(mkdir("/tmp/many", 0755));
	OK(chdir("/tmp/many"));
	before = inodes_free();
	for (;; n++) {
		snprintf(name, sizeof(name), "%lu", n);
		if (mknod(name, S_IFREG | 0644, 0) < 0)
			break;
	}
	CHECK_EQ(errno, ENOSPC);
	CHECK_EQ(n, before);
	CHECK_EQ(inodes_free(), 0);
	FAILS(symlink("x", "link"), ENOSPC);
	FAILS(mkdir("directory", 0755), ENOSPC);
	FAILS(link("0", "link"), ENOSPC);
	FAILS(chmod("/usr", 0700), ENOSPC); /* a host file that would have to be kept in memory */
	FAILS(open(".", O_TMPFILE | O_RDWR, 0600), ENOSPC);
	OK(rename("0", "link")); /* needs none */
	OK(rename("link", "0"));
	while (n > 10) {
		snprintf(name, sizeof(name), "%lu", --n);
		OK(unlink(name));
	}
	for (int i = 0; i < 20; i++) {
		snprintf(link_name, sizeof(link_name), "link%d", i);
		OK(link("5", link_name));
	}
	CHECK_EQ(inodes_free(), before - 30);
	for (int i = 0; i < 20; i++) {
		snprintf(link_name, sizeof(link_name), "link%d", i);
		OK(unlink(link_name));
	}
	while (n--) {
		snprintf(name, sizeof(name), "%lu", n);
		OK(unlink(name));
	}
	CHECK_EQ(inodes_free(), before);
	OK(chdir("/"));
	OK(rmdir("/tmp/many"));
}

static void file_size_ends(void)
{
	int fd = OK(open("/tmp/file", O_WRONLY | O_CREAT, 0644));

	signal(SIGXFSZ, SIG_IGN);
	CHECK_EQ(pwrite(fd, "01234567", 8, 3 * MIB - 4), 4);
	FAILS(pwrite(fd, "x", 1, 3 * MIB), EFBIG);
	FAILS(ftruncate(fd, 3 * MIB + 1), EFBIG);
	OK(unlink("/tmp/file"));
	OK(close(fd));
}

int main(void)
{
	inside_only();
	if (getuid() != 0)
		return 0; /* what root may do is the question */
	memory_is_shown();
	rlimits_are_shown();
	file_size_ends();
	files_end();
	processes_end();
	disk_ends();
	inodes_end();
	return 0;
}
