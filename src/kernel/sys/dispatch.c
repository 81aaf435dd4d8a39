/* SPDX-License-Identifier: Apache-2.0 */
/* The system call table and the one place that calls into it. */
#include "abi/linux/errno.h"
#include "base/nospec.h"
#include "kernel/core/cpu.h"
#include "kernel/proc/task.h"
#include "kernel/sys/strace.h"
#include "kernel/sys/syscall.h"

#define SYSCALL_FN_FULL(name) sys_##name
#define SYSCALL_FN_PART(name) sys_##name
#define SYSCALL_FN_NONE(name) NULL
#define SYSCALL(nr, n, fmt, level) \
	[nr] = { .fn = SYSCALL_FN_##level(n), .name = #n, .format = fmt },
const struct syscall_row syscall_table[SYSCALL_MAX] = {
#include "kernel/sys/syscalls.def"
};
#undef SYSCALL

static __attribute__((noinline)) sysret_t dispatch_traced(struct task *t,
							  const struct syscall_row *row, u64 nr,
							  const struct sysargs *a)
{
	void *line = strace_begin(t, row, nr, a);
	sysret_t ret = row->fn ? row->fn(a) : -ENOSYS;

	if (line)
		strace_end(line, t, row, a, ret);
	return ret;
}

__hot void syscall_dispatch(struct task *t)
{
	struct sysargs a = { { t->regs.rdi, t->regs.rsi, t->regs.rdx, t->regs.r10, t->regs.r8,
			       t->regs.r9 } };
	/* The number is an int to Linux: the upper half of RAX does not count. */
	u64 nr = (u32)t->regs.orig_rax;
	const struct syscall_row *row;
	sysret_t ret = -ENOSYS;

	cpu_record_syscall(nr);
	t->syscall_nr = nr;
	t->in_syscall = true;
	if (likely(nr < SYSCALL_MAX)) {
		row = &syscall_table[array_index_nospec(nr, SYSCALL_MAX)];
		if (unlikely(strace_on))
			ret = dispatch_traced(t, row, nr, &a);
		else if (likely(row->fn))
			ret = row->fn(&a);
	}
	t->in_syscall = false;
	t->regs.rax = (u64)ret;
}
