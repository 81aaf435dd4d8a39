/* SPDX-License-Identifier: Apache-2.0 */
/* The evil image's own ground: descriptor tables, the window on guest-physical memory, hostcalls, and the choice of the case. */
#include "evil.h"

#define CPU_AREA    8192u
#define WINDOW_BASE 0x10000000000ull /* PML4 slot 2 */
#define PTE_P_W     3ull

struct table_pointer {
	u16 limit;
	u64 base;
} __attribute__((packed));

struct gate {
	u16 offset_low, selector;
	u8 ist, type;
	u16 offset_middle;
	u32 offset_high, zero;
};

extern const u8 evil_stubs[];
void evil_main(u64 number);

static u8 cpu_areas[EVIL_CPUS][CPU_AREA] __attribute__((aligned(CPU_AREA)));
static struct gate idt[256];
static u64 window_pdpt[512] __attribute__((aligned(4096)));
static u64 window_pd[512] __attribute__((aligned(4096)));
static u64 window_pt[512] __attribute__((aligned(4096)));
static volatile u32 idt_ready;

u64 evil_seed, evil_count, evil_parameter;
u64 evil_free_start, evil_stacks_start, evil_arena_size, evil_root;
volatile u32 evil_done;

/* The compiler calls these. */
void *memset(void *to, int value, size_t n);
void *memcpy(void *to, const void *from, size_t n);

void *memset(void *to, int value, size_t n)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(n) : "a"(value) : "memory");
	return to;
}

void *memcpy(void *to, const void *from, size_t n)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(n)::"memory");
	return to;
}

