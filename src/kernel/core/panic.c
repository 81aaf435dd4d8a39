/* SPDX-License-Identifier: Apache-2.0 */
/* The log, and the end of a kernel that lost its way. */
#include "kernel/core/panic.h"

#include <stdarg.h>

#include "base/bug.h"
#include "base/format.h"
#include "base/string.h"
#include "kernel/arch/arch.h"
#include "kernel/core/host.h"
#include "kernel/proc/task.h"

#define LOG_LINE_MAX   512u
#define PANIC_TEXT_MAX 2048u

/* Static: a panic may come from an overflown stack. */
static char panic_text[PANIC_TEXT_MAX];
static u32 panic_owner; /* CPU number + 1 of the one that reports; 0 = no panic yet */

void klog(int level, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;
	int n;

	if (level > (int)boot_config()->log_level)
		return;
	va_start(ap, fmt);
	n = fmt_vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	hc(HC_LOG, 0, line, MIN((u64)n, (u64)sizeof(line) - 1));
}

static void panic_describe_task(size_t *len)
{
	const struct cpu *c = this_cpu();
	const struct task *t = c->curr;

	if (!t)
		return;
	fmt_append(panic_text, sizeof(panic_text), len,
		   "\ncpu %lu task %d (%s) call %ld user rip %lx rsp %lx", c->id, t->tid, t->comm,
		   t->in_syscall ? (long)t->syscall_nr : -1L, t->regs.rip, t->regs.rsp);
}

/* The form in which the monitor prints registers; CS 0 says that only RIP and RSP are known. It finds the callers. */
static struct rf_regs panic_regs;

static __noreturn void cpu_stop(void)
{
	for (;;)
		hc(HC_CPU_EXIT);
}

/* True once, for the CPU that describes the panic. False if that failed in its turn: what there is of the text must do. Others stop. */
static bool panic_begin(void)
{
	u32 me = (u32)this_cpu()->id + 1, owner = 0;

	if (__atomic_compare_exchange_n(&panic_owner, &owner, me, false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		return true;
	if (owner != me)
		cpu_stop();
	return false;
}

static size_t panic_length(void)
{
	size_t len = 0;

	while (len < sizeof(panic_text) - 1 && panic_text[len])
		len++;
	return len;
}

static __noreturn void panic_end(const void *regs, size_t regs_size)
{
	hc(HC_PANIC, panic_text, panic_length(), regs, regs_size);
	cpu_stop();
}

void panic(const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (panic_begin()) {
		va_start(ap, fmt);
		fmt_vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
		va_end(ap);
		len = panic_length();
		panic_describe_task(&len);
		panic_regs.rip = (u64)__builtin_return_address(0);
		panic_regs.rsp = (u64)__builtin_frame_address(0);
	}
	panic_end(&panic_regs, sizeof(panic_regs));
}

void panic_frame(const struct kernel_frame *f, u64 cr2)
{
	size_t len = 0;

	if (!panic_begin())
		panic_end(&panic_regs, sizeof(panic_regs));
	/* Both begin with the general registers in the same order. */
	memcpy(&panic_regs, f, offsetof(struct rf_regs, orig_rax));
	panic_regs.rip = f->rip;
	panic_regs.cs = f->cs;
	panic_regs.rflags = f->rflags;
	panic_regs.rsp = f->rsp;
	panic_regs.ss = f->ss;
	fmt_append(panic_text, sizeof(panic_text), &len,
		   "exception %lu in ring 0, error %lx, cr2 %lx, rip %lx", f->vector, f->error_code,
		   cr2, f->rip);
	panic_describe_task(&len);
	panic_end(&panic_regs, sizeof(panic_regs));
}

void bug_fail(const char *file, int line, const char *expr)
{
	panic("bug at %s:%d: %s", file, line, expr);
}

void warn_report(const char *file, int line, const char *expr)
{
	klog(1, "warning at %s:%d: %s", file, line, expr);
}
