/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Restartable sequences: rseq(2) as in Linux 6.1 (Documentation: include/uapi/linux/rseq.h).
 *
 * A task that has registered an area and was switched away from, moved or is about to get a signal frame has rseq_due set. Its next way to
 * user mode ends with rseq_resume(), after everything that may switch again; a switch meanwhile sets the flag anew. Who never leaves the
 * CPU pays one test of a byte.
 */
#pragma once

#include "kernel/proc/task.h"

#define RSEQ_DUE_UPDATE  1u /* write the CPU number */
#define RSEQ_DUE_RESTART 2u /* and abort the critical section */

/* t leaves its CPU, or another thread wants its critical section aborted. */
static inline void rseq_note(struct task *t)
{
	if (t->rseq)
		t->rseq_due |= RSEQ_DUE_UPDATE | RSEQ_DUE_RESTART;
}
/* Current, on its way to user mode. May sleep, fault and force a SIGSEGV. */
void rseq_resume(struct task *t);
/* Before the frame of a handler for sig is built, which happens in any case: a SIGSEGV forced here comes on top of it, or after it. */
void rseq_signal(struct task *t, int sig);
/* The child of a clone(2) with these flags. */
void rseq_fork(struct task *child, const struct task *parent, u64 flags);
void rseq_exec(struct task *t);
