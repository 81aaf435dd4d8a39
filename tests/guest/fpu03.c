/* SPDX-License-Identifier: Apache-2.0 */
/* FPU state in signal frames can be changed by the handler; MXCSR and control words over fork, nested handlers and clone. */
#include <pthread.h>
#include <ucontext.h>

#include "guest/xstate.h"

static unsigned get_cw(void)
{
	uint16_t v;

	__asm__ volatile("fnstcw %0" : "=m"(v));
	return v;
}

static void set_cw(uint16_t v)
{
	__asm__ volatile("fldcw %0" : : "m"(v));
}

/* All exceptions unmasked and rounding odd when the kernel is entered: it must neither trip nor lose them. */
static void zero_mxcsr_at_fork(void)
{
	pid_t pid;
	int status;

	__asm__ volatile("fninit");
	set_mxcsr(0);
	set_cw(0x0f40);
	pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		syscall(SYS_exit_group, get_mxcsr() == 0 && get_cw() == 0x0f40 ? 0 : 1);
	CHECK_EQ(syscall(SYS_wait4, pid, &status, 0, 0), pid);
	CHECK_EQ(status, 0);
	CHECK_EQ(get_mxcsr(), 0);
	CHECK_EQ(get_cw(), 0x0f40);
	set_mxcsr(0x1f80);
	__asm__ volatile("fninit");
}

static volatile unsigned inner_mxcsr, inner_cw, outer_mxcsr, outer_cw, outer_after;

static void on_inner(int sig)
{
	inner_mxcsr = get_mxcsr();
	inner_cw = get_cw();
	set_mxcsr(0x5f80);
	set_cw(0x77f);
}

static void on_outer(int sig)
{
	outer_mxcsr = get_mxcsr();
	outer_cw = get_cw();
	set_mxcsr(0x3f80);
	set_cw(0x47f);
	syscall(SYS_kill, getpid(), SIGUSR1);
	outer_after = get_mxcsr() << 16 | get_cw();
}

static void nested(void)
{
	handle(SIGUSR1, on_inner, 0);
	handle(SIGUSR2, on_outer, 0);
	set_mxcsr(0x7f80);
	set_cw(0xc7f);
	syscall(SYS_kill, getpid(), SIGUSR2);
	say("nested: %#x %#x, outer %#x %#x then %#x, after %#x %#x\n", inner_mxcsr, inner_cw,
	    outer_mxcsr, outer_cw, outer_after, get_mxcsr(), get_cw());
	set_mxcsr(0x1f80);
	set_cw(0x37f);
}

static void on_change(int sig, siginfo_t *info, void *context)
{
	fpregset_t f = ((ucontext_t *)context)->uc_mcontext.fpregs;

	f->mxcsr = 0x9f80;
	f->cwd = 0x27f;
	memset(&f->_xmm[3], 0x5a, 16);
	f->_st[0].significand[3] = 0x8000; /* 1.0 */
	f->_st[0].significand[2] = f->_st[0].significand[1] = f->_st[0].significand[0] = 0;
	f->_st[0].exponent = 0x3fff;
	if (xstate_enabled() & XSTATE_AVX) {
		/* Upper half of YMM3: its component begins at 576. */
		FRAME_HEADER((uint8_t *)f)->xstate_bv |= XSTATE_AVX;
		memset((uint8_t *)f + 576 + 3 * 16, 0xa5, 16);
	}
}

static void changed(void)
{
	struct vectors in, out;
	double top;

	handle_info(SIGUSR1, on_change, 0);
	vectors_fill(&in, 3);
	__asm__ volatile("fldpi");
	vectors_call(&in, &out, SYS_kill, getpid(), SIGUSR1);
	__asm__ volatile("fstpl %0" : "=m"(top));
	say("changed: mxcsr %#x cw %#x top %d.%d\n", get_mxcsr(), get_cw(), (int)top,
	    (int)(top * 10) % 10);
	set_mxcsr(0x1f80);
	set_cw(0x37f);
	memset(in.zmm[3], 0x5a, 16);
	if (xstate_enabled() & XSTATE_AVX)
		memset(in.zmm[3] + 16, 0xa5, 16);
	CHECK(vectors_equal(&in, &out));
}

/* A thread starts with its creator's FPU control. */
static void *thread(void *arg)
{
	return (void *)(uintptr_t)(get_mxcsr() << 16 | get_cw());
}

static void threads(void)
{
	pthread_t t;
	void *seen;

	set_mxcsr(0x3f80);
	set_cw(0x77f);
	CHECK_EQ(pthread_create(&t, NULL, thread, NULL), 0);
	CHECK_EQ(pthread_join(t, &seen), 0);
	set_mxcsr(0x1f80);
	set_cw(0x37f);
	say("thread: %#lx\n", (unsigned long)seen);
}

static int exec_child(void *arg)
{
	set_mxcsr(0x7f80);
	set_cw(0xc7f);
	execl("/proc/self/exe", "fpu03", "again", NULL);
	return 1;
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		say("after exec: %#x %#x\n", get_mxcsr(), get_cw());
		return 0;
	}
	zero_mxcsr_at_fork();
	nested();
	changed();
	threads();
	wait_ok(spawn(exec_child, NULL));
	return 0;
}
