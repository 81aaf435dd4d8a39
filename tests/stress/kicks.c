/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kicks [--seconds N] [KICKS]: what must interrupt or wake another CPU does, at any phase of what it runs, and not one is lost.
 *
 * Each family has threads that mostly spin, so that a kick finds them in user code, on the way in, on the way out, queued or asleep by
 * chance. It counts exactly: every signal sent arrives once and in order, every timer armed fires once, every wake-up wakes, no store
 * passes a membarrier or an mprotect. KICKS (20000) are shared by the families; with --seconds they go on until then. Without progress
 * for a minute the program fails and says where it stands. Runs on the host as well.
 */
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>

#include "guest/guest.h"

#define STUCK_SECONDS 60
#define SIGNAL_AHEAD  24 /* queued at most, below any RLIMIT_SIGPENDING */
#define SIG_QUEUED    SIGRTMIN
#define SIG_TIMER     (SIGRTMIN + 1)

struct family {
	const char *name;
	void *(*threads[3])(void *);
	volatile uint64_t done; /* kicks seen by whom they were for */
};

static uint64_t share = 4000;
static volatile bool time_is_up, timed;
static struct family families[];
enum { SIGNALS, TIMERS, FUTEXES, BARRIERS, PROTECTIONS, FAMILIES };

/* ---- chance ---- */

static __thread uint64_t chance_state;

static uint64_t chance(uint64_t n)
{
	uint64_t x;

	if (!chance_state)
		chance_state = (uint64_t)gettid() * 0x9e3779b97f4a7c15u;
	chance_state ^= chance_state << 13;
	chance_state ^= chance_state >> 7;
	chance_state ^= chance_state << 17;
	x = chance_state;
	return x % n;
}

/* From nothing to some ten microseconds, short ones more often. */
static void spin_a_while(void)
{
	uint64_t n = 1ull << chance(15);

	/* No PAUSE: where one thread emulates all CPUs, it hands the others a whole turn. */
	for (uint64_t i = chance(n); i > 0; i--)
		__asm__ volatile("");
}

static bool more(uint64_t done)
{
	return timed ? !time_is_up : done < share;
}

/* ---- signals: each arrives once, in order ---- */

static volatile pid_t signal_target;
static volatile uint64_t signals_sent;
static volatile bool signals_end;

static void on_queued(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	CHECK_EQ((uintptr_t)info->si_value.sival_ptr, families[SIGNALS].done);
	families[SIGNALS].done++;
}

static void *signal_spinner(void *arg)
{
	signal_target = gettid();
	while (!signals_end || families[SIGNALS].done < signals_sent)
		spin_a_while();
	return arg;
}

static void signal_send(uint64_t value)
{
	siginfo_t info = { .si_signo = SIG_QUEUED, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_ptr = (void *)(uintptr_t)value;
	while (syscall(SYS_rt_tgsigqueueinfo, getpid(), signal_target, SIG_QUEUED, &info) < 0) {
		CHECK_EQ(errno, EAGAIN);
		sched_yield();
	}
}

static void *signal_sender(void *arg)
{
	while (!signal_target)
		sched_yield();
	while (more(signals_sent)) {
		signal_send(signals_sent);
		signals_sent++;
		spin_a_while();
		while (signals_sent > families[SIGNALS].done + SIGNAL_AHEAD)
			sched_yield();
	}
	signals_end = true;
	return arg;
}

/* ---- timers: each fires once ---- */

static timer_t timer;

static void timer_arm(void)
{
	struct itimerspec soon = { .it_value = { 0, 1 + (long)chance(300000) } };

	OK(timer_settime(timer, 0, &soon, NULL));
}

static void on_timer(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	CHECK_EQ(info->si_overrun, 0);
	if (more(++families[TIMERS].done))
		timer_arm();
}

static void *timer_spinner(void *arg)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIG_TIMER };

	event._sigev_un._tid = gettid();
	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	timer_arm();
	while (more(families[TIMERS].done))
		spin_a_while();
	return arg;
}

/* ---- futexes: each wake-up wakes ---- */

static uint32_t turn;

static void turn_take(uint32_t mine)
{
	uint32_t now;

	while ((now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE)) % 2 != mine)
		if (syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, now, NULL) < 0)
			CHECK(errno == EAGAIN || errno == EINTR);
}

static void turn_pass(void)
{
	__atomic_add_fetch(&turn, 1, __ATOMIC_RELEASE);
	OK(syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1));
}

static volatile bool futexes_end;

static void *futex_first(void *arg)
{
	do {
		turn_take(0);
		families[FUTEXES].done++;
		spin_a_while();
		futexes_end = !more(families[FUTEXES].done);
		turn_pass();
	} while (!futexes_end);
	return arg;
}

static void *futex_second(void *arg)
{
	for (turn_take(1); !futexes_end; turn_take(1)) {
		spin_a_while();
		turn_pass();
	}
	return arg;
}

/* ---- membarrier: of two threads that each store, then load the other's, one sees it ---- */

static volatile uint64_t barrier_round[2];
static volatile uint32_t flag_fast, flag_slow, seen_fast, seen_slow;
static volatile bool barriers_end;

/* Both come to the start of round n. */
static bool barrier_meet(int mine, uint64_t n)
{
	barrier_round[mine] = n;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while (barrier_round[!mine] < n && !barriers_end)
		if (chance(64) == 0)
			sched_yield();
	return barrier_round[!mine] >= n;
}

/* The fast side has no barrier but the compiler's. */
static void *barrier_fast(void *arg)
{
	for (uint64_t n = 1; barrier_meet(0, 2 * n - 1); n++) {
		for (uint64_t i = chance(64); i > 0; i--)
			__asm__ volatile("pause");
		flag_fast = 1;
		__asm__ volatile("" ::: "memory");
		seen_fast = flag_slow;
		if (!barrier_meet(0, 2 * n))
			break;
	}
	return arg;
}

