/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/types.h"
#include "kernel/sys/syscall.h"
struct task;
/* --strace is on (any call). */
extern bool strace_on;
/* Is this call traced? */
bool strace_wants(u64 nr);
/* Before and after the call; entry prints nothing but remembers the input strings a call may overwrite (execve). */
void strace_call(struct task *t, const struct syscall_row *row, u64 nr, const struct sysargs *a, sysret_t ret);
/* A call that does not return (exit, exit_group, rt_sigreturn is not one): printed when it starts. */
bool strace_prints_at_entry(u64 nr);
void strace_entry_only(struct task *t, const struct syscall_row *row, const struct sysargs *a);
