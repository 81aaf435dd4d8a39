/* SPDX-License-Identifier: Apache-2.0 */
/* What a program can make of its flags with POPF and by sigreturn, and that they last over calls, signals and switches. */
#include <ucontext.h>

#include "guest/guest.h"

#define DF 0x400ul
#define AC 0x40000ul

static const struct {
	const char *name;
	unsigned long bit;
} flags[] = {
	{ "CF", 1 },    { "1", 2 },         { "PF", 4 },         { "3", 8 },
	{ "AF", 0x10 }, { "ZF", 0x40 },     { "SF", 0x80 },      { "IF", 0x200 },
	{ "DF", DF },   { "OF", 0x800 },    { "IOPL", 0x3000 },  { "VM", 0x20000 },
	{ "AC", AC },   { "VIF", 0x80000 }, { "VIP", 0x100000 }, { "ID", 0x200000 },
};

/* Sets flags, makes a system call (or not, with -1), reads them: all in one so that no C code runs with them. */
static unsigned long set_and_get(unsigned long set, long number)
{
	unsigned long got;

	__asm__ volatile("sub $128, %%rsp; push %[set]; popf\n"
			 "test %%eax, %%eax; js 1f\n" /* changes arithmetic flags */
			 "push %[set]; popf; syscall\n"
			 "jmp 2f\n"
			 "1: push %[set]; popf\n"
			 "2: pushf; pop %[got]\n"
			 "push $0x202; popf; add $128, %%rsp"
			 : [got] "=&r"(got), "+a"(number)
			 : [set] "r"(set)
			 : "rcx", "r11", "memory", "cc");
	return got;
}

static void by_popf(void)
{
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		unsigned long bit = flags[i].bit;

		say("popf %s: %#lx; after a call %#lx, a slow one %#lx\n", flags[i].name,
		    set_and_get(0x202 | bit, -1), set_and_get(0x202 | bit, SYS_getpid),
		    set_and_get(0x202 | bit, SYS_sched_yield));
	}
	say("popf without IF: %#lx %#lx\n", set_and_get(2, -1), set_and_get(2, SYS_getpid));
}

static unsigned long to_set, to_clear;
static volatile unsigned long in_handler, in_frame;

static void handler(int sig, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	in_handler = __builtin_ia32_readeflags_u64();
	in_frame = (unsigned long)regs[REG_EFL];
	regs[REG_EFL] = (greg_t)((in_frame | to_set) & ~to_clear);
	__builtin_ia32_writeeflags_u64(0x202);
}

/* Raises the signal by a call with `before` in the flags; what is in them afterwards. */
static unsigned long by_sigreturn(unsigned long before, unsigned long set, unsigned long clear)
{
	unsigned long got;

	to_set = set;
	to_clear = clear;
	__asm__ volatile("sub $128, %%rsp; push %[before]; popf; syscall; pushf; pop %[got]\n"
			 "push $0x202; popf; add $128, %%rsp"
			 : [got] "=r"(got)
			 : [before] "r"(before), "a"((long)SYS_kill), "D"((long)getpid()),
			   "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory", "cc");
	return got;
}

static void sigreturns(void)
{
	handle_info(SIGUSR1, handler, 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		say("sigreturn %s: set %#lx, cleared %#lx\n", flags[i].name,
		    by_sigreturn(0x202, flags[i].bit, 0),
		    by_sigreturn(0x202 | flags[i].bit, 0, flags[i].bit));
	say("RF: %#lx\n", by_sigreturn(0x202, 0x10000, 0));
	say("all: %#lx\n", by_sigreturn(0x202, ~0x4100ul, 0));
	say("none: %#lx\n", by_sigreturn(0x202, 0, ~0ul));
	by_sigreturn(0x202 | DF, 0, 0);
	say("DF: in the handler %d, in the frame %d\n", !!(in_handler & DF), !!(in_frame & DF));
}

/* The kernel copies with the program's DF set: forwards all the same. */
static void copies(void)
{
	char *a = map_pages(4, PROT_READ | PROT_WRITE), *b = a + 2 * PAGE;
	int ends[2];
	long n;

	OK(pipe(ends));
	for (unsigned long i = 0; i < 2 * PAGE; i++)
		a[i] = (char)(i * 7);
	__asm__ volatile("std; syscall; cld"
			 : "=a"(n)
			 : "a"((long)SYS_write), "D"((long)ends[1]), "S"(a + 5), "d"(5000L)
			 : "rcx", "r11", "memory", "cc");
	CHECK_EQ(n, 5000);
	__asm__ volatile("std; syscall; cld"
			 : "=a"(n)
			 : "a"((long)SYS_read), "D"((long)ends[0]), "S"(b + 3), "d"(5000L)
			 : "rcx", "r11", "memory", "cc");
	CHECK_EQ(n, 5000);
	CHECK(memcmp(a + 5, b + 3, 5000) == 0);
	CHECK(b[2] == 0 && b[5003] == 0);
}

/* NT can be set by a program; nothing may come of it, not even when the kernel returns by IRET. */
static void nested_task(void)
{
	set_and_get(0x4202, SYS_getpid);
	set_and_get(0x4202, SYS_sched_yield);
	by_sigreturn(0x4202, 0, 0);
	__asm__ volatile(
		"sub $128, %%rsp; push $0x4202; popf; movb $1, (%0); push $0x202; popf; add "
		"$128, %%rsp" ::"r"(map_pages(1, PROT_READ | PROT_WRITE))
		: "memory", "cc");
}

int main(void)
{
	by_popf();
	sigreturns();
	copies();
	nested_task();
	say("ok\n");
	return 0;
}
