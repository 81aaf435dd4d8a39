/* SPDX-License-Identifier: Apache-2.0 */
/* Attacks through the virtual machine: exits, guest-physical addresses, privileged state, and memory the monitor looks at. */
#include "evil.h"

#define MSR_EFER 0xc0000080u

struct far_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

/* ---- guest-physical addresses; each ends the sandbox where there is no memory ---- */

struct access {
	u8 *at;
	u64 how;
};

static void access_once(void *arg)
{
	const struct access *a = arg;
	volatile u8 *p = a->at;

	switch (a->how) {
	case 0:
		(void)*p;
		break;
	case 1:
		*p = 0x5a;
		break;
	case 2:
		(void)*(volatile u64 *)(volatile void *)p;
		break;
	case 3:
		__asm__ volatile("lock incq (%0)" ::"r"(p) : "memory");
		break;
	case 4:
		__asm__ volatile("movl $64, %%ecx; rep stosb" ::"D"(p), "a"(0) : "rcx", "memory");
		break;
	case 5:
		__asm__ volatile("fxsave64 (%0)" ::"r"((u64)p & ~15ull) : "memory");
		break;
	case 6:
		__asm__ volatile("call *%0" ::"r"(p) : "memory");
		break;
	case 7: /* as a stack */
		__asm__ volatile(
			"mov %%rsp, %%rbx; mov %0, %%rsp; push %%rax; mov %%rbx, %%rsp" ::"r"(p)
			: "rbx", "memory");
		break;
	default: /* as descriptor tables */
	{
		const struct far_pointer t = { 0xfff, (u64)p };

		__asm__ volatile("lidt %0; int3" ::"m"(t) : "memory");
	}
	}
}

/* The parameter is the address, the count how to use it. */
static void touch_gpa(struct evil_cpu *cpu)
{
	struct access a = { evil_map(1, evil_parameter), evil_count };

	evil_map(2, evil_parameter + PAGE_SIZE);
	evil_try(cpu, access_once, &a);
	evil_exit(cpu, cpu->exceptions ? 3 : 0);
}

/* Everything that guest-physical memory below the arena shows: read, and written over with random bytes. */
static void scribble_low(struct evil_cpu *cpu)
{
	for (u64 i = 0; i < evil_count; i++) {
		volatile u64 *p = (volatile u64 *)(void *)evil_map(
			(u32)i, 0x100000 + evil_below(cpu, 64) * PAGE_SIZE);

		for (u32 k = 0; k < 512; k++)
			p[k] = evil_random(cpu);
	}
	for (u32 i = 0; i < 100; i++)
		evil_random_call(cpu);
}

static void load_cr3(void *value)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

/* The root of the page tables somewhere else. */
static void bad_cr3(struct evil_cpu *cpu)
{
	evil_try(cpu, load_cr3, (void *)evil_parameter);
	evil_exit(cpu, cpu->exceptions ? 3 : 0);
}

/* ---- ports ---- */

/* The parameter: the port; the count: bits 0-1 the size, bit 2 in, bit 3 string. */
static void port(void *unused)
{
	u16 p = (u16)evil_parameter;
	u32 size = evil_count & 3, in = evil_count & 4;

	(void)unused;
	if (evil_count & 8) {
		const u8 *b = evil_buffer(0);

		if (in)
			__asm__ volatile("rep insb" ::"D"(b), "c"(4096), "d"(p) : "memory");
		else if (size == 2)
			__asm__ volatile("rep outsl" ::"S"(b), "c"(1024), "d"(p) : "memory");
		else
			__asm__ volatile("rep outsb" ::"S"(b), "c"(4096), "d"(p) : "memory");
		return;
	}
	if (in)
		__asm__ volatile("inl %1, %0" ::"a"(0), "d"(p));
	else if (size == 0)
		__asm__ volatile("outb %b0, %1" ::"a"(0xfe), "d"(p));
	else if (size == 1)
		__asm__ volatile("outw %w0, %1" ::"a"(0x2000), "d"(p));
	else
		__asm__ volatile("outl %0, %1" ::"a"(0x80000000), "d"(p));
}

