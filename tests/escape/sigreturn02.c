/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Returns from a signal with a floating-point state of its own making: reserved bits, a huge size, a pointer to the kernel's memory.
 * Stopped by: the state is checked before it is loaded; a bad one ends the process.
 * Escape-Expect: stopped: a state in the arena: contained
 * Escape-Expect: stopped: a state at no address: contained
 * Escape-Expect: stopped: all bits of MXCSR: contained
 * Escape-Expect: stopped: all bits of the header: contained
 * Escape-Expect: stopped: all bits of the size: contained
 * Escape-Expect: stopped: a state that is not aligned: contained
 * Escape-Expect: stopped: a state across the end: contained
 */
#include <ucontext.h>

#include "escape/escape.h"

static int which;

static void on_signal(int sig, siginfo_t *info, void *context)
{
	mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
	uint8_t *state = (uint8_t *)m->fpregs;
	static uint8_t copy[16384] __attribute__((aligned(64)));

	(void)sig;
	(void)info;
	switch (which) {
	case 0:
		m->fpregs = (void *)(ARENA + 0x1000);
		break;
	case 1:
		m->fpregs = (void *)0x8000000000000040;
		break;
	case 2: /* MXCSR */
		memset(state + 24, 0xff, 4);
		break;
	case 3: /* XSTATE_BV and XCOMP_BV */
		memset(state + 512, 0xff, 64);
		break;
	case 4: /* the size in the software's bytes */
		memset(state + 464, 0xff, 48);
		break;
	case 5: /* not aligned */
		memcpy(copy + 1, state, 832);
		m->fpregs = (void *)(copy + 1);
		break;
	default: /* across the end of the addresses */
		m->fpregs = (void *)(USER_END - 64);
		break;
	}
}

static void frame(void)
{
	handle_info(SIGUSR1, on_signal, 0);
	raise(SIGUSR1);
}

static void try_state(const char *what, int n)
{
	int status;

	which = n;
	status = in_child(frame);
	/* A CPU without what is asked for may take it as nothing. */
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGSEGV)
		escaped("%s ended with %s", what, ending_of(status));
	stopped("%s: contained", what);
}

void attempt(void)
{
	try_state("a state in the arena", 0);
	try_state("a state at no address", 1);
	try_state("all bits of MXCSR", 2);
	try_state("all bits of the header", 3);
	try_state("all bits of the size", 4);
	try_state("a state that is not aligned", 5);
	try_state("a state across the end", 6);
}
