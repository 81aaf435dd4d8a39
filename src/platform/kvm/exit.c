/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exit nobody expected looks like to a human: reason, registers, where the addresses lead.
 */
#include "platform/kvm/kvm.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const exit_names[] = {
	[KVM_EXIT_UNKNOWN] = "UNKNOWN",
	[KVM_EXIT_EXCEPTION] = "EXCEPTION",
	[KVM_EXIT_IO] = "IO",
	[KVM_EXIT_HYPERCALL] = "HYPERCALL",
	[KVM_EXIT_DEBUG] = "DEBUG",
	[KVM_EXIT_HLT] = "HLT",
	[KVM_EXIT_MMIO] = "MMIO",
	[KVM_EXIT_IRQ_WINDOW_OPEN] = "IRQ_WINDOW_OPEN",
	[KVM_EXIT_SHUTDOWN] = "SHUTDOWN",
	[KVM_EXIT_FAIL_ENTRY] = "FAIL_ENTRY",
	[KVM_EXIT_INTR] = "INTR",
	[KVM_EXIT_SET_TPR] = "SET_TPR",
	[KVM_EXIT_TPR_ACCESS] = "TPR_ACCESS",
	[KVM_EXIT_NMI] = "NMI",
	[KVM_EXIT_INTERNAL_ERROR] = "INTERNAL_ERROR",
	[KVM_EXIT_OSI] = "OSI",
	[KVM_EXIT_WATCHDOG] = "WATCHDOG",
	[KVM_EXIT_EPR] = "EPR",
	[KVM_EXIT_SYSTEM_EVENT] = "SYSTEM_EVENT",
	[KVM_EXIT_IOAPIC_EOI] = "IOAPIC_EOI",
	[KVM_EXIT_HYPERV] = "HYPERV",
	[KVM_EXIT_X86_RDMSR] = "X86_RDMSR",
	[KVM_EXIT_X86_WRMSR] = "X86_WRMSR",
	[KVM_EXIT_DIRTY_RING_FULL] = "DIRTY_RING_FULL",
	[KVM_EXIT_AP_RESET_HOLD] = "AP_RESET_HOLD",
	[KVM_EXIT_X86_BUS_LOCK] = "X86_BUS_LOCK",
	[KVM_EXIT_XEN] = "XEN",
	[KVM_EXIT_NOTIFY] = "NOTIFY",
};

const char *kvm_exit_name(u32 reason)
{
	return reason < ARRAY_SIZE(exit_names) && exit_names[reason] ? exit_names[reason]
								     : "unnamed";
}

struct text {
	char *at;
	size_t left;
};

static void __printf(2, 3) say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->at, t->left, fmt, ap);
	va_end(ap);
	if (n < 0 || !t->left)
		return;
	n = (int)MIN((size_t)n, t->left - 1);
	t->at += n;
	t->left -= (size_t)n;
}

static void say_reason(struct text *t, const struct kvm_run *run, int error)
{
	if (error) {
		say(t, "KVM_RUN failed: %s\n", strerror(-error));
		return;
	}
	say(t, "KVM exit %u (%s)", run->exit_reason, kvm_exit_name(run->exit_reason));
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		say(t, " port 0x%x size %u %s", run->io.port, run->io.size,
		    run->io.direction ? "out" : "in");
		break;
	case KVM_EXIT_MMIO:
		say(t, " address 0x%llx size %u %s", run->mmio.phys_addr, run->mmio.len,
		    run->mmio.is_write ? "write" : "read");
		break;
	case KVM_EXIT_FAIL_ENTRY:
		say(t, " hardware reason 0x%llx", run->fail_entry.hardware_entry_failure_reason);
		break;
	case KVM_EXIT_INTERNAL_ERROR:
		say(t, " suberror %u", run->internal.suberror);
		for (u32 i = 0; i < MIN(run->internal.ndata, 8u); i++)
			say(t, " %llx", run->internal.data[i]);
		break;
	default:
		break;
	}
	say(t, "\n");
}

static void say_regs(struct text *t, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	say(t, "rip %016llx rsp %016llx rflags %08llx cs %04x ss %04x\n", r->rip, r->rsp, r->rflags,
	    s->cs.selector, s->ss.selector);
	say(t, "rax %016llx rbx %016llx rcx %016llx rdx %016llx\n", r->rax, r->rbx, r->rcx, r->rdx);
	say(t, "rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n", r->rsi, r->rdi, r->rbp, r->r8);
	say(t, "r9  %016llx r10 %016llx r11 %016llx r12 %016llx\n", r->r9, r->r10, r->r11, r->r12);
	say(t, "r13 %016llx r14 %016llx r15 %016llx\n", r->r13, r->r14, r->r15);
	say(t, "cr0 %llx cr2 %016llx cr3 %llx cr4 %llx efer %llx\n", s->cr0, s->cr2, s->cr3, s->cr4,
	    s->efer);
	say(t, "fs %016llx gs %016llx gdt %016llx/%x idt %016llx/%x tr %04x %016llx/%x\n",
	    s->fs.base, s->gs.base, s->gdt.base, s->gdt.limit, s->idt.base, s->idt.limit,
	    s->tr.selector, s->tr.base, s->tr.limit);
}

/* The walk of @va through the guest's own tables, wherever in guest memory they are. */
static void say_walk(struct text *t, struct kvm_machine *m, const char *name, gpa_t root, u64 va)
{
	gpa_t table = root & 0x000ffffffffff000ull;

	say(t, "walk %s %016lx:", name, va);
	for (u32 level = 4; level >= 1; level--) {
		const u64 *entries = kvm_machine_gpa_to_host(m, table);
		u64 e;

		if (!entries) {
			say(t, " table %lx outside memory", table);
			break;
		}
		e = entries[va >> (12 + 9 * (level - 1)) & 511];
		say(t, " L%u=%lx", level, e);
		if (!(e & 1) || (level > 1 && level < 4 && e & 0x80))
			break;
		table = e & 0x000ffffffffff000ull;
	}
	say(t, "\n");
}

void kvm_exit_dump(struct kvm_vcpu *v, int error, char *buf, size_t size)
{
	struct text t = { buf, size };
	struct kvm_regs regs;
	struct kvm_sregs sregs;

	if (!size)
		return;
	buf[0] = '\0';
	say_reason(&t, v->run, error);
	if (kvm_ioctl(v->fd, KVM_GET_REGS, &regs) || kvm_ioctl(v->fd, KVM_GET_SREGS, &sregs)) {
		say(&t, "vCPU %u: no registers\n", v->index);
		return;
	}
	say(&t, "vCPU %u\n", v->index);
	say_regs(&t, &regs, &sregs);
	say_walk(&t, v->machine, "rip", sregs.cr3, regs.rip);
	say_walk(&t, v->machine, "rsp", sregs.cr3, regs.rsp);
	say_walk(&t, v->machine, "cr2", sregs.cr3, sregs.cr2);
	say_walk(&t, v->machine, "idt", sregs.cr3, sregs.idt.base);
	say_walk(&t, v->machine, "tss", sregs.cr3, sregs.tr.base);
}

/* Residency host has nobody to hand the text to; stderr is the monitor's log. */
void kvm_exit_report(const char *dump)
{
	fprintf(stderr, "ringfence: %s", dump);
}