static void use_port(struct evil_cpu *cpu)
{
	evil_try(cpu, port, NULL);
	evil_exit(cpu, cpu->exceptions ? 3 : 0);
}

/* ---- privileged state ---- */

static void read_msr(void *nr)
{
	u32 a, d;

	__asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"((u32)(u64)nr));
}

struct msr_write {
	u32 nr;
	u64 value;
};

static void write_msr(void *arg)
{
	const struct msr_write *w = arg;

	__asm__ volatile("wrmsr" ::"a"((u32)w->value), "d"((u32)(w->value >> 32)), "c"(w->nr)
			 : "memory");
}

static void msr_one(struct evil_cpu *cpu, u32 nr)
{
	struct msr_write w = { nr, evil_below(cpu, 2) ? evil_random(cpu)
						      : RF_ARENA_GPA | evil_below(cpu, 1 << 20) };

	evil_try(cpu, read_msr, (void *)(u64)nr);
	if (nr != MSR_EFER)
		evil_try(cpu, write_msr, &w);
}

/* So many numbers from the parameter on. */
static void msrs(struct evil_cpu *cpu)
{
	for (u64 i = 0; i < evil_count; i++)
		msr_one(cpu, (u32)(evil_parameter + i));
	evil_log(cpu, "MSRs done");
}

static void set_efer(struct evil_cpu *cpu)
{
	struct msr_write w = { MSR_EFER, evil_parameter };

	evil_try(cpu, write_msr, &w);
	evil_exit(cpu, cpu->exceptions ? 3 : 0);
}

static void cr0_write(void *v)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}
static void cr2_write(void *v)
{
	__asm__ volatile("mov %0, %%cr2" ::"r"(v) : "memory");
}
static void cr4_write(void *v)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}
static void cr8_write(void *v)
{
	__asm__ volatile("mov %0, %%cr8" ::"r"(v) : "memory");
}
static void dr0_write(void *v)
{
	__asm__ volatile("mov %0, %%db0" ::"r"(v) : "memory");
}
static void dr6_write(void *v)
{
	__asm__ volatile("mov %0, %%db6" ::"r"(v) : "memory");
}
static void dr7_write(void *v)
{
	__asm__ volatile("mov %0, %%db7" ::"r"(v) : "memory");
}

static void (*const registers[])(void *) = { cr0_write, cr2_write, cr4_write, cr8_write,
					     dr0_write, dr6_write, dr7_write, load_cr3 };

/* Random values in control and debug registers. What they do to this kernel is its own affair. */
static void control(struct evil_cpu *cpu)
{
	for (u64 i = 0; i < evil_count; i++) {
		u64 v = evil_below(cpu, 2) ? evil_random(cpu) : 1ull << evil_below(cpu, 64);

		evil_try(cpu, registers[evil_below(cpu, ARRAY_SIZE(registers) - 1)], (void *)v);
	}
}

/* One bit of CR0 (parameter below 32) or CR4 (from 32 on) changed. */
static void mode_bit(struct evil_cpu *cpu)
{
	u64 v;

	if (evil_parameter < 32)
		__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	else
		__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	v ^= 1ull << (evil_parameter & 31);
	evil_try(cpu, evil_parameter < 32 ? cr0_write : cr4_write, (void *)v);
	evil_exit(cpu, cpu->exceptions ? 3 : 0);
}

static void xsetbv(void *v)
{
	__asm__ volatile("xsetbv" ::"a"((u32)(u64)v), "d"((u32)((u64)v >> 32)), "c"(0));
}

static void cpuid(void *leaf)
{
	u32 a = (u32)(u64)leaf, b, c = (u32)((u64)leaf >> 32), d;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
}

