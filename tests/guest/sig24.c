/* SPDX-License-Identifier: Apache-2.0 */
/* rt_sigreturn restores all registers, RCX and R11 too; bad addresses and segments in the frame end in the signal Linux gives. */
#include "guest/trap.h"

static void (*volatile change)(greg_t *);
static volatile uintptr_t value;

static void on_usr1(int sig, siginfo_t *info, void *context)
{
	change(((ucontext_t *)context)->uc_mcontext.gregs);
}

/* Landing places: a push needs the stack, a NOP does not. */
extern char land_push[], land_nop[];
void land(void);
__asm__("land: ret\nland_push: push %rax; nop\nland_nop: nop\nhlt\n");

static void set_registers(greg_t *g)
{
	g[REG_RCX] = 0x1111222233334444;
	g[REG_R11] = 0x5555666677778888;
}

static void preserved(void)
{
	unsigned long rcx, r11;

	change = set_registers;
	__asm__ volatile("syscall"
			 : "=c"(rcx), "=a"(r11)
			 : "a"((long)SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "r11", "memory");
	CHECK_EQ(rcx, 0x1111222233334444);
	__asm__ volatile("syscall; mov %%r11, %0"
			 : "=r"(r11)
			 : "a"((long)SYS_kill), "D"((long)getpid()), "S"((long)SIGUSR1)
			 : "rcx", "r11", "memory");
	CHECK_EQ(r11, 0x5555666677778888);
}

/* A fault in the middle of a loop keeps both as well. */
static void none(greg_t *g)
{
	(void)g;
}

static void set_rip(greg_t *g)
{
	g[REG_RIP] = (greg_t)value;
}

static void set_rsp(greg_t *g)
{
	g[REG_RSP] = (greg_t)value;
	g[REG_RIP] = (greg_t)(uintptr_t)land_push;
}

static void set_rsp_unused(greg_t *g)
{
	g[REG_RSP] = (greg_t)value;
	g[REG_RIP] = (greg_t)(uintptr_t)land_nop;
}

#define SEGMENTS(g) ((uint16_t *)&(g)[REG_CSGSFS]) /* cs, gs, fs, ss */

static void set_cs(greg_t *g)
{
	SEGMENTS(g)[0] = (uint16_t)value;
}

static void set_ss(greg_t *g)
{
	SEGMENTS(g)[3] = (uint16_t)value;
}

static void try(const char *name, void (*how)(greg_t *), uintptr_t with)
{
	const char *addr;

	change = how;
	value = with;
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		raise(SIGUSR1);
	addr = !trap_seen.addr ? "0" : trap_seen.addr == with ? "the value" : "other";
	say("%s %#lx: signal %d code %d addr %s trap %ld%s\n", name, (unsigned long)with,
	    trap_seen.sig, trap_seen.code, addr, trap_seen.trapno,
	    how == set_rip && trap_seen.at == with ? " there" : "");
}

static void addresses(void)
{
	static const uintptr_t rips[] = { 0,
					  0x00007dfffffff000, /* the last page inside */
					  0x00007e0000000000,
					  8,
					  0x00007ffffffff000,
					  0x00007fffffffffff,
					  0x0000800000000000,
					  0x8000000000000000,
					  0xffff7fffffffffff,
					  0xffff800000000000,
					  0xffffffff81000000,
					  0xffffffffffffffff };

	for (size_t i = 0; i < sizeof(rips) / sizeof(rips[0]); i++)
		try("rip", set_rip, rips[i]);
	try("rsp", set_rsp, 0x0000800000000000);
	try("rsp", set_rsp, 0x8000000000000000);
	try("rsp", set_rsp, 0x0000800000000008);
	try("rsp", set_rsp, 8);
	try("rsp unused", set_rsp_unused, 0x8000000000000000);
	try("rsp unused", set_rsp_unused, 1);
}

static void segments(void)
{
	static const uint16_t cs[] = { 0, 3, 0x10, 0x18, 0x2b, 0x30, 0x33, 0x7b, 0x1234, 0xffff };
	static const uint16_t ss[] = { 0, 3, 0x10, 0x18, 0x23, 0x28, 0x2b, 0x33, 0x1234, 0xffff };

	for (size_t i = 0; i < sizeof(cs) / sizeof(cs[0]); i++)
		try("cs", set_cs, cs[i]);
	for (size_t i = 0; i < sizeof(ss) / sizeof(ss[0]); i++)
		try("ss", set_ss, ss[i]);
}

int main(void)
{
	trap_init();
	handle_info(SIGUSR1, on_usr1, 0);
	preserved();
	try("nothing", none, 1);
	addresses();
	segments();
	return 0;
}
