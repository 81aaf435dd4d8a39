/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exit nobody expected looks like to a human: reason, registers, where the addresses lead,
 * what came before. The registers may be a hostile program's: nothing is followed outside the
 * memory slots, and what is read there is read guarded, as its file may have been truncated.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <x86intrin.h>

#include "platform/guard.h"

#define PTE_PRESENT  1ull
#define PTE_LARGE    0x80ull
#define PTE_ADDRESS  0x000ffffffffff000ull
#define TSS_IST1     0x24u
#define CODE_BYTES   16u
#define EMULATED_MAX 15u

struct text {
	char *at;
	size_t left;
};

static void __printf(2, 3) say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!t->left)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	n = (int)MIN((size_t)n, t->left - 1);
	t->at += n;
	t->left -= (size_t)n;
}

static void say_bytes(struct text *t, const u8 *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		say(t, " %02x", bytes[i]);
	say(t, "\n");
}

/* ---- the reason ---- */

/*
 * data[0] is flags, then insn_size and the bytes themselves (api.rst, "KVM_EXIT_INTERNAL_ERROR"). Kernels before 5.15
 * say the instruction's length only, or nothing.
 */
static void say_emulation(struct text *t, const struct kvm_run *run)
{
	const u32 words = MIN(run->emulation_failure.ndata, 16u);
	const u32 size = MIN((u32)run->emulation_failure.insn_size, EMULATED_MAX);

	if (words < 3 ||
	    !(run->emulation_failure.flags & KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES))
		return;
	say(t, "  instruction:");
	say_bytes(t, run->emulation_failure.insn_bytes, size);
}

static void say_internal(struct text *t, const struct kvm_run *run)
{
	const struct kvm_exit_row *row = kvm_exit_row(KVM_CLASS_SUBERROR, run->internal.suberror);

	say(t, " sub-code %u (%s): %s\n", run->internal.suberror, row->name, row->cause);
	if (run->internal.ndata)
		say(t, "  data:");
	for (u32 i = 0; i < MIN(run->internal.ndata, 16u); i++)
		say(t, " %llx", run->internal.data[i]);
	if (run->internal.ndata)
		say(t, "\n");
	if (run->internal.suberror == KVM_INTERNAL_ERROR_EMULATION)
		say_emulation(t, run);
}

static void say_error(struct text *t, const struct kvm_run *run, int error)
{
	const struct kvm_exit_row *row = kvm_exit_row(KVM_CLASS_ERRNO, (u64)-error);

	say(t, "KVM_RUN failed: %s (%s): %s\n", row->name, strerror(-error), row->cause);
	if (run->exit_reason == KVM_REASON_MEMORY_FAULT)
		say(t, "  memory fault at guest-physical %lx, %lx bytes, flags %lx\n",
		    kvm_memory_fault(run)->gpa, kvm_memory_fault(run)->size,
		    kvm_memory_fault(run)->flags);
}

static void say_msr(struct text *t, const struct kvm_run *run)
{
	say(t, " MSR %x data %llx", run->msr.index, run->msr.data);
}