#define INSTRUCTION(name, text)                                                     \
	static void op_##name(void *v)                                              \
	{                                                                           \
		__asm__ volatile(text ::"a"(v), "b"(v), "c"(v), "d"(v) : "memory"); \
	}
INSTRUCTION(vmcall, "vmcall")
INSTRUCTION(vmmcall, "vmmcall")
INSTRUCTION(vmrun, "vmrun")
INSTRUCTION(vmload, "vmload")
INSTRUCTION(vmsave, "vmsave")
INSTRUCTION(stgi, "stgi")
INSTRUCTION(clgi, "clgi")
INSTRUCTION(skinit, "skinit")
INSTRUCTION(invlpga, "invlpga")
INSTRUCTION(vmxoff, "vmxoff")
INSTRUCTION(vmlaunch, "vmlaunch")
INSTRUCTION(invd, "invd")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(rsm, "rsm")
INSTRUCTION(monitor, "monitor")
INSTRUCTION(mwait, "mwait")
INSTRUCTION(rdpmc, "rdpmc")
INSTRUCTION(rdtscp, "rdtscp")
INSTRUCTION(int2, "int $2")
INSTRUCTION(int80, "int $0x80")
INSTRUCTION(int1, ".byte 0xf1")
INSTRUCTION(ud2, "ud2")
INSTRUCTION(ud0, ".byte 0x0f, 0xff, 0xc0")
INSTRUCTION(clts, "clts")
INSTRUCTION(swapgs, "swapgs; swapgs")
INSTRUCTION(far_jump, ".byte 0x48, 0xff, 0x2b")
INSTRUCTION(lldt, "lldt %w0")
INSTRUCTION(ltr, "ltr %w0")
INSTRUCTION(
	prefixes,
	".byte 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90")

static void (*const operations[])(void *) = {
	op_vmcall, op_vmmcall,  op_vmrun,   op_vmload,   op_vmsave,   op_stgi,
	op_clgi,   op_skinit,   op_invlpga, op_vmxoff,   op_vmlaunch, op_invd,
	op_wbinvd, op_rsm,      op_monitor, op_mwait,    op_rdpmc,    op_rdtscp,
	op_int2,   op_int80,    op_int1,    op_ud2,      op_ud0,      op_clts,
	op_swapgs, op_far_jump, op_lldt,    op_prefixes, xsetbv,      cpuid,
};

/* Each instruction that a hypervisor may have to do something about, with random operands. */
static void instructions(struct evil_cpu *cpu)
{
	for (u64 i = 0; i < evil_count; i++)
		evil_try(cpu, operations[i % ARRAY_SIZE(operations)],
			 (void *)(evil_below(cpu, 2) ? evil_below(cpu, 64) : evil_random(cpu)));
}

/* One of them, by number: some end the sandbox on some CPUs. */
static void instruction(struct evil_cpu *cpu)
{
	if (evil_parameter >= ARRAY_SIZE(operations))
		evil_exit(cpu, 4);
	evil_try(cpu, operations[evil_parameter], (void *)evil_below(cpu, 16));
	evil_exit(cpu, cpu->exceptions ? 3 : 0);
}

/* No TSS, and an exception after that. QEMU's emulation of a CPU aborts then ("invalid tss"), the virtual machine with it. */
static void no_task(struct evil_cpu *cpu)
{
	evil_try(cpu, op_ltr, NULL);
	evil_try(cpu, op_ud2, NULL);
	evil_exit(cpu, 3);
}

static void cpuids(struct evil_cpu *cpu)
{
	static const u32 bases[] = { 0, 0x40000000, 0x80000000, 0x8fffff00, 0xc0000000 };

	for (u32 b = 0; b < ARRAY_SIZE(bases); b++)
		for (u64 i = 0; i < 40; i++)
			for (u64 sub = 0; sub < 4; sub++)
				evil_try(cpu, cpuid, (void *)((bases[b] + i) | sub << 32));
}

