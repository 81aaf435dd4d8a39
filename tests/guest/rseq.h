/* SPDX-License-Identifier: Apache-2.0 */
/* rseq.h: restartable sequences by hand, on the area that the C library registered for the thread. */
#pragma once

#include <pthread.h>
#include <stddef.h>
#include <sys/rseq.h>

#include "guest/guest.h"

static inline struct rseq *rseq_area(void)
{
	return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static inline uint32_t rseq_cpu(void)
{
	return *(volatile uint32_t *)&rseq_area()->cpu_id;
}

static inline long rseq_call(void *area, unsigned len, int flags, unsigned sig)
{
	return syscall(SYS_rseq, area, len, flags, sig);
}

/* Takes the C library's area back, so that the test can register another. */
static inline void rseq_release(void)
{
	OK(rseq_call(rseq_area(), 32, RSEQ_FLAG_UNREGISTER, RSEQ_SIG));
}

/*
 * The parts of a critical section in inline assembly: a descriptor of version and flags for [1, 2) with the abort handler 4, which the
 * signature precedes; arming stores the descriptor's address in the area.
 */
#define RSEQ_DESCRIPTOR(version, flags)                                                  \
	".pushsection .data.rseq, \"aw\"\n\t.balign 32\n3:\n\t.long " version ", " flags \
	"\n\t.quad 1f, 2f - 1f, 4f\n\t.popsection\n\t"
#define RSEQ_ARM(area)        "leaq 3b(%%rip), %%rax\n\tmovq %%rax, 8(" area ")\n1:\n\t"
#define RSEQ_ABORT(signature) "jmp 5f\n\t.byte 0x0f, 0xb9, 0x3d\n\t.long " signature "\n4:\n\t"

/* Adds 1 to counters[CPU], slowly; false: aborted, nothing added. `stride` in bytes. */
static inline bool rseq_add(struct rseq *area, char *counters, uint64_t stride)
{
	uint64_t aborted = 0;

	__asm__ volatile(RSEQ_DESCRIPTOR("0", "0")
				 RSEQ_ARM("%1") "movl 4(%1), %%ecx\n\t"
						"imulq %3, %%rcx\n\t"
						"movq (%2, %%rcx), %%rdx\n\t"
						"movl $200, %%eax\n"
						"6:\tdecl %%eax\n\t"
						"jnz 6b\n\t"
						"incq %%rdx\n\t"
						"movq %%rdx, (%2, %%rcx)\n"
						"2:\n\t" RSEQ_ABORT("0x53053053") "movl $1, %k0\n"
										  "5:"
			 : "+r"(aborted)
			 : "r"(area), "r"(counters), "r"(stride)
			 : "rax", "rcx", "rdx", "memory", "cc");
	return !aborted;
}