static void say_reason(struct text *t, struct kvm_machine *m, const struct kvm_run *run, int error)
{
	const struct kvm_exit_row *row = kvm_exit_row(KVM_CLASS_REASON, run->exit_reason);

	if (error) {
		say_error(t, run, error);
		return;
	}
	say(t, "KVM exit %u (%s)", run->exit_reason, row->name);
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		say(t, " port 0x%x size %u %s", run->io.port, run->io.size,
		    run->io.direction ? "out" : "in");
		break;
	case KVM_EXIT_MMIO:
		say(t, " address 0x%llx size %u %s%s", run->mmio.phys_addr, run->mmio.len,
		    run->mmio.is_write ? "write" : "read",
		    kvm_machine_gpa_to_host(m, run->mmio.phys_addr)
			    ? ", in a slot whose memory is gone"
			    : "");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		say(t, " hardware reason 0x%llx, %s", run->fail_entry.hardware_entry_failure_reason,
		    kvm_entry_failure_name(run->fail_entry.hardware_entry_failure_reason));
		break;
	case KVM_EXIT_UNKNOWN:
		say(t, " hardware reason 0x%llx", run->hw.hardware_exit_reason);
		break;
	case KVM_EXIT_DEBUG:
		say(t, " exception %u pc %llx dr6 %llx dr7 %llx", run->debug.arch.exception,
		    run->debug.arch.pc, run->debug.arch.dr6, run->debug.arch.dr7);
		break;
	case KVM_EXIT_HYPERCALL:
		say(t, " number %llx", run->hypercall.nr);
		break;
	case KVM_EXIT_X86_RDMSR:
	case KVM_EXIT_X86_WRMSR:
		say_msr(t, run);
		break;
	case KVM_EXIT_SYSTEM_EVENT:
		say(t, " type %u", run->system_event.type);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		say_internal(t, run);
		return;
	default:
		break;
	}
	say(t, ": %s\n", row->cause);
}

/* ---- registers ---- */

static void say_regs(struct text *t, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	say(t, "rip %016llx rsp %016llx rflags %08llx cs %04x ss %04x\n", r->rip, r->rsp, r->rflags,
	    s->cs.selector, s->ss.selector);
	say(t, "rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", r->rax, r->rbx, r->rcx, r->rdx);
	say(t, "rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n", r->rsi, r->rdi, r->rbp, r->r8);
	say(t, "r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n", r->r9, r->r10, r->r11, r->r12);
	say(t, "r13 %016llx r14 %016llx r15 %016llx\n", r->r13, r->r14, r->r15);
	say(t, "cr0 %llx cr2 %016llx cr3 %llx cr4 %llx cr8 %llx efer %llx\n", s->cr0, s->cr2,
	    s->cr3, s->cr4, s->cr8, s->efer);
	say(t, "fs %016llx gs %016llx gdt %016llx/%x idt %016llx/%x tr %04x %016llx/%x\n",
	    s->fs.base, s->gs.base, s->gdt.base, s->gdt.limit, s->idt.base, s->idt.limit,
	    s->tr.selector, s->tr.base, s->tr.limit);
}

static void say_segment(struct text *t, const char *name, const struct kvm_segment *s)
{
	say(t, "%-3s %04x base %016llx limit %08x type %2u s %u dpl %u p %u l %u db %u g %u%s\n",
	    name, s->selector, s->base, s->limit, s->type, s->s, s->dpl, s->present, s->l, s->db,
	    s->g, s->unusable ? " unusable" : "");
}

static void say_segments(struct text *t, const struct kvm_sregs *s)
{
	say_segment(t, "cs", &s->cs);
	say_segment(t, "ss", &s->ss);
	say_segment(t, "ds", &s->ds);
	say_segment(t, "es", &s->es);
	say_segment(t, "fs", &s->fs);
	say_segment(t, "gs", &s->gs);
	say_segment(t, "tr", &s->tr);
	say_segment(t, "ldt", &s->ldt);
}

static void say_events(struct text *t, struct kvm_vcpu *v)
{
	struct kvm_vcpu_events e;

	if (kvm_ioctl(v->fd, KVM_GET_VCPU_EVENTS, &e))
		return;
	say(t, "events: exception %u%s%s error %x, interrupt %u%s%s, nmi%s%s%s, smi%s\n",
	    e.exception.nr, e.exception.injected ? " injected" : "",
	    e.exception.pending ? " pending" : "", e.exception.error_code, e.interrupt.nr,
	    e.interrupt.injected ? " injected" : "", e.interrupt.shadow ? " shadow" : "",
	    e.nmi.injected ? " injected" : "", e.nmi.pending ? " pending" : "",
	    e.nmi.masked ? " masked" : "", e.smi.pending ? " pending" : "");
}

