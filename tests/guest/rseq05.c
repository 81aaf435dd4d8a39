/* SPDX-License-Identifier: Apache-2.0 */
/* rseq: a fork's child inherits the registration, a thread and a vfork's child don't, a new program starts without. */
#include "guest/rseq.h"

static struct rseq other __attribute__((aligned(32)));
static char stack[65536] __attribute__((aligned(64)));

/* Not registered: unregistering fails, registering works. Runs without the C library's thread data of its own. */
static int thread_without(void *flags)
{
	long r = syscall(SYS_rseq, rseq_area(), 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG);

	(void)flags;
	if (r != -1 || errno != EINVAL)
		return 1;
	if (syscall(SYS_rseq, &other, 32, 0, RSEQ_SIG) != 0 || other.cpu_id > 4096)
		return 2;
	return 0;
}

static int child_of_fork(void *arg)
{
	(void)arg;
	FAILS(rseq_call(rseq_area(), 32, 0, RSEQ_SIG), EBUSY);
	CHECK(rseq_cpu() < 4096);
	sleep_ms(1);
	CHECK(rseq_cpu() < 4096);
	rseq_release();
	return 0;
}

static void *thread(void *arg)
{
	/* The C library has registered this thread, in its own area. */
	CHECK(rseq_cpu() < 4096);
	FAILS(rseq_call(rseq_area(), 32, 0, RSEQ_SIG), EBUSY);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t t;
	pid_t pid;

	if (argc >
	    1) { /* the new program: its C library has registered it again, nothing of the old one is left */
		CHECK(rseq_cpu() < 4096);
		FAILS(rseq_call(rseq_area(), 32, 0, RSEQ_SIG), EBUSY);
		rseq_release();
		say("executed\n");
		return 0;
	}
	wait_ok(spawn(child_of_fork, NULL));
	/* The child's unregistration is its own. */
	FAILS(rseq_call(rseq_area(), 32, 0, RSEQ_SIG), EBUSY);
	pid = OK(clone(thread_without, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	wait_ok(pid);
	pid = OK(clone(thread_without, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		       NULL));
	wait_ok(pid);
	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
	CHECK_EQ(pthread_join(t, NULL), 0);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		execv("/proc/self/exe", ARGS(argv[0], "again"));
	wait_ok(pid);
	/* A registration elsewhere does not survive either. */
	rseq_release();
	OK(rseq_call(&other, 32, 0, 0x1234));
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		execv("/proc/self/exe", ARGS(argv[0], "again"));
	wait_ok(pid);
	say("ok\n");
	return 0;
}
