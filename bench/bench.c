/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench [--rounds N | --ms N | --ticks] OPERATION...   |   bench --list | --idle
 *
 * Measures small operations of the system it runs on and prints one JSON object a line:
 * {"op": "getpid", "rounds": 100000, "ns": 120000, "ns_per_op": 1.2}. With --ms (default 200) it chooses the number of
 * rounds so that an operation takes about that long, and prints the best of three. --rounds fixes the number, so that
 * runs can be compared by counters. Untimed rounds come first.
 *
 * --ticks prints TSC ticks an operation instead, "ticks_per_op": those of 2N rounds less those of N, each the least of
 * several runs, so that what comes once (a fork, a mapping) and interrupts are not in it. Where the TSC counts
 * instructions (lab run --icount) that is how many instructions an operation takes, kernel and all, the same every time.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE          4096ul
#define FAULT_PAGES   256ul
#define TICKS_REPEATS 12

struct operation {
	const char *name, *what;
	long warm;  /* untimed rounds */
	long first; /* rounds of the first estimate */
	long ticks; /* N of --ticks */
	void (*run)(long rounds);
	uint64_t (*run_ticks)(
		void); /* instead of run() for --ticks: takes them itself, of N rounds */
};

static char self[4096];
/* Set by operations with a long beginning and end: the TSC ticks of what lies between. */
static uint64_t loop_ticks;

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static inline uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc; lfence" : "=a"(low), "=d"(high) : : "memory");
	return (uint64_t)high << 32 | low;
}

static void run_getpid(long rounds)
{
	while (rounds--)
		syscall(SYS_getpid);
}

/* Like getpid in what it does, but not among the calls that Ringfence's entry answers by itself. */
static void run_getpgid(long rounds)
{
	while (rounds--)
		syscall(SYS_getpgid, 0);
}

static void run_clock(long rounds)
{
	struct timespec ts;

	while (rounds--)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}

/* A round is one first touch of a page; FAULT_PAGES of them share a mapping. */
static void run_fault(long rounds)
{
	while (rounds > 0) {
		char *p = mmap(NULL, FAULT_PAGES * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		for (size_t i = 0; i < FAULT_PAGES && rounds > 0; i++, rounds--)
			*(volatile char *)(p + i * PAGE) = 1;
		munmap(p, FAULT_PAGES * PAGE);
	}
}

/* First touches of the pages of a mapping, without mmap, munmap and giving the pages back. */
static uint64_t touch_ticks(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);
	uint64_t start;

	if (p == MAP_FAILED)
		die("mmap");
	start = tsc();
	for (size_t i = 0; i < pages; i++)
		*(volatile char *)(p + i * PAGE) = 1;
	start = tsc() - start;
	munmap(p, pages * PAGE);
	return start;
}

static void run_touch(long rounds)
{
	while (rounds-- > 0)
		touch_ticks(1);
}

static uint64_t ticks_fault(void)
{
	return touch_ticks(FAULT_PAGES);
}

static uint64_t ticks_touch(void)
{
	return touch_ticks(1);
}

static void wait_child(pid_t pid)
{
	int status;

	if (pid < 0)
		die("fork");
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("a child");
}

static void run_fork(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		wait_child(pid);
	}
}

static void run_exec(long rounds)
{
	while (rounds--) {
		pid_t pid = fork();

		if (pid == 0) {
			execl(self, "bench", "--nothing", NULL);
			_exit(1);
		}
		wait_child(pid);
	}
}

static void answer(int in, int out)
{
	char c;

	while (read(in, &c, 1) == 1)
		if (write(out, &c, 1) != 1)
			_exit(1);
	_exit(0);
}