/* ---- the CPU lost ---- */

static void triple_fault(struct evil_cpu *cpu)
{
	const struct far_pointer none = { 0, 0 };

	(void)cpu;
	__asm__ volatile("lidt %0; int3" ::"m"(none));
}

/* Gates and descriptors as no kernel has them; the parameter chooses. */
static void bad_tables(struct evil_cpu *cpu)
{
	static u64 gates[64] __attribute__((aligned(16)));
	struct far_pointer t = { sizeof(gates) - 1, (u64)gates };

	for (u32 i = 0; i < ARRAY_SIZE(gates); i++)
		gates[i] = evil_parameter == 0   ? 0x0000850000200000ull /* task gates */
			   : evil_parameter == 1 ? 0x00008e0000000000ull /* null selector */
			   : evil_parameter == 2 ? 0x00008e0700100000ull /* an IST that is 0 */
						 : evil_random(cpu);
	if (evil_parameter == 4)
		t.base = 0x7fffffffffffull;
	if (evil_parameter == 5)
		t.base = RF_ARENA_BASE + evil_arena_size;
	__asm__ volatile("lidt %0" ::"m"(t));
	if (evil_parameter == 6) {
		t.base = 0;
		__asm__ volatile("lgdt %0; mov %1, %%ss" ::"m"(t), "r"(0x18));
	}
	__asm__ volatile("int3");
	evil_exit(cpu, 0);
}

/* Waiting with interrupts on, with nothing to call: every HLT is a call of what the mailbox holds. */
static void halts(struct evil_cpu *cpu)
{
	volatile struct mailbox *m = &evil_info()->cpu[cpu->number].mbox;

	for (u64 i = 0; i < evil_count; i++) {
		m->nr = i % 2 ? HC_YIELD : ~0ull;
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	}
}

/* Never a call; the parameter: interrupts on. */
static void silent(struct evil_cpu *cpu)
{
	evil_call(cpu, HC_YIELD, 0, 0, 0, 0);
	if (evil_parameter)
		__asm__ volatile("sti");
	for (;;)
		evil_pause();
}

/* Says that it is in user code, so that it is interrupted, and has no IDT for that. */
static void kicked_without_tables(struct evil_cpu *cpu)
{
	const struct far_pointer none = { 0, 0 };
	struct cpu_shared *s = &evil_info()->cpu[cpu->number];

	s->in_user = 1;
	s->deadline_ns = 1;
	if (!evil_parameter)
		__asm__ volatile("lidt %0" ::"m"(none));
	__asm__ volatile("sti");
	for (;;)
		evil_pause();
}

static void kicker(struct evil_cpu *cpu)
{
	while (!evil_done)
		evil_call(cpu, HC_KICK, 0, 0, 0, 0);
}

/* Interrupted as often as deadlines can make it, and every one taken. */
static void kick_storm(struct evil_cpu *cpu)
{
	struct cpu_shared *s = &evil_info()->cpu[cpu->number];

	s->in_user = 1;
	for (u64 i = 0; i < evil_count; i++) {
		s->deadline_ns = 1;
		evil_call(cpu, HC_KICK, cpu->number ^ 1, 0, 0, 0);
		for (u32 k = 0; k < 50; k++)
			evil_pause();
		s->kick = 0;
	}
}

/* ---- memory the monitor knows ---- */

/* The image's own text, through a mapping of ours that may be written. */
static void self_modify(struct evil_cpu *cpu)
{
	u64 text = RF_ARENA_GPA + KERNEL_IMAGE_OFF;

	for (u64 i = 0; i < evil_count; i++) {
		u8 *p = evil_map((u32)i, text + evil_below(cpu, 2) * 8 + evil_below(cpu, 12) * 8);

		*(volatile u64 *)(void *)p =
			evil_random(cpu); /* the header, which was read at the start */
	}
	{
		u8 *code = evil_map(7, RF_ARENA_GPA - RF_ARENA_BASE + (u64)op_ud0);

		*(volatile u8 *)code = 0xc3;
	}
	evil_try(cpu, op_ud0, NULL);
	evil_log(cpu, "still here");
}