/* ---- where addresses lead ---- */

static bool read_gpa(struct kvm_machine *m, gpa_t gpa, void *buf, size_t n)
{
	const u8 *host = kvm_machine_gpa_to_host(m, gpa);

	/* Slots are whole pages, so that both ends of what stays in one page are in the slot. */
	return host && gpa % PAGE_SIZE + n <= PAGE_SIZE && guard_copy(buf, host, n) == 0;
}

/* Where a leaf at @level leads; slots other than ours are holes. */
static void say_leaf(struct text *t, struct kvm_machine *m, u64 entry, u32 level, u64 va,
		     gpa_t *ret)
{
	u64 size = 1ull << (12 + 9 * (level - 1));
	const u8 *host;

	*ret = (entry & PTE_ADDRESS & ~(size - 1)) | (va & (size - 1));
	host = kvm_machine_gpa_to_host(m, *ret);
	say(t, " = %lx%s%s", *ret, host ? "" : " (no slot)",
	    host && !guard_present(host, false) ? " (no memory behind)" : "");
}

/* The walk of @va through the guest's own tables, wherever in guest memory they are; ~0: leads nowhere. */
static gpa_t say_walk(struct text *t, struct kvm_machine *m, const char *name, u64 root, u64 va)
{
	gpa_t table = root & PTE_ADDRESS, gpa = ~0ull;

	say(t, "walk %s %016lx:", name, va);
	if ((u64)((s64)(va << 16) >> 16) != va)
		say(t, " (not canonical)");
	for (u32 level = 4; level >= 1; level--) {
		u64 e;

		if (!read_gpa(m, table + (va >> (12 + 9 * (level - 1)) & 511) * 8, &e, sizeof(e))) {
			say(t, " table %lx outside memory", table);
			break;
		}
		say(t, " L%u=%lx", level, e);
		if (!(e & PTE_PRESENT))
			break;
		if (level == 1 || (level < 4 && e & PTE_LARGE)) {
			say_leaf(t, m, e, level, va, &gpa);
			break;
		}
		table = e & PTE_ADDRESS;
	}
	say(t, "\n");
	return gpa;
}

/* To the end of the page at most: what follows may be elsewhere. */
static void say_code(struct text *t, struct kvm_machine *m, gpa_t gpa)
{
	size_t n = MIN((size_t)CODE_BYTES, PAGE_SIZE - gpa % PAGE_SIZE);
	u8 code[CODE_BYTES];

	if (gpa == ~0ull || !read_gpa(m, gpa, code, n))
		return;
	say(t, "code at rip:");
	say_bytes(t, code, n);
}

static void say_walks(struct text *t, struct kvm_machine *m, const struct kvm_regs *r,
		      const struct kvm_sregs *s)
{
	gpa_t tss;
	u64 ist = 0;

	if (!(s->cr0 >> 31 & 1)) {
		say(t,
		    "walk rip: paging is off: the vCPU was reset (KVM does so at a triple fault on AMD), or never set up\n");
		return;
	}
	say_code(t, m, say_walk(t, m, "rip", s->cr3, r->rip));
	say_walk(t, m, "rsp", s->cr3, r->rsp);
	say_walk(t, m, "cr2", s->cr3, s->cr2);
	say_walk(t, m, "idt", s->cr3, s->idt.base);
	say_walk(t, m, "gdt", s->cr3, s->gdt.base);
	tss = say_walk(t, m, "tss", s->cr3, s->tr.base);
	if (tss != ~0ull && read_gpa(m, tss + TSS_IST1, &ist, sizeof(ist)) && ist)
		say_walk(t, m, "ist1", s->cr3, ist - 8);
}

/* ---- what came before ---- */