/* splitmix64. */
u64 evil_random(struct evil_cpu *cpu)
{
	u64 z = cpu->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

s64 evil_call_all(struct evil_cpu *cpu, u64 nr, const u64 arg[HOSTCALL_ARGS])
{
	volatile struct mailbox *m = &evil_info()->cpu[cpu->number].mbox;

	m->nr = nr;
	for (u32 i = 0; i < HOSTCALL_ARGS; i++)
		m->arg[i] = arg[i];
	m->ret = 0;
	__asm__ volatile("cli; hlt" ::: "memory");
	return m->ret;
}

s64 evil_call(struct evil_cpu *cpu, u64 nr, u64 a, u64 b, u64 c, u64 d)
{
	const u64 arg[HOSTCALL_ARGS] = { a, b, c, d };

	return evil_call_all(cpu, nr, arg);
}

static u64 length(const char *s)
{
	u64 n = 0;

	while (s[n])
		n++;
	return n;
}

/* Buffers must lie in the arena past the boot area; the image's read-only data does. */
void evil_log(struct evil_cpu *cpu, const char *text)
{
	evil_call(cpu, HC_LOG, 0, (u64)text, length(text), 0);
}

void evil_exit(struct evil_cpu *cpu, u64 status)
{
	evil_done = 1;
	for (;;)
		evil_call(cpu, HC_EXIT, status, 0, 0, 0);
}

void evil_fail(struct evil_cpu *cpu, const char *what, u64 detail)
{
	static char text[256];
	u64 n = length(what);

	for (u64 i = 0; i < n && i < 200; i++)
		text[i] = what[i];
	text[n++] = ' ';
	for (int shift = 60; shift >= 0; shift -= 4)
		text[n++] = "0123456789abcdef"[detail >> shift & 15];
	text[n] = 0;
	evil_log(cpu, text);
	evil_exit(cpu, 99);
}

static u64 gpa_of(const void *p)
{
	return (u64)p - RF_ARENA_BASE + RF_ARENA_GPA;
}

static void window_init(void)
{
	volatile u64 *pml4 = (u64 *)(evil_root - RF_ARENA_GPA + RF_ARENA_BASE);

	window_pdpt[0] = gpa_of(window_pd) | PTE_P_W;
	window_pd[0] = gpa_of(window_pt) | PTE_P_W;
	pml4[WINDOW_BASE >> 39] = gpa_of(window_pdpt) | PTE_P_W;
}

u8 *evil_map(u32 slot, u64 gpa)
{
	u8 *at = (u8 *)(WINDOW_BASE + slot % 512 * PAGE_SIZE);

	((volatile u64 *)window_pt)[slot % 512] = (gpa & ~0xfffull) | PTE_P_W;
	__asm__ volatile("invlpg (%0)" ::"r"(at) : "memory");
	return at + (gpa & 0xfff);
}

static void idt_init(void)
{
	for (u32 i = 0; i < 256; i++) {
		u64 to = (u64)evil_stubs + i * EVIL_STUB_SIZE;

		idt[i] = (struct gate){ .offset_low = (u16)to,
					.selector = 0x10,
					.ist = 1,
					.type = 0x8e,
					.offset_middle = (u16)(to >> 16),
					.offset_high = (u32)(to >> 32) };
	}
}

/* Code at 0x10 and data at 0x18 as the platform made them, a TSS at 0x20. */
static void tables_load(struct evil_cpu *c)
{
	u64 tss = (u64)c->tss;
	struct table_pointer gdt = { sizeof(c->gdt) - 1, (u64)c->gdt };
	struct table_pointer table = { sizeof(idt) - 1, (u64)idt };

	c->gdt[2] = 0x00af9b000000ffffull;
	c->gdt[3] = 0x00cf93000000ffffull;
	c->gdt[4] = 0x0000890000000067ull | (tss & 0xffffff) << 16 | (tss >> 24 & 0xff) << 56;
	c->gdt[5] = tss >> 32;
	*(u64 *)(void *)(c->tss + 36) = (u64)c + CPU_AREA; /* IST1 */
	__asm__ volatile("lgdt %0; ltr %w2; lidt %1" ::"m"(gdt), "m"(table), "r"(0x20) : "memory");
}

static const char *argument(u32 n)
{
	const char *base = (const char *)evil_config(), *s = base + evil_config()->argv;

	if (n >= evil_config()->argc)
		return "";
	while (n--)
		s += length(s) + 1;
	return s;
}

static u64 number(const char *s)
{
	u64 base = 10, v = 0;

	if (s[0] == '0' && s[1] == 'x') {
		base = 16;
		s += 2;
	}
	for (; *s; s++)
		v = v * base + (u64)(*s <= '9' ? *s - '0' : (*s | 32) - 'a' + 10);
	return v;
}

static bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

static const struct evil_case *find_case(const struct evil_case *table, const char *name)
{
	for (; table->name; table++)
		if (same(table->name, name))
			return table;
	return NULL;
}

static void run_case(struct evil_cpu *c, const struct evil_case *e)
{
	if (c->number && e->other)
		e->other(c);
	if (c->number)
		for (;;)
			evil_call(c, HC_CPU_EXIT, 0, 0, 0, 0);
	e->run(c);
	evil_exit(c, 0);
}

/* CPU 0 makes what all share, the others wait for it. */
void evil_main(u64 cpu)
{
	struct evil_cpu *c = (struct evil_cpu *)(void *)cpu_areas[cpu % EVIL_CPUS];
	const struct evil_case *e;

	c->number = cpu;
	if (!cpu) {
		evil_seed = number(argument(2));
		evil_count = number(argument(3));
		evil_parameter = number(argument(4));
		evil_free_start = evil_info()->free_start;
		evil_stacks_start = evil_info()->stacks_start;
		evil_arena_size = evil_info()->arena_size;
		evil_root = evil_info()->kernel_root;
		idt_init();
		window_init();
		idt_ready = 1;
	}
	while (!idt_ready)
		evil_pause();
	c->random = evil_seed + cpu * 0x1234567;
	tables_load(c);
	e = find_case(evil_calls, argument(1));
	if (!e)
		e = find_case(evil_machine, argument(1));
	if (!e)
		evil_fail(c, "there is no such case", 0);
	run_case(c, e);
}
