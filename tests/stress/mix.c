/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mix SECONDS CPUS PROGRAM...: everything at once in one sandbox, inside only.
 *
 * Lanes run the PROGRAMs (tests/guest) in random order; others fork, execute, make threads and map memory under each other's feet. What a
 * program says is not judged under such load, but none may end by a signal or not at all. When the time is up the kernel's memory is what
 * it was after a first pass, but for what caches may hold.
 */
#include <dirent.h>
#include <pthread.h>

#include "guest/inside.h"
#include "stress/use.h"

#define PROGRAM_SECONDS 120
/* The memory file system's names of scratch directories, tables that grew: the same for a minute and for an hour. */
#define PAGES_MORE      256
#define OBJECTS_MORE    256

static char **programs;
static int nr_programs;
static int64_t end_ns;
static volatile long *steps;

static unsigned long chance(unsigned long n)
{
	static __thread unsigned long state;

	if (!state)
		state = (unsigned long)gettid() * 0x9e3779b97f4a7c15u;
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (state >> 33) % n;
}

static bool time_left(void)
{
	return now_ns(CLOCK_MONOTONIC) < end_ns;
}

/* ---- programs ---- */

static void silence(void)
{
	int fd = open("/dev/null", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

static bool ended_within(pid_t pid, int seconds, int *ret_status)
{
	int64_t end = now_ns(CLOCK_MONOTONIC) + seconds * INT64_C(1000000000);

	while (now_ns(CLOCK_MONOTONIC) < end) {
		if (waitpid(pid, ret_status, WNOHANG) == pid)
			return true;
		sleep_ms(2);
	}
	return false;
}

static void run_program(const char *path)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0) {
		setsid();
		silence();
		execl(path, path, (char *)NULL);
		_exit(127);
	}
	if (!ended_within(pid, PROGRAM_SECONDS, &status)) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		FAIL("%s: no end within %d s", path, PROGRAM_SECONDS);
	}
	if (WIFSIGNALED(status))
		FAIL("%s: ended by signal %d", path, WTERMSIG(status));
	if (WEXITSTATUS(status))
		say("# %s: exit status %d\n", path, WEXITSTATUS(status));
}

static int programs_lane(void *arg)
{
	(void)arg;
	for (; time_left(); ++steps[0])
		run_program(programs[chance((unsigned long)nr_programs)]);
	return 0;
}

/* ---- churn ---- */

static int end_now(void *arg)
{
	return (int)(intptr_t)arg;
}

static void *touch(void *arg)
{
	for (int i = 0; i < 200; i++)
		((volatile char *)arg)[chance(64) * PAGE] = 1;
	return NULL;
}

static void on_fault(int sig)
{
	(void)sig;
	pthread_exit(NULL);
}

/* Threads store into memory that is protected, dropped and unmapped meanwhile. */
static int race(void *arg)
{
	char *p = map_pages(64, PROT_READ | PROT_WRITE);
	pthread_t t[3];

	(void)arg;
	handle(SIGSEGV, on_fault, SA_NODEFER);
	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, touch, p), 0);
	for (int i = 0; i < 20; i++) {
		char *at = p + chance(60) * PAGE;

		mprotect(at, 4 * PAGE, chance(2) ? PROT_READ : PROT_READ | PROT_WRITE);
		madvise(at, PAGE, MADV_DONTNEED);
		if (chance(8) == 0)
			mmap(at, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	munmap(p, 64 * PAGE);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	return 0;
}

static int killed_soon(void *arg)
{
	(void)arg;
	for (;;) {
		if (chance(100) == 0 && fork() == 0)
			_exit(0);
	}
	return 0;
}

static int churn_lane(void *arg)
{
	(void)arg;
	for (; time_left(); ++steps[1]) {
		pid_t pid;

		wait_for(spawn(end_now, NULL));
		wait_ok(spawn(race, NULL));
		pid = spawn(killed_soon, NULL);
		sleep_ms((long)chance(3));
		OK(kill(pid, SIGKILL));
		CHECK_EQ(WTERMSIG(wait_for(pid)), SIGKILL);
		pid = vfork();
		if (pid == 0) {
			execl("/bin/true", "true", (char *)NULL);
			_exit(1);
		}
		wait_ok(pid);
	}
	return 0;
}

/* ---- all ---- */

static void all_lanes(int seconds, int cpus)
{
	pid_t pids[64];
	int n = 0;

	end_ns = now_ns(CLOCK_MONOTONIC) + seconds * INT64_C(1000000000);
	for (int i = 0; i < cpus && n < 60; i++) {
		pids[n++] = spawn(programs_lane, NULL);
		pids[n++] = spawn(churn_lane, NULL);
	}
	for (int i = 0; i < n; i++)
		wait_ok(pids[i]);
}

/* The build directory may be below /tmp. */
static bool holds_programs(const char *path)
{
	size_t n = strlen(path);

	return strncmp(programs[0], path, n) == 0 && programs[0][n] == '/';
}

static void remove_scratch(void)
{
	DIR *d = opendir("/tmp");
	struct dirent *e;

	CHECK(d);
	while ((e = readdir(d))) {
		char path[300];

		snprintf(path, sizeof(path), "/tmp/%s", e->d_name);
		if (e->d_name[0] != '.' && !holds_programs(path))
			nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
	closedir(d);
}

int main(int argc, char **argv)
{
	struct use before, after;
	int seconds;

	inside_only();
	if (argc < 4)
		return 2;
	seconds = atoi(argv[1]);
	programs = argv + 3;
	nr_programs = argc - 3;
	steps = map_shared(1);
	for (int i = 0; i < nr_programs; i++)
		run_program(programs[i]);
	all_lanes(1, atoi(argv[2]));
	remove_scratch();
	before = use_now();
	say("mix warm\n");
	all_lanes(seconds, atoi(argv[2]));
	remove_scratch();
	after = use_now();
	say("mix done: %ld programs, %ld rounds of churn, %ld pages more\n", steps[0], steps[1],
	    after.pages - before.pages);
	CHECK(after.pages <= before.pages + PAGES_MORE);
	for (int i = 0; i < USE_CLASSES; i++)
		if (after.objects[i] > before.objects[i] + OBJECTS_MORE)
			FAIL("class %d: %ld objects, before %ld", i, after.objects[i],
			     before.objects[i]);
	return 0;
}