static void say_record(struct text *t, const struct kvm_exit_record *e, u64 now, u64 times)
{
	say(t, "  -%-12lu ", now - e->tsc);
	if (e->error)
		say(t, "%s", kvm_exit_row(KVM_CLASS_ERRNO, (u64)-e->error)->name);
	else
		say(t, "%s", kvm_exit_name(e->reason));
	if (!e->error && e->reason == KVM_EXIT_IO)
		say(t, " port 0x%x size %u %s", (u32)e->detail & 0xffff,
		    (u32)e->detail >> 16 & 0xff, e->detail >> 24 ? "out" : "in");
	else if (e->detail)
		say(t, " %lx", e->detail);
	if (e->rip)
		say(t, " rip %lx", e->rip);
	if (times > 1)
		say(t, " (%lu times)", times);
	say(t, "\n");
}

static bool same_exit(const struct kvm_exit_record *a, const struct kvm_exit_record *b)
{
	return a->reason == b->reason && a->error == b->error && a->detail == b->detail &&
	       a->rip == b->rip;
}

static void say_ring(struct text *t, const struct kvm_vcpu *v)
{
	u64 count = READ_ONCE(v->ring_count), now = __rdtsc(), times = 0;

	say(t, "last exits of %lu, with cycles ago:\n", count);
	for (u64 i = count > KVM_EXIT_RING ? count - KVM_EXIT_RING : 0; i < count; i++) {
		const struct kvm_exit_record *e = &v->ring[i % KVM_EXIT_RING];

		times++;
		if (i + 1 < count && same_exit(e, &v->ring[(i + 1) % KVM_EXIT_RING]))
			continue;
		say_record(t, e, now, times);
		times = 0;
	}
}

/* ---- all of it ---- */

static bool state_matters(const struct kvm_run *run, int error)
{
	return error == -EINVAL || (!error && run->exit_reason == KVM_EXIT_FAIL_ENTRY);
}

static void say_check(struct text *t, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	char findings[1024];

	if (kvm_state_check(s, r->rip, r->rflags, findings, sizeof(findings)))
		say(t, "the state breaks these rules:\n%s", findings);
	else
		say(t, "the state breaks none of the rules we know\n");
	say_segments(t, s);
}

/* Registers, walks, exits; what @v last left KVM_RUN for is the caller's to say. */
static void say_vcpu(struct text *t, struct kvm_vcpu *v, bool check)
{
	struct kvm_regs regs;
	struct kvm_sregs sregs;
	int r = kvm_ioctl(v->fd, KVM_GET_REGS, &regs);

	say(t, "vCPU %u\n", v->index);
	if (!r)
		r = kvm_ioctl(v->fd, KVM_GET_SREGS, &sregs);
	if (r) {
		say(t, "no registers: %s\n", strerror(-r));
		say_ring(t, v);
		return;
	}
	say_regs(t, &regs, &sregs);
	if (check)
		say_check(t, &regs, &sregs);
	say_events(t, v);
	say_walks(t, v->machine, &regs, &sregs);
	say_ring(t, v);
}

void kvm_exit_dump(struct kvm_vcpu *v, int error, char *buf, size_t size)
{
	struct text t = { buf, size };

	if (!size)
		return;
	buf[0] = '\0';
	say_reason(&t, v->machine, v->run, error);
	say_vcpu(&t, v, state_matters(v->run, error));
}

void kvm_vcpu_dump(struct kvm_vcpu *v, char *buf, size_t size)
{
	struct text t = { buf, size };

	if (!size)
		return;
	buf[0] = '\0';
	say_vcpu(&t, v, false);
}

void kvm_ring_dump(const struct kvm_vcpu *v, char *buf, size_t size)
{
	struct text t = { buf, size };

	if (!size)
		return;
	buf[0] = '\0';
	say(&t, "vCPU %u\n", v->index);
	say_ring(&t, v);
}

/* Residency host has nobody to hand the text to; stderr is the monitor's log. */
void kvm_exit_report(const char *dump)
{
	fprintf(stderr, "ringfence: %s", dump);
}
