/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a lost sandbox looked like. Much of it comes out of memory that the sandbox may write: it is read once, bounded, and defused
 * where it is written. Called from signal handlers, so no stdio.
 */
#include <stdarg.h>

#include "base/checked.h"
#include "base/format.h"
#include "monitor/hostcalls.h"
#include "monitor/monitor.h"
#include "monitor/syscall_names.h"

#define LINE_MAX         1024u
#define STACK_FRAMES_MAX 24u

static void write_line(struct monitor *m, bool to_log, char *line, size_t len)
{
	if (m->report)
		report_add(m->report, line, len);
	if (to_log || !m->report)
		monitor_write_text(m->log_fd, line, len);
}

static __printf(3, 0) void format_line(struct monitor *m, bool headline, const char *format,
				       va_list args)
{
	char line[LINE_MAX];
	size_t len = 0;
	int n;

	if (headline)
		fmt_append(line, sizeof(line), &len, "ringfence: ");
	n = fmt_vsnprintf(line + len, sizeof(line) - 1 - len, format, args);
	len = MIN(len + (size_t)MAX(n, 0), sizeof(line) - 2);
	if (!len || line[len - 1] != '\n')
		line[len++] = '\n';
	write_line(m, headline, line, len);
}

void monitor_headline(struct monitor *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_line(m, true, format, args);
	va_end(args);
}

void monitor_detail(struct monitor *m, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_line(m, false, format, args);
	va_end(args);
}

void monitor_dump_text(struct monitor *m, const char *text)
{
	for (const char *line = text, *next; line && *line; line = next) {
		next = line;
		while (*next && *next != '\n')
			next++;
		monitor_detail(m, "  %.*s", (int)(next - line), line);
		if (*next)
			next++;
	}
}

void monitor_dump_address(struct monitor *m, const char *name, u64 addr)
{
	u64 distance = 0;
	const char *symbol =
		image_is_text(&m->image, addr) ? image_symbol(&m->image, addr, &distance) : NULL;

	if (symbol)
		monitor_detail(m, "  %s %016lx %s+%#lx", name, addr, symbol, distance);
	else
		monitor_detail(m, "  %s %016lx", name, addr);
}

void monitor_dump_registers(struct monitor *m, const struct rf_regs *r)
{
	monitor_detail(m, "  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx,
		       r->rdx);
	monitor_detail(m, "  rsi %016lx rdi %016lx rbp %016lx rsp %016lx", r->rsi, r->rdi, r->rbp,
		       r->rsp);
	monitor_detail(m, "  r8  %016lx r9  %016lx r10 %016lx r11 %016lx", r->r8, r->r9, r->r10,
		       r->r11);
	monitor_detail(m, "  r12 %016lx r13 %016lx r14 %016lx r15 %016lx", r->r12, r->r13, r->r14,
		       r->r15);
	monitor_detail(m, "  cs %lx ss %lx rflags %lx fs %lx gs %lx", r->cs, r->ss, r->rflags,
		       r->fs_base, r->gs_base);
}

/* A stack that ran over stands in its slot's guard page, which cannot be read. */
static u64 stack_skip_guard(struct monitor *m, u64 sp)
{
	u64 offset = sp - RF_ARENA_BASE;

	if (sp < RF_ARENA_BASE || offset < m->stacks_start || offset >= m->arena.size)
		return sp;
	return MAX(sp, ALIGN_DOWN(sp, (u64)KSTACK_SLOT) + PAGE_SIZE);
}

void monitor_dump_stack(struct monitor *m, u64 sp)
{
	u64 start = stack_skip_guard(m, ALIGN_UP(sp, 8ul));
	u64 end = ALIGN_DOWN(start, (u64)KSTACK_SLOT) + KSTACK_SLOT;
	u32 left = STACK_FRAMES_MAX;
	u64 last = 0;

	if (start - sp >= 8)
		monitor_detail(m, "  the kernel stack ran over");
	if (!arena_range_ok(&m->arena, start, end - start, KERNEL_IMAGE_OFF))
		return;
	for (; start < end && left; start += 8) {
		u64 word = READ_ONCE(*(const u64 *)(uintptr_t)start);

		/* One function that calls itself must not hide where it came from. */
		if (!image_is_text(&m->image, word) || word == last)
			continue;
		monitor_dump_address(m, "stack", word);
		last = word;
		left--;
	}
}

static void dump_hostcalls(struct monitor *m, u32 number)
{
	const struct monitor_cpu *cpu = &m->cpu[number];
	u64 n = atomic_load(&cpu->calls);
	char text[LAST_CALLS * 24];
	size_t len = 0;

	text[0] = '\0';
	for (u64 i = n > LAST_CALLS ? n - LAST_CALLS : 0; i < n; i++) {
		const struct hostcall_entry *e =
			hostcall_lookup(READ_ONCE(cpu->last_calls[i % LAST_CALLS]));

		fmt_append(text, sizeof(text), &len, " %s", e ? e->name : "(unknown)");
	}
	monitor_detail(m, "  CPU %u, last hostcalls of %lu:%s", number, n, text);
}

/* The kernel's own count and numbers: what it says there is bounded by the table of names. */
static void dump_syscalls(struct monitor *m, u32 number)
{
	const struct cpu_shared *cpu = &m->info->cpu[number];
	u64 n = READ_ONCE(cpu->syscalls);
	char text[LAST_SYSCALLS * 32];
	size_t len = 0;

	text[0] = '\0';
	for (u64 i = n > LAST_SYSCALLS ? n - LAST_SYSCALLS : 0; i < n; i++) {
		u16 nr = READ_ONCE(cpu->last_syscalls[i % LAST_SYSCALLS]);

		if (nr < SYSCALL_NAMES && syscall_names[nr])
			fmt_append(text, sizeof(text), &len, " %s", syscall_names[nr]);
		else
			fmt_append(text, sizeof(text), &len, " %u", nr);
	}
	monitor_detail(m, "  CPU %u, last system calls of %lu:%s", number, n, text);
}

void monitor_dump_calls(struct monitor *m, u32 cpu)
{
	for (u32 i = 0; i < m->cpus; i++) {
		dump_hostcalls(m, (cpu + i) % m->cpus);
		dump_syscalls(m, (cpu + i) % m->cpus);
	}
}
