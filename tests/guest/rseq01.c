/* SPDX-License-Identifier: Apache-2.0 */
/* rseq(2): what is refused, what registration and unregistration write. */
#include "guest/rseq.h"

#define SIG 0x12345678u

static struct rseq own[2] __attribute__((aligned(64)));

static void refused_registrations(void)
{
	FAILS(rseq_call(&own[0], 32, 2, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 32, RSEQ_FLAG_UNREGISTER | 4, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 31, 0, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 20, 0, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 0, 0, SIG), EINVAL);
	FAILS(rseq_call((char *)own + 8, 32, 0, SIG), EINVAL);
	FAILS(rseq_call((char *)own + 16, 32, 0, SIG), EINVAL);
	FAILS(rseq_call((void *)-32ul, 32, 0, SIG), EFAULT);
	FAILS(rseq_call(&own[0], 32, RSEQ_FLAG_UNREGISTER, SIG), EINVAL);
	FAILS(rseq_call(NULL, 32, RSEQ_FLAG_UNREGISTER, SIG), EINVAL);
}

static void refused_while_registered(void)
{
	FAILS(rseq_call(&own[0], 32, 0, SIG), EBUSY);
	FAILS(rseq_call(&own[0], 32, 0, SIG + 1), EPERM);
	FAILS(rseq_call(&own[1], 32, 0, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 16, 0, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 32, 2, SIG), EINVAL);
	FAILS(rseq_call(&own[1], 32, RSEQ_FLAG_UNREGISTER, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 16, RSEQ_FLAG_UNREGISTER, SIG), EINVAL);
	FAILS(rseq_call(&own[0], 32, RSEQ_FLAG_UNREGISTER, SIG + 1), EPERM);
}

/* Linux 6.1 finds out on the way back from the call, when it writes; newer ones in the call. */
static int register_nowhere(void *arg)
{
	(void)arg;
	FAILS(rseq_call((char *)bad_address() + 24, 32, 0, SIG), EFAULT);
	return SIGSEGV;
}

int main(void)
{
	int status;

	/* The C library has registered this thread. */
	CHECK_EQ(__rseq_size >= 20, 1);
	CHECK(rseq_cpu() < 4096);
	CHECK_EQ(rseq_area()->cpu_id_start, rseq_cpu());
	FAILS(rseq_call(rseq_area(), 32, 0, RSEQ_SIG), EBUSY);
	rseq_release();
	CHECK_EQ(rseq_area()->cpu_id, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED);
	CHECK_EQ(rseq_area()->cpu_id_start, 0);
	refused_registrations();

	own[0].cpu_id = (uint32_t)RSEQ_CPU_ID_UNINITIALIZED;
	own[0].cpu_id_start = 77777;
	OK(rseq_call(&own[0], 32, 0, SIG));
	CHECK(own[0].cpu_id < 4096);
	CHECK_EQ(own[0].cpu_id_start, own[0].cpu_id);
	refused_while_registered();
	OK(rseq_call(&own[0], 32, RSEQ_FLAG_UNREGISTER, SIG));
	CHECK_EQ(own[0].cpu_id, (uint32_t)RSEQ_CPU_ID_UNINITIALIZED);
	CHECK_EQ(own[0].cpu_id_start, 0);
	OK(rseq_call(&own[1], 32, 0, SIG + 1));
	OK(rseq_call(&own[1], 32, RSEQ_FLAG_UNREGISTER, SIG + 1));
	status = wait_for(spawn(register_nowhere, NULL));
	CHECK_EQ(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), SIGSEGV);
	say("ok\n");
	return 0;
}