static void scribble(struct evil_cpu *cpu, u64 words)
{
	volatile u64 *info = (volatile u64 *)(void *)evil_info();

	for (u64 i = 0; i < words; i++)
		info[evil_below(cpu, sizeof(struct boot_info) / 8)] =
			evil_below(cpu, 4) ? evil_random(cpu) >> evil_below(cpu, 64) : 0;
}

/* All of boot_info: sizes, clock page, watch bitmaps, mailboxes, deadlines, pending signals. */
static void scribble_info(struct evil_cpu *cpu)
{
	static const u64 now;

	for (u64 i = 0; i < evil_count; i++) {
		scribble(cpu, 200);
		evil_call(cpu, HC_IDLE, 1 + now, 0, 0, 0);
		evil_call(cpu, HC_CLOCK, 1, 0, 0, 0);
	}
}

static void scribbler(struct evil_cpu *cpu)
{
	while (!evil_done) {
		u32 keep = evil_info()->cpu[0].in_user;

		scribble(cpu, 64);
		evil_info()->cpu[0].in_user = keep;
	}
}

/* The tables that map the kernel, written over by one CPU while the other runs on them. */
static void scribble_tables(struct evil_cpu *cpu)
{
	volatile u64 *root = (volatile u64 *)(evil_root - RF_ARENA_GPA + RF_ARENA_BASE);

	for (u64 i = 0; i < evil_count; i++)
		root[evil_below(cpu, 512)] = evil_random(cpu);
	__asm__ volatile("mov %0, %%cr3" ::"r"(evil_cr3()) : "memory");
	evil_random_call(cpu);
}

/* ---- a mix for the long mode ---- */

static void mix_step(struct evil_cpu *cpu)
{
	switch (evil_below(cpu, 8)) {
	case 0:
		msr_one(cpu, (u32)(evil_below(cpu, 2) ? evil_below(cpu, 0x2000)
						      : 0xc0000000 + evil_below(cpu, 0x12000)));
		break;
	case 1:
		evil_try(cpu, operations[evil_below(cpu, ARRAY_SIZE(operations))],
			 (void *)evil_random(cpu));
		break;
	case 2:
		evil_try(cpu, registers[3 + evil_below(cpu, 4)], (void *)evil_random(cpu));
		break;
	case 3:
		scribble(cpu, 4);
		break;
	default:
		evil_random_call(cpu);
	}
}

static void mix(struct evil_cpu *cpu)
{
	for (u64 i = 0; i < evil_count && !evil_done; i++)
		mix_step(cpu);
}

const struct evil_case evil_machine[] = {
	{ "gpa", touch_gpa, NULL },
	{ "scribble-low", scribble_low, NULL },
	{ "cr3", bad_cr3, NULL },
	{ "port", use_port, NULL },
	{ "msrs", msrs, NULL },
	{ "efer", set_efer, NULL },
	{ "control", control, NULL },
	{ "mode-bit", mode_bit, NULL },
	{ "instructions", instructions, NULL },
	{ "instruction", instruction, NULL },
	{ "cpuid", cpuids, NULL },
	{ "no-task", no_task, NULL },
	{ "triple-fault", triple_fault, NULL },
	{ "bad-tables", bad_tables, NULL },
	{ "halts", halts, halts },
	{ "silent", silent, silent },
	{ "kicked", kicked_without_tables, kicker },
	{ "kick-storm", kick_storm, kick_storm },
	{ "self-modify", self_modify, NULL },
	{ "scribble-info", scribble_info, scribbler },
	{ "scribble-tables", scribble_tables, NULL },
	{ "mix", mix, mix },
	{ NULL, NULL, NULL },
};
