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

/* Static: a panic may come from an overflown stack. Racing panics garble it, which does no further harm. */
static char panic_text[PANIC_TEXT_MAX];
static bool panicking;

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

/* A plausible frame pointer chain; the kernel may be compiled without, so anything outside the kernel's text ends it. */
static void panic_describe_stack(size_t *len, u64 rsp)
{
	extern const char __text_start[] __attribute__((visibility("hidden")));
	extern const char __text_end[] __attribute__((visibility("hidden")));
	u64 end = (rsp | (KSTACK_SLOT - 1)) + 1;
	unsigned found = 0;

	if (rsp < RF_ARENA_BASE || rsp >= RF_ARENA_BASE + boot_info()->arena_size)
		return;
	fmt_append(panic_text, sizeof(panic_text), len, "\ntext addresses on the stack:");
	for (u64 at = ALIGN_UP(rsp, 8); at < MIN(end, rsp + 2048) && found < 24; at += 8) {
		u64 v = *(const u64 *)at;

		if (v < (u64)__text_start || v >= (u64)__text_end)
			continue;
		fmt_append(panic_text, sizeof(panic_text), len, " %lx", v);
		found++;
	}
}

/* The form in which the monitor prints registers. */
static struct rf_regs panic_regs;

static __noreturn void panic_end(size_t len, const void *regs, size_t regs_size)
{
	hc(HC_PANIC, panic_text, len, regs, regs_size);
	for (;;)
		hc(HC_CPU_EXIT);
}

void panic(const char *fmt, ...)
{
	va_list ap;
	size_t len;

	if (!panicking) {
		panicking = true;
		va_start(ap, fmt);
		fmt_vsnprintf(panic_text, sizeof(panic_text), fmt, ap);
		va_end(ap);
		for (len = 0; panic_text[len];)
			len++;
		panic_describe_task(&len);
		panic_describe_stack(&len, (u64)__builtin_frame_address(0));
		panic_end(len, NULL, 0);
	}
	panic_end(0, NULL, 0);
}

void panic_frame(const struct kernel_frame *f, u64 cr2)
{
	size_t len = 0;

	if (!panicking) {
		panicking = true;
		fmt_append(panic_text, sizeof(panic_text), &len,
			   "exception %lu in ring 0, error %lx, cr2 %lx, rip %lx", f->vector,
			   f->error_code, cr2, f->rip);
		panic_describe_task(&len);
		panic_describe_stack(&len, f->rsp);
	}
	/* Both begin with the general registers in the same order. */
	memcpy(&panic_regs, f, offsetof(struct rf_regs, orig_rax));
	panic_regs.rip = f->rip;
	panic_regs.cs = f->cs;
	panic_regs.rflags = f->rflags;
	panic_regs.rsp = f->rsp;
	panic_regs.ss = f->ss;
	panic_end(len, &panic_regs, sizeof(panic_regs));
}

void bug_fail(const char *file, int line, const char *expr)
{
	panic("bug at %s:%d: %s", file, line, expr);
}

void warn_report(const char *file, int line, const char *expr)
{
	klog(1, "warning at %s:%d: %s", file, line, expr);
}
