/* SPDX-License-Identifier: Apache-2.0 */
/* RLIMIT_CPU, RLIMIT_STACK, RLIMIT_DATA and, of another user, RLIMIT_NPROC, RLIMIT_MEMLOCK and RLIMIT_SIGPENDING hold. */
#include <pthread.h>
#include <sys/resource.h>

#include "guest/guest.h"

static volatile sig_atomic_t *warnings;

static void limit(int which, rlim_t soft, rlim_t hard)
{
	const struct rlimit l = { soft, hard };

	OK(setrlimit(which, &l));
}

static void warned(int sig)
{
	(void)sig;
	++*warnings;
}

static int spin(void *arg)
{
	(void)arg;
	for (volatile unsigned long n = 0;; n++)
		;
	return 0;
}

/* The limit of a process that was forked under it, not set by it. */
static int forked_under_limit(void *arg)
{
	int status;

	(void)arg;
	limit(RLIMIT_CPU, 1, 2);
	handle(SIGXCPU, warned, SA_RESTART);
	status = wait_for(spawn(spin, NULL));
	CHECK(WIFSIGNALED(status));
	say("CPU: %d warning, then signal %d\n", (int)*warnings, WTERMSIG(status));
	return 0;
}

static int spin_to_soft_limit(void *arg)
{
	(void)arg;
	limit(RLIMIT_CPU, 1, RLIM_INFINITY);
	return spin(NULL);
}

static __attribute__((noinline)) int use_stack(int left)
{
	volatile char frame[4096];

	frame[0] = (char)left;
	frame[4095] = 1;
	return left ? use_stack(left - 1) + frame[0] : frame[4095];
}

static int deep(void *arg)
{
	limit(RLIMIT_STACK, 1 << 20, RLIM_INFINITY);
	return use_stack(*(int *)arg) == 0;
}

static int data(void *arg)
{
	(void)arg;
	limit(RLIMIT_DATA, 4 << 20, RLIM_INFINITY);
	FAILS(mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	      ENOMEM);
	FAILS(sbrk(8 << 20), ENOMEM);
	CHECK(mmap(NULL, 8 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) !=
	      MAP_FAILED);
	CHECK(mmap(NULL, 8 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
	return 0;
}

static void *nothing(void *arg)
{
	return arg;
}

static int sleeper(void *arg)
{
	(void)arg;
	pause();
	return 0;
}

/* With a user id that nobody else has. */
static void become(uid_t uid)
{
	OK(setresgid(uid, uid, uid));
	OK(setresuid(uid, uid, uid));
}

static int processes(void *arg)
{
	pthread_t thread;
	pid_t first;

	(void)arg;
	limit(RLIMIT_NPROC, 2, 2);
	become(61234);
	first = OK(spawn(sleeper, NULL));
	FAILS(fork(), EAGAIN);
	CHECK_EQ(pthread_create(&thread, NULL, nothing, NULL), EAGAIN);
	OK(kill(first, SIGKILL));
	wait_for(first);
	OK(pthread_create(&thread, NULL, nothing, NULL));
	CHECK_EQ(pthread_join(thread, NULL), 0);
	FAILS(setrlimit(RLIMIT_NPROC, &(struct rlimit){ 3, 3 }), EPERM);
	return 0;
}

static int locked(void *arg)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE);

	(void)arg;
	limit(RLIMIT_MEMLOCK, 2 * PAGE, 2 * PAGE);
	become(61235);
	OK(mlock(p, 2 * PAGE));
	FAILS(mlock(p, 3 * PAGE), ENOMEM);
	OK(munlock(p, 2 * PAGE));
	FAILS(mlockall(MCL_CURRENT), ENOMEM);
	FAILS(mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0),
	      EAGAIN);
	limit(RLIMIT_MEMLOCK, 0, 2 * PAGE);
	FAILS(mlock(p, PAGE), EPERM);
	return 0;
}

static int queued(void *arg)
{
	const union sigval value = { .sival_int = 1 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN };
	const struct timespec none = { 0 };
	sigset_t set = set_of(SIGRTMIN);
	siginfo_t info;
	timer_t timer;

	(void)arg;
	limit(RLIMIT_SIGPENDING, 3, 3);
	become(61236);
	block(SIGRTMIN);
	for (int i = 0; i < 3; i++)
		OK(sigqueue(getpid(), SIGRTMIN, value));
	FAILS(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
	FAILS(timer_create(CLOCK_MONOTONIC, &event, &timer), EAGAIN);
	block(SIGUSR1);
	OK(kill(getpid(), SIGUSR1)); /* goes beyond the limit, and counts */
	OK(sigtimedwait(&set, NULL, &none));
	FAILS(timer_create(CLOCK_MONOTONIC, &event, &timer), EAGAIN);
	set = set_of(SIGUSR1);
	OK(sigtimedwait(&set, &info, &none));
	CHECK_EQ(info.si_pid, getpid());
	OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
	FAILS(sigqueue(getpid(), SIGRTMIN, value), EAGAIN);
	OK(timer_delete(timer));
	OK(sigqueue(getpid(), SIGRTMIN, value));
	return 0;
}

static int sizes(void *arg)
{
	int fd = OK(open("file", O_RDWR | O_CREAT, 0644));

	(void)arg;
	signal(SIGXFSZ, SIG_IGN);
	limit(RLIMIT_FSIZE, 10000, 20000);
	OK(ftruncate(fd, 10000));
	FAILS(ftruncate(fd, 10001), EFBIG);
	FAILS(fallocate(fd, 0, 0, 10001), EFBIG);
	OK(fallocate(fd, 0, 0, 10000));
	CHECK_EQ(pwrite(fd, "0123456789", 10, 9995), 5);
	FAILS(pwrite(fd, "0", 1, 10000), EFBIG);
	limit(RLIMIT_FSIZE, 20000, 20000);
	CHECK_EQ(pwrite(fd, "0", 1, 10000), 1);
	return 0;
}

int main(void)
{
	int shallow = 100, too_deep = 600;
	struct rlimit l = { 1000, 2000 };

	warnings = map_shared(1);
	scratch();
	wait_ok(spawn(forked_under_limit, NULL));
	say("CPU: signal %d\n", WTERMSIG(wait_for(spawn(spin_to_soft_limit, NULL))));
	wait_ok(spawn(deep, &shallow));
	say("stack: signal %d\n", WTERMSIG(wait_for(spawn(deep, &too_deep))));
	wait_ok(spawn(data, NULL));
	wait_ok(spawn(sizes, NULL));
	OK(setrlimit(RLIMIT_MSGQUEUE, &l));
	OK(getrlimit(RLIMIT_MSGQUEUE, &l));
	CHECK(l.rlim_cur == 1000 && l.rlim_max == 2000);
	if (getuid() != 0)
		return 0; /* another user is out of reach */
	wait_ok(spawn(processes, NULL));
	wait_ok(spawn(locked, NULL));
	wait_ok(spawn(queued, NULL));
	say("other users: ok\n");
	return 0;
}
