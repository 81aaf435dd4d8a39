/* SPDX-License-Identifier: Apache-2.0 */
/* The frame on the user stack at the entry of a signal handler; rt_sigreturn(2) reads it back. */
#pragma once

#include "abi/linux/signal.h"

/*
 * At the entry of a handler RSP points at pretcode, RDI is the signal, RSI = &info, RDX = &uc,
 * RAX = 0 and DF, RF and TF are clear. The handler returns to pretcode (sa_restorer), which calls
 * rt_sigreturn with RSP = &uc. As after a CALL (System V ABI, AMD64 supplement, "The Stack Frame"),
 * RSP + 8 is a multiple of 16.
 *
 *	high	fpstate: XSAVE image, 64-byte aligned, then FP_XSTATE_MAGIC2
 *		(gap of alignment)
 *		info
 *		uc
 *	RSP ->	pretcode
 */
struct linux_rt_sigframe {
	u64 pretcode;
	struct linux_ucontext uc;
	struct linux_siginfo info;
};

#define SIGFRAME_FPSTATE_ALIGN 64
#define SIGFRAME_STACK_ALIGN   16

static_assert(sizeof(struct linux_rt_sigframe) == 440, "ABI");
static_assert(offsetof(struct linux_rt_sigframe, uc) == 8, "ABI");
static_assert(offsetof(struct linux_rt_sigframe, info) == 312, "ABI");
