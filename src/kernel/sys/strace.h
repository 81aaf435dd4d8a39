/* SPDX-License-Identifier: Apache-2.0 */
/* --strace: one line a call, in strace(1)'s style, on the monitor's strace channel. */
#pragma once
#include "base/types.h"
#include "kernel/sys/syscall.h"

struct task;

extern bool strace_on; /* any call is traced */

/* Before the call: NULL if it is not traced or there is no memory, else what strace_end() takes. */
void *strace_begin(struct task *t, const struct syscall_row *row, u64 nr, const struct sysargs *a);
/* After it. Takes `line`. */
void strace_end(void *line, struct task *t, const struct syscall_row *row, const struct sysargs *a,
		sysret_t ret);

/* "ENOENT", "No such file or directory" of a positive number; NULL if unknown. strace_errno.c */
const char *errno_name(int error);
const char *errno_text(int error);
