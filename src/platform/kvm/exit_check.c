/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule for the guest's state at entry a state breaks: FAIL_ENTRY says only that one is. */
#include <stdarg.h>
#include <stdio.h>

#include "platform/kvm/exit_table.h"

#define CR0_PE       (1ull << 0)
#define CR0_NW       (1ull << 29)
#define CR0_CD       (1ull << 30)
#define CR0_PG       (1ull << 31)
#define CR4_PAE      (1ull << 5)
#define CR4_PCIDE    (1ull << 17)
#define EFER_LME     (1ull << 8)
#define EFER_LMA     (1ull << 10)
#define EFER_KNOWN   0x23fd01ull /* with AUTOIBRS, bit 21 */
#define RFLAGS_ONE   (1ull << 1)
#define RFLAGS_ZERO  0xffffffffffc08028ull /* bits 3, 5, 15 and 22 up */
#define RFLAGS_VM    (1ull << 17)
#define PHYSICAL_MAX (1ull << 52)
#define TSS_BUSY     11u
#define LDT_TYPE     2u

struct findings {
	char *at;
	size_t left;
	u32 count;
};

static void __printf(2, 3) found(struct findings *f, const char *fmt, ...)
{
	va_list ap;
	int n;

	f->count++;
	va_start(ap, fmt);
	n = vsnprintf(f->at, f->left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n + 1 >= f->left) { /* no half findings */
		if (f->left)
			f->at[0] = '\0';
		f->left = 0;
		return;
	}
	f->at += n;
	*f->at++ = '\n';
	*f->at = '\0';
	f->left -= (size_t)n + 1;
}

static bool canonical(u64 address)
{
	return (u64)((s64)(address << 16) >> 16) == address;
}

static void check_address(struct findings *f, const char *name, u64 address)
{
	if (!canonical(address))
		found(f, "%s %lx is not canonical", name, address);
}

static void check_control(struct findings *f, const struct kvm_sregs *s)
{
	if (s->cr0 & CR0_PG && !(s->cr0 & CR0_PE))
		found(f, "CR0.PG without CR0.PE");
	if (s->cr0 & CR0_NW && !(s->cr0 & CR0_CD))
		found(f, "CR0.NW without CR0.CD");
	if (s->cr0 >> 32 || s->cr4 >> 32)
		found(f, "high bits of CR0 or CR4");
	if (s->efer & ~EFER_KNOWN)
		found(f, "reserved bits in EFER %llx", s->efer);
	if (s->efer & EFER_LME && s->cr0 & CR0_PG && !(s->cr4 & CR4_PAE))
		found(f, "long mode without CR4.PAE");
	if (!!(s->efer & EFER_LMA) != (s->efer & EFER_LME && s->cr0 & CR0_PG))
		found(f, "EFER.LMA does not follow from EFER.LME and CR0.PG");
	if (s->cr4 & CR4_PCIDE && !(s->efer & EFER_LMA))
		found(f, "CR4.PCIDE outside long mode");
	if (s->cr3 & 0x7fffffffffffffffull & ~(PHYSICAL_MAX - 1))
		found(f, "CR3 %llx beyond physical addresses", s->cr3);
}

static void check_code(struct findings *f, const struct kvm_sregs *s)
{
	const struct kvm_segment *cs = &s->cs, *ss = &s->ss;

	if (cs->unusable || !cs->present || !cs->s)
		found(f, "CS is not a present code segment");
	if ((cs->type & 9) != 9)
		found(f, "CS has type %u, which is no accessed code", cs->type);
	if (cs->l && cs->db)
		found(f, "CS has both L and D");
	if (!(cs->type & 4) && cs->dpl != (cs->selector & 3))
		found(f, "CS has DPL %u and RPL %u", cs->dpl, cs->selector & 3);
	if (!ss->unusable && ss->dpl != (cs->selector & 3))
		found(f, "SS has DPL %u at CPL %u", ss->dpl, cs->selector & 3);
	if (!ss->unusable && (ss->type & 3) != 3)
		found(f, "SS has type %u, which is no writable data", ss->type);
}

static void check_system(struct findings *f, const struct kvm_sregs *s)
{
	const struct kvm_segment *tr = &s->tr, *ldt = &s->ldt;

	if (tr->unusable || !tr->present || tr->s || (tr->type != TSS_BUSY && tr->type != 3))
		found(f, "TR is not a present, busy TSS (type %u)", tr->type);
	if (tr->selector & 4)
		found(f, "TR selects from the LDT");
	if (tr->limit < 0x67)
		found(f, "TSS limit %x is below 67", tr->limit);
	if (!ldt->unusable && (ldt->type != LDT_TYPE || ldt->s || !ldt->present))
		found(f, "LDTR is neither unusable nor an LDT");
	check_address(f, "TR base", tr->base);
	check_address(f, "GDT base", s->gdt.base);
	check_address(f, "IDT base", s->idt.base);
	check_address(f, "FS base", s->fs.base);
	check_address(f, "GS base", s->gs.base);
}

static void check_flow(struct findings *f, const struct kvm_sregs *s, u64 rip, u64 rflags)
{
	if (!(rflags & RFLAGS_ONE) || rflags & RFLAGS_ZERO)
		found(f, "reserved bits in RFLAGS %lx", rflags);
	if (rflags & RFLAGS_VM && s->efer & EFER_LMA)
		found(f, "RFLAGS.VM in long mode");
	if (s->cs.l)
		check_address(f, "RIP", rip);
	else if (rip >> 32)
		found(f, "RIP %lx outside 64-bit code", rip);
}

u32 kvm_state_check(const struct kvm_sregs *s, u64 rip, u64 rflags, char *buf, size_t size)
{
	struct findings f = { buf, size, 0 };

	if (size)
		buf[0] = '\0';
	check_control(&f, s);
	check_code(&f, s);
	check_system(&f, s);
	check_flow(&f, s, rip, rflags);
	return f.count;
}

/*
 * VMX: the basic exit reason with bit 31 set (SDM vol. 3C section 26.8 "VM-entry failures during or
 * after loading guest state"); SVM: VMEXIT_INVALID, -1 (APM vol. 2 section 15.5.1).
 */
const char *kvm_entry_failure_name(u64 reason)
{
	switch (reason) {
	case 0x80000021:
		return "invalid guest state (VMX)";
	case 0x80000022:
		return "MSR loading (VMX)";
	case 0x80000029:
		return "machine check during entry (VMX)";
	case 0xffffffff:
	case ~0ull:
		return "invalid state (SVM)";
	default:
		return reason & 0x80000000 ? "entry failure (VMX)"
					   : "VM-instruction error or other";
	}
}
