/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System calls. syscalls.def has one row a call:
 *
 *	SYSCALL(number, name, "format", level)
 *
 * level FULL or PART: `sysret_t sys_<name>(const struct sysargs *a)` exists; NONE: answered with -ENOSYS.
 * format: one letter an argument, for strace: d int, u unsigned, x hex, o octal mode, l long, z size, p pointer, s string, f file
 * descriptor, a dirfd, b buffer out (with the size in the next argument), B buffer in, O open flags, m mmap prot, M mmap flags,
 * S signal number, g sigset, i clock id, t timespec, v argv, w wait status, c clone flags, e epoll event, F fcntl command,
 * I ioctl command, n pid, X futex op, q struct sigaction, r struct stat (out), V iovec, P pollfd array.
 */
#pragma once

#include "base/types.h"
#include "kernel/core/cpu.h"

struct task;

struct sysargs {
	u64 v[6];
};
static inline int arg_int(const struct sysargs *a, unsigned i)
{
	return (int)(u32)a->v[i];
}
static inline u32 arg_u32(const struct sysargs *a, unsigned i)
{
	return (u32)a->v[i];
}
static inline u64 arg_u64(const struct sysargs *a, unsigned i)
{
	return a->v[i];
}
static inline s64 arg_s64(const struct sysargs *a, unsigned i)
{
	return (s64)a->v[i];
}
static inline uptr_t arg_ptr(const struct sysargs *a, unsigned i)
{
	return a->v[i];
}

typedef sysret_t (*syscall_fn)(const struct sysargs *a);
struct syscall_row {
	syscall_fn fn;    /* NULL: -ENOSYS */
	const char *name; /* NULL: no such number */
	const char *format;
};
#define SYSCALL_MAX 452u
extern const struct syscall_row syscall_table[SYSCALL_MAX];

/*
 * Quick calls: answered by the entry itself (residency guest) without the kernel lock, with interrupts off. See quick.c for what such a
 * function may do. Power of two: a speculative index stays inside.
 */
#define SYSCALL_QUICK_SIZE 512u
extern const quick_call_fn syscall_quick[SYSCALL_QUICK_SIZE] __attribute__((visibility("hidden")));

/* Dispatches current's call (regs.orig_rax, rdi, rsi, rdx, r10, r8, r9) and stores the result in regs.rax. */
void syscall_dispatch(struct task *t);

#define SYSCALL(nr, name, format, level) SYSCALL_DECL_##level(name)
#define SYSCALL_DECL_FULL(name)          sysret_t sys_##name(const struct sysargs *a);
#define SYSCALL_DECL_PART(name)          sysret_t sys_##name(const struct sysargs *a);
#define SYSCALL_DECL_NONE(name)
#include "kernel/sys/syscalls.def"
#undef SYSCALL