static void *barrier_slow(void *arg)
{
	uint64_t n;

	OK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
	for (n = 1; more(families[BARRIERS].done); n++) {
		flag_fast = flag_slow = 0;
		barrier_meet(1, 2 * n - 1);
		flag_slow = 1;
		OK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
		seen_slow = flag_fast;
		barrier_meet(1, 2 * n);
		if (!seen_fast && !seen_slow)
			FAIL("round %lu: neither thread saw the other's store", n);
		families[BARRIERS].done++;
	}
	barriers_end = true;
	return arg;
}

/* ---- mprotect: after its return no CPU writes ---- */

static volatile uint64_t *volatile guarded;
static volatile bool writable, protections_end;

static void on_fault(int sig, siginfo_t *info, void *context)
{
	(void)context;
	if (info->si_addr != (void *)guarded && info->si_addr != (void *)(guarded + 8))
		FAIL("signal %d at %p", sig, info->si_addr);
	while (!writable && !protections_end)
		sched_yield();
}

static void write_until_end(volatile uint64_t *word)
{
	while (!protections_end)
		++*word;
}

static void *writer_first(void *arg)
{
	while (!guarded)
		sched_yield();
	write_until_end(guarded);
	return arg;
}

static void *writer_second(void *arg)
{
	while (!guarded)
		sched_yield();
	write_until_end(guarded + 8);
	return arg;
}

static void *protector(void *arg)
{
	volatile uint64_t *page = map_pages(1, PROT_READ | PROT_WRITE);
	uint64_t first, second;

	handle_info(SIGSEGV, on_fault, 0);
	writable = true;
	guarded = page;
	while (more(families[PROTECTIONS].done)) {
		spin_a_while();
		writable = false;
		OK(mprotect((void *)page, PAGE, PROT_READ));
		first = page[0];
		second = page[8];
		spin_a_while();
		if (page[0] != first || page[8] != second)
			FAIL("round %lu: a store after mprotect(2)", families[PROTECTIONS].done);
		OK(mprotect((void *)page, PAGE, PROT_READ | PROT_WRITE));
		writable = true;
		families[PROTECTIONS].done++;
	}
	protections_end = true;
	return arg;
}

/* ---- all of it ---- */

static struct family families[FAMILIES] = {
	[SIGNALS] = { "signals", { signal_spinner, signal_sender }, 0 },
	[TIMERS] = { "timers", { timer_spinner }, 0 },
	[FUTEXES] = { "futexes", { futex_first, futex_second }, 0 },
	[BARRIERS] = { "barriers", { barrier_fast, barrier_slow }, 0 },
	[PROTECTIONS] = { "protections", { writer_first, writer_second, protector }, 0 },
};

static unsigned threads_left;

static void *thread_main(void *fn)
{
	((void *(*)(void *))(uintptr_t)fn)(NULL);
	__atomic_sub_fetch(&threads_left, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void start(void)
{
	pthread_t t;

	for (int f = 0; f < FAMILIES; f++) {
		for (int i = 0; i < 3 && families[f].threads[i]; i++) {
			__atomic_add_fetch(&threads_left, 1, __ATOMIC_SEQ_CST);
			CHECK_EQ(pthread_create(&t, NULL, thread_main,
						(void *)(uintptr_t)families[f].threads[i]),
				 0);
		}
	}
}

static void report(void)
{
	for (int f = 0; f < FAMILIES; f++)
		say("# %s: %lu\n", families[f].name, families[f].done);
}

/* Which families have gone on since the last call, as bits; those whose share is done count with the others. */
static unsigned progress(void)
{
	static uint64_t last[FAMILIES];
	unsigned bits = 0, complete = 0;

	for (int f = 0; f < FAMILIES; f++) {
		if (families[f].done != last[f])
			bits |= 1u << f;
		else if (!more(families[f].done))
			complete |= 1u << f;
		last[f] = families[f].done;
	}
	return bits ? bits | complete : 0;
}

static void supervise(int64_t end)
{
	const unsigned all = (1u << FAMILIES) - 1;
	int64_t since = now_ns(CLOCK_MONOTONIC);
	unsigned seen = 0;

	while (__atomic_load_n(&threads_left, __ATOMIC_SEQ_CST)) {
		int64_t now = now_ns(CLOCK_MONOTONIC);

		if (timed && now > end)
			time_is_up = true;
		seen |= progress();
		if (seen == all) {
			since = now;
			seen = 0;
		} else if (now - since > STUCK_SECONDS * INT64_C(1000000000)) {
			report();
			FAIL("stuck for %d s, families that went on: %#x", STUCK_SECONDS, seen);
		}
		sleep_ms(20);
	}
}

int main(int argc, char **argv)
{
	int64_t end = 0;

	if (argc > 2 && strcmp(argv[1], "--seconds") == 0) {
		timed = true;
		end = now_ns(CLOCK_MONOTONIC) + atoi(argv[2]) * INT64_C(1000000000);
	} else if (argc > 1) {
		share = strtoul(argv[1], NULL, 0) / FAMILIES + 1;
	}
	handle_info(SIG_QUEUED, on_queued, SA_RESTART);
	handle_info(SIG_TIMER, on_timer, SA_RESTART);
	start();
	supervise(end);
	report();
	CHECK_EQ(families[SIGNALS].done, signals_sent);
	for (int f = 0; f < FAMILIES; f++)
		CHECK(timed ? families[f].done > 0 : families[f].done >= share);
	say("ok\n");
	return 0;
}
