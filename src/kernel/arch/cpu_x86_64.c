/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptor tables and MSRs of a CPU in residency guest. */
#include "kernel/arch/arch.h"

#include "kernel/arch/asm_offsets.h"
#include "kernel/arch/entry_data.h"
#include "kernel/proc/task.h"
#include "kernel/sys/syscall.h"
#include "kernel/vdso/vvar.h"

#define CHECK(macro, type, field) static_assert((macro) == offsetof(type, field), #macro)
CHECK(CPU_SELF, struct cpu, self);
CHECK(CPU_CURRENT, struct cpu, curr);
CHECK(CPU_KERNEL_RSP, struct cpu, kernel_rsp);
CHECK(CPU_USER_REGS, struct cpu, user_regs);
CHECK(CPU_HOST_RSP, struct cpu, host_rsp);
CHECK(CPU_ID, struct cpu, id);
CHECK(CPU_SHARED, struct cpu, shared);
CHECK(CPU_TRAP_VECTOR, struct cpu, trap_vector);
CHECK(CPU_TRAP_ERROR, struct cpu, trap_error);
CHECK(CPU_TRAP_CR2, struct cpu, trap_cr2);
CHECK(CPU_QUICK_CALLS, struct cpu, quick_calls);
CHECK(CPU_QUICK_CALL, struct cpu, quick_call);
CHECK(CPU_QUICK_LIMIT, struct cpu, quick_limit);
static_assert(sizeof(struct cpu) == 1 << CPU_SHIFT, "CPU_SHIFT");
CHECK(ENTRY_USER_RSP, struct cpu_entry, user_rsp);
CHECK(ENTRY_KERNEL_CR3, struct cpu_entry, kernel_cr3);
CHECK(ENTRY_USER_CR3, struct cpu_entry, user_cr3);
CHECK(ENTRY_STACK_TOP, struct cpu_entry, stack_top);
CHECK(REGS_R15, struct rf_regs, r15);
CHECK(REGS_R14, struct rf_regs, r14);
CHECK(REGS_R13, struct rf_regs, r13);
CHECK(REGS_R12, struct rf_regs, r12);
CHECK(REGS_RBP, struct rf_regs, rbp);
CHECK(REGS_RBX, struct rf_regs, rbx);
CHECK(REGS_R11, struct rf_regs, r11);
CHECK(REGS_R10, struct rf_regs, r10);
CHECK(REGS_R9, struct rf_regs, r9);
CHECK(REGS_R8, struct rf_regs, r8);
CHECK(REGS_RAX, struct rf_regs, rax);
CHECK(REGS_RCX, struct rf_regs, rcx);
CHECK(REGS_RDX, struct rf_regs, rdx);
CHECK(REGS_RSI, struct rf_regs, rsi);
CHECK(REGS_RDI, struct rf_regs, rdi);
CHECK(REGS_ORIG_RAX, struct rf_regs, orig_rax);
CHECK(REGS_RIP, struct rf_regs, rip);
CHECK(REGS_CS, struct rf_regs, cs);
CHECK(REGS_RFLAGS, struct rf_regs, rflags);
CHECK(REGS_RSP, struct rf_regs, rsp);
CHECK(REGS_SS, struct rf_regs, ss);
CHECK(REGS_FS_BASE, struct rf_regs, fs_base);
CHECK(REGS_GS_BASE, struct rf_regs, gs_base);
CHECK(BOOT_INFO_HOST_TRAP, struct boot_info, host_trap);
CHECK(BOOT_INFO_HWCAP2, struct boot_info, hwcap2);
static_assert(BOOT_MAGIC == 0x3145434e46474e52ull && BOOT_VERSION == 1 &&
		      RF_MAX_CPUS == BOOT_CPUS_MAX,
	      "header.S");
static_assert(VECTOR_KICK == RF_VECTOR_KICK && VECTORS == RF_VECTOR_KICK + 1, "entry.S");
static_assert(RF_MAX_USER_ADDRESS == 0x3full << 41 && RF_ARENA_BASE == 0x7e0000000000,
	      "entry.S, boot.S");
static_assert(QUICK_SIZE == SYSCALL_QUICK_SIZE, "entry.S");
static_assert(sizeof(struct kernel_header) == 120, "header.S");