/* A child answers every byte; a round is there and back. */
static void run_pipe(long rounds)
{
	int there[2], back[2];
	uint64_t ticks;
	char c = 'x';
	pid_t pid;

	if (pipe(there) < 0 || pipe(back) < 0)
		die("pipe");
	pid = fork();
	if (pid == 0) {
		close(there[1]);
		answer(there[0], back[1]);
	}
	ticks = tsc();
	while (rounds--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe");
	loop_ticks = tsc() - ticks;
	close(there[1]);
	close(there[0]);
	wait_child(pid);
	close(back[0]);
	close(back[1]);
}

static void hand_over(uint32_t *word, uint32_t mine, uint32_t other)
{
	uint32_t seen;

	while ((seen = __atomic_load_n(word, __ATOMIC_SEQ_CST)) != mine)
		syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
	__atomic_store_n(word, other, __ATOMIC_SEQ_CST);
	syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void use_first_cpu(const cpu_set_t *allowed)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
		if (CPU_ISSET(i, allowed))
			CPU_SET(i, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

static void hand_over_yielding(uint32_t *word, uint32_t mine, uint32_t other)
{
	while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != mine)
		syscall(SYS_sched_yield);
	__atomic_store_n(word, other, __ATOMIC_SEQ_CST);
}

/* Two processes on one processor hand a word to each other; a round is there and back, two switches. */
static void ping_pong(long rounds, void (*pass)(uint32_t *word, uint32_t mine, uint32_t other))
{
	uint32_t *word =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cpu_set_t allowed;
	uint64_t ticks;
	pid_t pid;

	if (word == MAP_FAILED || sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		die("ping-pong");
	use_first_cpu(&allowed);
	*word = 1;
	pid = fork();
	if (pid == 0) {
		for (long i = 0; i < rounds; i++)
			pass(word, 2, 1);
		_exit(0);
	}
	ticks = tsc();
	for (long i = 0; i < rounds; i++)
		pass(word, 1, 2);
	loop_ticks = tsc() - ticks;
	wait_child(pid);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	munmap(word, PAGE);
}

static void run_ctxsw(long rounds)
{
	ping_pong(rounds, hand_over);
}

static void run_yield(long rounds)
{
	ping_pong(rounds, hand_over_yielding);
}

/* A file of the host (our own image): its first 4 KiB, again and again. */
static void run_read(long rounds)
{
	static char block[4096];
	int fd = open(self, O_RDONLY);

	if (fd < 0)
		die(self);
	while (rounds--)
		if (pread(fd, block, sizeof(block), 0) != (ssize_t)sizeof(block))
			die("pread");
	close(fd);
}

static void run_open(long rounds)
{
	while (rounds--) {
		int fd = open(self, O_RDONLY);

		if (fd < 0)
			die(self);
		close(fd);
	}
}

static const struct operation operations[] = {
	{ "getpid", "system call round trip", 1000, 1000, 1000, run_getpid, NULL },
	{ "getpgid", "system call that takes the ordinary path", 1000, 1000, 1000, run_getpgid,
	  NULL },
	{ "clock", "clock_gettime", 1000, 1000, 1000, run_clock, NULL },
	{ "fault", "demand-zero fault", 1024, 512, FAULT_PAGES, run_fault, ticks_fault },
	{ "touch", "first touch of a mapping of one page", 100, 100, 1, run_touch, ticks_touch },
	{ "fork", "fork, exit, wait", 10, 5, 3, run_fork, NULL },
	{ "exec", "fork, exec of a static program, wait", 5, 3, 2, run_exec, NULL },
	{ "pipe", "pipe ping-pong of two processes", 20, 20, 10, run_pipe, NULL },
	{ "ctxsw", "futex hand-over and back on one CPU", 20, 20, 10, run_ctxsw, NULL },
	{ "yield", "sched_yield to another process and back on one CPU", 20, 20, 10, run_yield,
	  NULL },
	{ "read", "read of 4 KiB, warm", 50, 100, 20, run_read, NULL },
	{ "open", "open and close of a file", 20, 20, 5, run_open, NULL },
};

static int64_t timed(const struct operation *op, long rounds)
{
	int64_t start = now_ns();

	op->run(rounds);
	return now_ns() - start;
}

/* How many rounds take about @budget nanoseconds: doubled until a tenth of it is reached. */
static long choose_rounds(const struct operation *op, int64_t budget)
{
	for (long rounds = op->first;; rounds *= 2) {
		int64_t ns = timed(op, rounds);

		if (ns >= budget / 10)
			return (long)((double)rounds * (double)budget / (double)ns) + 1;
	}
}

static uint64_t ticks_of(const struct operation *op, long rounds)
{
	uint64_t start = tsc();

	loop_ticks = 0;
	op->run(rounds);
	return loop_ticks ? loop_ticks : tsc() - start;
}

static void measure_ticks(const struct operation *op)
{
	uint64_t one = UINT64_MAX, two = UINT64_MAX;

	op->run(op->warm);
	for (int i = 0; i < TICKS_REPEATS; i++) {
		uint64_t a = op->run_ticks ? 0 : ticks_of(op, op->ticks);
		uint64_t b = op->run_ticks ? op->run_ticks() : ticks_of(op, 2 * op->ticks);

		one = a < one ? a : one;
		two = b < two ? b : two;
	}
	printf("{\"op\": \"%s\", \"ticks_per_op\": %.2f}\n", op->name,
	       (double)(two - one) / (double)op->ticks);
	fflush(stdout);
}

static void measure(const struct operation *op, long rounds, int64_t budget)
{
	int64_t best;

	op->run(op->warm);
	if (rounds >= 0) {
		best = timed(op, rounds);
	} else {
		rounds = choose_rounds(op, budget / 3);
		best = timed(op, rounds);
		for (int i = 0; i < 2; i++) {
			int64_t ns = timed(op, rounds);

			best = ns < best ? ns : best;
		}
	}
	printf("{\"op\": \"%s\", \"rounds\": %ld, \"ns\": %lld, \"ns_per_op\": %.2f}\n", op->name,
	       rounds, (long long)best, rounds ? (double)best / (double)rounds : 0.0);
	fflush(stdout);
}

static const struct operation *find(const char *name)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		if (strcmp(operations[i].name, name) == 0)
			return &operations[i];
	fprintf(stderr, "bench: no operation '%s'; --list names them\n", name);
	exit(2);
}

static void list(void)
{
	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		printf("%s\t%s\n", operations[i].name, operations[i].what);
}

/* For the memory of a sandbox in which nothing happens. */
static void idle(void)
{
	printf("ready\n");
	fflush(stdout);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	long rounds = -1;
	int64_t budget = 200000000;
	int ticks = 0;
	int i = 1;

	if (argc < 2 || strcmp(argv[1], "--nothing") == 0)
		return argc < 2 ? 2 : 0;
	if (strcmp(argv[1], "--list") == 0) {
		list();
		return 0;
	}
	if (strcmp(argv[1], "--idle") == 0)
		idle();
	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("/proc/self/exe");
	for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
		if (strcmp(argv[i], "--ticks") == 0)
			ticks = 1, i--;
		else if (strcmp(argv[i], "--rounds") == 0)
			rounds = atol(argv[i + 1]);
		else if (strcmp(argv[i], "--ms") == 0)
			budget = atol(argv[i + 1]) * 1000000;
		else
			die(argv[i]);
	}
	for (; i < argc; i++)
		if (ticks)
			measure_ticks(find(argv[i]));
		else
			measure(find(argv[i]), rounds, budget);
	return 0;
}
