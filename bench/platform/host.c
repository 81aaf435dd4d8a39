/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's own kernel takes for something comparable, measured in the same run. */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "platform/bench.h"

#define TOUCH_PAGES 256ul

int64_t host_getppid(long rounds)
{
	int64_t start = now_ns();

	while (rounds--)
		syscall(SYS_getppid);
	return now_ns() - start;
}

/* ---- faults ---- */

static void skip_load(int signo, siginfo_t *info, void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2; /* 8b 07: mov (%rdi), %eax */
}

int64_t host_segv(long rounds)
{
	struct sigaction action = { .sa_sigaction = skip_load, .sa_flags = SA_SIGINFO }, old;
	void *nowhere = mmap(NULL, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t start;

	sigaction(SIGSEGV, &action, &old);
	start = now_ns();
	while (rounds--)
		__asm__ volatile(".byte 0x8b, 0x07" : : "D"(nowhere) : "rax", "memory");
	start = now_ns() - start;
	sigaction(SIGSEGV, &old, NULL);
	munmap(nowhere, PAGE);
	return start;
}

int64_t host_touch(long rounds)
{
	int64_t total = 0;

	while (rounds > 0) {
		volatile char *p = mmap(NULL, TOUCH_PAGES * PAGE, PROT_READ | PROT_WRITE,
					MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		int64_t start = now_ns();

		for (size_t i = 0; i < TOUCH_PAGES && rounds > 0; i++, rounds--)
			p[i * PAGE] = 1;
		total += now_ns() - start;
		munmap((void *)p, TOUCH_PAGES * PAGE);
	}
	return total;
}

/* ---- mappings: of a memory file whose pages are there ---- */

static int memory_file(void)
{
	static int fd = -1;
	void *p;

	if (fd >= 0)
		return fd;
	fd = memfd_create("platform-bench", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 512 * PAGE))
		die("memfd");
	p = mmap(NULL, 512 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	munmap(p, 512 * PAGE);
	return fd;
}

static void map_rounds(long rounds, size_t pages, int64_t *ret_map, int64_t *ret_unmap)
{
	int fd = memory_file();

	*ret_map = *ret_unmap = 0;
	while (rounds--) {
		int64_t a = now_ns(), b;
		void *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
			       MAP_SHARED | MAP_POPULATE, fd, 0);

		b = now_ns();
		munmap(p, pages * PAGE);
		*ret_map += b - a;
		*ret_unmap += now_ns() - b;
	}
}

#define MAP_FUNCTIONS(pages)                             \
	int64_t host_map_##pages(long rounds)            \
	{                                                \
		int64_t map, unmap;                      \
                                                         \
		map_rounds(rounds, pages, &map, &unmap); \
		return map;                              \
	}                                                \
	int64_t host_unmap_##pages(long rounds)          \
	{                                                \
		int64_t map, unmap;                      \
                                                         \
		map_rounds(rounds, pages, &map, &unmap); \
		return unmap;                            \
	}
MAP_FUNCTIONS(1)
MAP_FUNCTIONS(512)

int64_t host_protect(long rounds)
{
	volatile char *p =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int64_t total = 0;

	while (rounds--) {
		int64_t start;

		*p = 1;
		start = now_ns();
		mprotect((void *)p, PAGE, PROT_READ);
		total += now_ns() - start;
		mprotect((void *)p, PAGE, PROT_READ | PROT_WRITE);
	}
	munmap((void *)p, PAGE);
	return total;
}

static atomic_bool spinning, spin_stop;
static atomic_long signals_seen;

static void *spin(void *arg)
{
	atomic_store(&spinning, true);
	while (!atomic_load(&spin_stop))
		;
	return NULL;
}

static pthread_t spin_start(void)
{
	pthread_t thread;

	atomic_store(&spinning, false);
	atomic_store(&spin_stop, false);
	if (pthread_create(&thread, NULL, spin, NULL))
		die("pthread_create");
	while (!atomic_load(&spinning))
		sched_yield();
	return thread;
}

static void spin_end(pthread_t thread)
{
	atomic_store(&spin_stop, true);
	pthread_join(thread, NULL);
}

int64_t host_protect_running(long rounds)
{
	pthread_t thread = spin_start();
	int64_t total = host_protect(rounds);

	spin_end(thread);
	return total;
}

/* ---- tasks ---- */

static void see_signal(int signo)
{
	atomic_fetch_add(&signals_seen, 1);
}

int64_t host_signal(long rounds)
{
	struct sigaction action = { .sa_handler = see_signal }, old;
	int64_t total = 0;
	pthread_t thread;

	sigaction(SIGUSR1, &action, &old);
	thread = spin_start();
	while (rounds--) {
		long before = atomic_load(&signals_seen);
		int64_t start = now_ns();

		pthread_kill(thread, SIGUSR1);
		while (atomic_load(&signals_seen) == before)
			sched_yield();
		total += now_ns() - start;
	}
	spin_end(thread);
	sigaction(SIGUSR1, &old, NULL);
	return total;
}

static void hand_over(_Atomic uint32_t *word, uint32_t mine, uint32_t other)
{
	uint32_t seen;

	while ((seen = atomic_load(word)) != mine)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
	atomic_store(word, other);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Two processes on one CPU hand a futex back and forth; a round is one of the two switches. */
int64_t host_process_switch(long rounds)
{
	_Atomic uint32_t *word =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	long pairs = rounds / 2 ? rounds / 2 : 1;
	cpu_set_t allowed, one;
	int64_t start;
	pid_t pid;

	sched_getaffinity(0, sizeof(allowed), &allowed);
	CPU_ZERO(&one);
	CPU_SET((size_t)sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	*word = 1;
	pid = fork();
	if (pid < 0)
		die("fork");
	start = now_ns();
	for (long i = 0; i < pairs; i++)
		hand_over(word, pid ? 1 : 2, pid ? 2 : 1);
	if (!pid)
		_exit(0);
	start = now_ns() - start;
	waitpid(pid, NULL, 0);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	munmap(word, PAGE);
	return start * rounds / (2 * pairs);
}

static void *nothing(void *arg)
{
	return NULL;
}

int64_t host_thread(long rounds)
{
	int64_t start = now_ns();
	pthread_t thread;

	while (rounds--) {
		if (pthread_create(&thread, NULL, nothing, NULL))
			die("pthread_create");
		pthread_join(thread, NULL);
	}
	return now_ns() - start;
}

int64_t host_fork(long rounds)
{
	int64_t start = now_ns();

	while (rounds--) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return now_ns() - start;
}