#define MSR_STAR        0xc0000081u
#define MSR_LSTAR       0xc0000082u
#define MSR_CSTAR       0xc0000083u
#define MSR_SFMASK      0xc0000084u
#define MSR_SYSENTER_CS 0x174u
#define CR4_PCIDE       (1ull << 17)
/* TF, IF, DF, IOPL, NT, RF, AC */
#define SFMASK_VALUE    0x57700u

/* Interrupt stack table slots (TSS.ISTn, n from 1). */
enum { IST_DF = 1, IST_NMI, IST_MC, IST_DB, IST_COUNT = IST_DB };

/* 64-bit TSS: SDM vol. 3A §8.7 "Task Management in 64-bit Mode". */
struct tss {
	u32 reserved0;
	u64 rsp[3];
	u64 reserved1;
	u64 ist[7];
	u64 reserved2;
	u16 reserved3;
	u16 io_bitmap; /* beyond the limit: no port for ring 3 */
} __packed;
static_assert(sizeof(struct tss) == 104, "SDM");

#define IST_STACK_SIZE 4096u
struct cpu_arch {
	u8 ist[IST_COUNT][IST_STACK_SIZE] __aligned(4096);
	u8 entry_stack[512] __aligned(64); /* RSP0: only the stubs' few pushes */
	u64 gdt[VVAR_CPU_SELECTOR / 8 + 1] __aligned(64);
	struct cpu *cpu; /* asm: ARCH_GDT_TO_CPU */
	struct tss tss __aligned(64);
};

static_assert(offsetof(struct cpu_arch, cpu) - offsetof(struct cpu_arch, gdt) == ARCH_GDT_TO_CPU,
	      "entry.S");

/* 64-bit interrupt gate: SDM vol. 3A §6.14.1 "64-Bit Mode IDT". */
struct gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};
#define GATE_INTERRUPT 0x8eu
#define GATE_DPL3      0x60u

u8 cpu_has_fsgsbase, cpu_has_smap;
extern const u64 exception_stubs[VECTORS];
/* All of it in user roots too. Nothing else may be in this section. */
#define __entry_data __attribute__((section(".bss.entry")))
static struct gate idt[VECTORS] __aligned(PAGE_SIZE) __entry_data;
struct cpu_entry cpu_entries[RF_MAX_CPUS] __aligned(PAGE_SIZE) __entry_data;
static struct cpu_arch cpu_archs[RF_MAX_CPUS] __entry_data;
static_assert(sizeof(struct cpu_arch) % PAGE_SIZE == 0, "pages of its own");

struct table_register {
	u16 limit;
	u64 base;
} __packed;

static u8 vector_ist(unsigned vector)
{
	switch (vector) {
	case 1:
		return IST_DB;
	case 2:
		return IST_NMI;
	case 8:
		return IST_DF;
	case 18:
		return IST_MC;
	default:
		return 0;
	}
}

static void idt_init(void)
{
	for (unsigned i = 0; i < VECTORS; i++) {
		u64 at = exception_stubs[i];

		idt[i] = (struct gate){
			.offset0 = (u16)at,
			.offset1 = (u16)(at >> 16),
			.offset2 = (u32)(at >> 32),
			.selector = SEL_KERNEL_CS,
			.ist = vector_ist(i),
			/* INT3 and INTO are the program's to execute; every other INT n is a #GP. */
			.type = GATE_INTERRUPT | (i == 3 || i == 4 ? GATE_DPL3 : 0),
		};
	}
}

/* A read-only data segment for ring 3 whose limit is the CPU's number: the vDSO reads it by LSL. SDM vol. 3A §3.4.5. */
static u64 cpu_number_segment(u64 id)
{
	return (id & 0xffff) | 0xf1ull << 40 | 1ull << 54;
}

static void gdt_init(struct cpu_arch *a, const struct cpu *c)
{
	u64 tss = (u64)&a->tss;

	/* No 32-bit user segment: there is no compatibility mode to enter the kernel from. */
	a->gdt[SEL_KERNEL_CS >> 3] = 0x00af9b000000ffffull;
	a->gdt[SEL_KERNEL_SS >> 3] = 0x00cf93000000ffffull;
	a->gdt[SEL_USER_SS >> 3] = 0x00cff3000000ffffull;
	a->gdt[SEL_USER_CS >> 3] = 0x00affb000000ffffull;
	a->gdt[SEL_TSS >> 3] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | 0x89ull << 40 |
			       (tss >> 24 & 0xff) << 56;
	a->gdt[(SEL_TSS >> 3) + 1] = tss >> 32;
	a->gdt[VVAR_CPU_SELECTOR >> 3] = cpu_number_segment(c->id);
}

