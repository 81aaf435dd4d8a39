/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the shared pages of layout.h and the segment state that goes with them. */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <string.h>

#define TSS_IOPB_OFFSET 0x68u
#define TSS_LIMIT \
	(TSS_IOPB_OFFSET + 0x100 / 8) /* bitmap of ports 0-255 and its final byte of ones */

/* Descriptors as in Linux's GDT, accessed bits set so that the CPU never writes them. */
#define GDT_KERNEL_CS 0x00af9b000000ffffull
#define GDT_KERNEL_SS 0x00cf93000000ffffull
#define GDT_USER_SS   0x00cff3000000ffffull
#define GDT_USER_CS   0x00affb000000ffffull

static int map_page(struct kvm_machine *m, u64 va, u32 prot, u8 **ret)
{
	struct pt_change change;
	void *page = kvm_pool_alloc(&m->pool);

	if (!page)
		return -ENOMEM;
	*ret = page;
	pt_change_init(&change);
	return pt_map(&m->shared, va, kvm_pool_gpa(&m->pool, page), PAGE_SIZE,
		      prot | PT_ACCESSED | PT_DIRTY, PT_SIZE_4K, NULL, &change);
}

/* OUT imm8, AL; then UD2, which is never reached. */
static void put_out(u8 *p, u32 port)
{
	p[0] = 0xe6;
	p[1] = (u8)port;
	p[2] = 0x0f;
	p[3] = 0x0b;
}

static int build_stubs(struct kvm_machine *m)
{
	/* push %rax; mov %cr3,%rax; mov %rax,%cr3; pop %rax; iretq */
	static const u8 flush[] = { 0x50, 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0x58, 0x48, 0xcf };
	static const u8 iretq[] = { 0x48, 0xcf };
	u8 *page;
	int r = map_page(m, KVM_STUB_VA, PT_READ | PT_EXEC, &page);

	if (r)
		return r;
	memset(page, 0xcc, PAGE_SIZE);
	for (u32 v = 0; v < KVM_VECTORS; v++)
		put_out(page + v * KVM_STUB_SIZE, KVM_PORT_VECTOR + v);
	memcpy(page + KVM_STUB_IRET, iretq, sizeof(iretq));
	memcpy(page + KVM_STUB_FLUSH, flush, sizeof(flush));
	static_assert(KVM_STUB_FLUSH + sizeof(flush) - sizeof(iretq) == KVM_STUB_FLUSH_IRET,
		      "where the flush ends");
	put_out(page + KVM_STUB_SYSCALL, KVM_PORT_SYSCALL);
	if (m->behaviour.syscall_ring0)
		return 0;
	r = map_page(m, KVM_SYSCALL_VA, PT_READ | PT_EXEC | PT_USER, &page);
	if (r)
		return r;
	for (u32 i = 0; i < PAGE_SIZE; i += 2) /* whatever the target, one event or #UD */
		memcpy(page + i, "\x0f\x0b", 2);
	put_out(page, KVM_PORT_SYSCALL);
	return 0;
}

static void put_gate(u8 *idt, u32 vector, u64 target, u32 dpl)
{
	u64 low = (target & 0xffff) | (u64)SEL_KERNEL_CS << 16 | 1ull << 32 /* IST 1 */ |
		  (0x8eull | dpl << 5) << 40 | (target >> 16 & 0xffff) << 48;
	u64 high = target >> 32;

	memcpy(idt + vector * 16, &low, 8);
	memcpy(idt + vector * 16 + 8, &high, 8);
}

static int build_tables(struct kvm_machine *m)
{
	u8 *page;
	u64 *gdt;
	int r = map_page(m, KVM_TABLES_VA, PT_READ | PT_WRITE, &page);

	if (r)
		return r;
	gdt = (u64 *)page;
	gdt[SEL_KERNEL_CS / 8] = GDT_KERNEL_CS;
	gdt[SEL_KERNEL_SS / 8] = GDT_KERNEL_SS;
	gdt[SEL_USER_SS / 8] = GDT_USER_SS;
	gdt[SEL_USER_CS / 8] = GDT_USER_CS;
	for (u32 v = 0; v < KVM_VECTORS; v++) /* INT3 and INTO are the user's to execute */
		put_gate(page + KVM_IDT_OFFSET, v, KVM_STUB_VA + v * KVM_STUB_SIZE,
			 v == 3 || v == 4 ? 3 : 0);
	return 0;
}

static int build_cpu(struct kvm_machine *m, struct kvm_vcpu *v)
{
	u64 top = KVM_STACK_TOP(v->index);
	u16 bitmap = TSS_IOPB_OFFSET;
	u8 *tss = NULL, *stack = NULL;
	int r = map_page(m, KVM_TSS_VA(v->index), PT_READ | PT_WRITE, &tss);

	if (!r)
		r = map_page(m, KVM_STACK_VA(v->index), PT_READ | PT_WRITE, &stack);
	if (r)
		return r;
	memcpy(tss + 4, &top, 8);    /* RSP0 */
	memcpy(tss + 0x24, &top, 8); /* IST 1 */
	memcpy(tss + 0x66, &bitmap, 2);
	memset(tss + TSS_IOPB_OFFSET, 0xff, 0x100 / 8 + 1);
	/*
	 * With SYSCALL at CPL 3 the entry's OUT is the user's, so user code may use this one port
	 * anywhere.
	 */
	if (!m->behaviour.syscall_ring0)
		tss[TSS_IOPB_OFFSET + KVM_PORT_SYSCALL / 8] &= (u8) ~(1u << KVM_PORT_SYSCALL % 8);
	v->frame = (struct kvm_frame *)(stack + PAGE_SIZE - sizeof(struct kvm_frame));
	return 0;
}

int kvm_layout_init(struct kvm_machine *m)
{
	int r = build_stubs(m);

	if (!r)
		r = build_tables(m);
	for (u32 i = 0; !r && i < m->cpus; i++)
		r = build_cpu(m, &m->vcpus[i]);
	return r;
}

static struct kvm_segment segment(u16 selector, u8 type, u8 dpl, bool code)
{
	return (struct kvm_segment){
		.selector = selector,
		.limit = 0xffffffff,
		.type = type,
		.present = 1,
		.dpl = dpl,
		.s = 1,
		.l = code,
		.db = !code,
		.g = 1,
	};
}

/* Segments and table registers of user code (or, for boot, of ring 0). */
void kvm_layout_segments(struct kvm_sregs *s, u32 cpu, bool user)
{
	u8 dpl = user ? 3 : 0;

	s->cs = segment(user ? SEL_USER_CS : SEL_KERNEL_CS, 11, dpl, true);
	s->ss = segment(user ? SEL_USER_SS : SEL_KERNEL_SS, 3, dpl, false);
	s->ds = s->es = s->fs = s->gs = segment(0, 3, 3, false);
	s->ds.unusable = s->es.unusable = s->fs.unusable = s->gs.unusable = 1;
	s->ds.present = s->es.present = s->fs.present = s->gs.present = 0;
	s->tr = (struct kvm_segment){ .base = KVM_TSS_VA(cpu),
				      .limit = TSS_LIMIT,
				      .selector = SEL_TSS,
				      .type = 11,
				      .present = 1 };
	s->ldt = (struct kvm_segment){ .type = 2, .unusable = 1 };
	s->gdt = (struct kvm_dtable){ .base = KVM_TABLES_VA, .limit = 0x4f };
	s->idt = (struct kvm_dtable){ .base = KVM_IDT_VA, .limit = KVM_VECTORS * 16 - 1 };
}