static void tss_init(struct cpu_arch *a, struct cpu *c)
{
	a->cpu = c;
	a->tss.rsp[0] = (u64)(a->entry_stack + sizeof(a->entry_stack));
	cpu_entries[c->id].stack_top = a->tss.rsp[0];
	a->tss.io_bitmap = sizeof(struct tss);
	for (unsigned i = 0; i < IST_COUNT; i++)
		a->tss.ist[i] = (u64)a->ist[i] + IST_STACK_SIZE;
}

static void load_tables(struct cpu_arch *a)
{
	struct table_register gdtr = { sizeof(a->gdt) - 1, (u64)a->gdt };
	struct table_register idtr = { sizeof(idt) - 1, (u64)idt };

	__asm__ volatile("lgdt %0\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\n\t"
			 "movl %3, %%ss\n\t"
			 "lidt %1\n\t"
			 "ltr %w4"
			 :
			 : "m"(gdtr), "m"(idtr), "i"(SEL_KERNEL_CS), "r"(SEL_KERNEL_SS),
			   "r"(SEL_TSS)
			 : "rax", "memory");
}

void cpu_arch_init(struct cpu *c)
{
	u64 lstar = (u64)(boot_info()->kpti ? entry_syscall_kpti : entry_syscall);
	struct cpu_arch *a = &cpu_archs[c->id];

	if (c->id == 0) {
		cpu_has_fsgsbase = !!(boot_info()->boot_features & RF_BOOT_F_FSGSBASE);
		cpu_has_smap = !!(boot_info()->boot_features & RF_BOOT_F_SMAP);
		idt_init();
		speculation_init();
	}
	c->arch = a;
	gdt_init(a, c);
	tss_init(a, c);
	load_tables(a);
	wrmsr(MSR_STAR, (u64)SEL_USER_BASE << 48 | (u64)SEL_KERNEL_CS << 32);
	wrmsr(MSR_LSTAR, lstar);
	wrmsr(MSR_CSTAR, lstar);
	wrmsr(MSR_SFMASK, SFMASK_VALUE);
	wrmsr(MSR_SYSENTER_CS, 0); /* SYSENTER: #GP */
	/* CR3 bits 11:0 are 0 here, as this demands (SDM vol. 3A §4.10.1): the kernel's root, PCID 0. */
	if (boot_info()->boot_features & RF_BOOT_F_PCID)
		write_cr4(read_cr4() | CR4_PCIDE);
}

unsigned entry_ranges(struct entry_range *r)
{
	extern const char __entry_text_start[] __attribute__((visibility("hidden")));
	extern const char __entry_text_end[] __attribute__((visibility("hidden")));

	r[0] = (struct entry_range){ (u64)__entry_text_start, (u64)__entry_text_end,
				     RF_READ | RF_EXEC };
	r[1] = (struct entry_range){ (u64)idt, ALIGN_UP((u64)idt + sizeof(idt), PAGE_SIZE),
				     RF_READ };
	r[2] = (struct entry_range){ (u64)cpu_entries,
				     ALIGN_UP((u64)(cpu_entries + nr_cpus), PAGE_SIZE),
				     RF_READ | RF_WRITE };
	r[3] = (struct entry_range){ (u64)cpu_archs, (u64)(cpu_archs + nr_cpus),
				     RF_READ | RF_WRITE };
	return 4;
}

void task_stack_init(struct task *t, void (*fn)(struct task *))
{
	/* See context_switch: r15 r14 r13 r12 rbp rbx return-address; RSP is 16-byte aligned in the stub. */
	u64 *sp = (u64 *)((u8 *)t->kstack + KSTACK_SLOT - PAGE_SIZE - 16 - 7 * 8);

	sp[0] = sp[1] = sp[2] = sp[4] = 0;
	sp[3] = (u64)t;
	sp[5] = (u64)fn;
	sp[6] = (u64)task_entry_stub;
	t->kernel_rsp = (u64)sp;
}
