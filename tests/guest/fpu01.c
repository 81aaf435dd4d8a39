/* SPDX-License-Identifier: Apache-2.0 */
/* x87 and SSE exceptions: masked ones set their status bit only, unmasked ones are SIGFPE with the right code, a pending one waits. */
#include "guest/trap.h"
#include "guest/xstate.h"

#define MXCSR_DEFAULT 0x1f80u

/* An x87 exception comes at the next x87 instruction: at 'fwait' below, not in between, not in a system call. */
static volatile double sink;

static const struct {
	const char *name;
	double a, b;
	char op;
	uint16_t bit;
} cases[] = {
	{ "invalid", 0.0, 0.0, '/', 1 },      { "divide by zero", 1.0, 0.0, '/', 4 },
	{ "overflow", 1e308, 1e308, '*', 8 }, { "underflow", 1e-308, 1e-308, '*', 16 },
	{ "inexact", 1.0, 3.0, '/', 32 },
};

static void x87_operate(double a, double b, char op)
{
	double r;

	if (op == '/')
		__asm__ volatile("fldl %1; fdivl %2; fstpl %0; fwait" : "=m"(r) : "m"(a), "m"(b));
	else
		__asm__ volatile("fldl %1; fmull %2; fstpl %0; fwait" : "=m"(r) : "m"(a), "m"(b));
	sink = r;
}

static void sse_operate(double a, double b, char op)
{
	if (op == '/')
		__asm__ volatile("divsd %1, %0" : "+x"(a) : "x"(b));
	else
		__asm__ volatile("mulsd %1, %0" : "+x"(a) : "x"(b));
	sink = a;
}

static void x87_control(uint16_t cw)
{
	__asm__ volatile("fnclex; fldcw %0" : : "m"(cw));
}

static uint16_t x87_status(void)
{
	uint16_t sw;

	__asm__ volatile("fnstsw %0" : "=m"(sw));
	return sw;
}

static void try(void (*operate)(double, double, char), size_t i)
{
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		operate(cases[i].a, cases[i].b, cases[i].op);
}

static void show(const char *unit, size_t i)
{
	say("%s %s: signal %d code %d trap %ld addr is rip %d\n", unit, cases[i].name,
	    trap_seen.sig, trap_seen.code, trap_seen.trapno,
	    trap_seen.sig && trap_seen.addr == trap_seen.at);
}

static void check_x87(size_t i)
{
	x87_control(0x37f);
	try(x87_operate, i);
	CHECK_EQ(trap_seen.sig, 0);
	CHECK(x87_status() & cases[i].bit);
	getppid();
	CHECK(x87_status() & cases[i].bit);
	x87_control((uint16_t)(0x37f & ~cases[i].bit));
	try(x87_operate, i);
	show("x87", i);
	__asm__ volatile("fninit");
}

static void check_sse(size_t i)
{
	set_mxcsr(MXCSR_DEFAULT);
	try(sse_operate, i);
	CHECK_EQ(trap_seen.sig, 0);
	CHECK(get_mxcsr() & cases[i].bit);
	getppid();
	sched_yield();
	CHECK(get_mxcsr() & cases[i].bit);
	set_mxcsr(MXCSR_DEFAULT & ~((unsigned)cases[i].bit << 7));
	try(sse_operate, i);
	set_mxcsr(MXCSR_DEFAULT);
	show("sse", i);
}

/* With the exception pending: system calls, a switch, memory the kernel must copy; then the signal, at FWAIT and not before. */
static void pending(void)
{
	static const double one = 1.0, zero = 0.0;
	uint16_t cw = 0x37b;
	volatile int reached = 0;
	char name[400];

	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0) {
		__asm__ volatile("fninit; fldcw %0; fldl %1; fdivl %2"
				 :
				 : "m"(cw), "m"(one), "m"(zero));
		reached = 1;
		syscall(SYS_getppid);
		syscall(SYS_sched_yield);
		reached = 2;
		syscall(SYS_uname, name);
		reached = 3;
		__asm__ volatile("fwait");
		reached = 4;
	}
	__asm__ volatile("fninit");
	say("pending: reached %d signal %d code %d\n", reached, trap_seen.sig, trap_seen.code);
}

static int child_clean(void *arg)
{
	x87_operate(1, 2, '/');
	return 0;
}

/* Status and masks are the program's own: another process' unmasked, pending exception is no concern of this one. */
static int child_pending(void *arg)
{
	static const double one = 1.0, zero = 0.0;
	uint16_t cw = 0x340;

	__asm__ volatile("fninit; fldcw %0; fldl %1; fdivl %2" : : "m"(cw), "m"(one), "m"(zero));
	set_mxcsr(0);
	for (int i = 0; i < 50; i++)
		syscall(SYS_sched_yield);
	_exit(0);
}

/* fnstsw, fnclex and fninit don't wait; a handler gets clean control words and the status in the frame. */
static volatile unsigned frame_sw, frame_cw, now_sw, now_cw;

static void on_fpe(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint16_t cw;

	frame_sw = uc->uc_mcontext.fpregs->swd;
	frame_cw = uc->uc_mcontext.fpregs->cwd;
	__asm__ volatile("fnstcw %0" : "=m"(cw));
	now_cw = cw;
	now_sw = x87_status();
	uc->uc_mcontext.fpregs->swd &= (uint16_t)~0x80ff; /* no more pending */
}

static void in_frame(void)
{
	static const double one = 1.0, zero = 0.0;
	uint16_t cw = 0x37b, after;

	handle_info(SIGFPE, on_fpe, 0);
	__asm__ volatile("fninit; fldcw %1; fldl %2; fdivl %3; fwait; fnstcw %0; fninit"
			 : "=m"(after)
			 : "m"(cw), "m"(one), "m"(zero));
	say("frame: status %#x control %#x; handler: status %#x control %#x; after: control %#x\n",
	    frame_sw & 0x80ff, frame_cw, now_sw, now_cw, after);
}

int main(void)
{
	pid_t pid[4];

	trap_init();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_x87(i);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_sse(i);
	pending();
	for (int i = 0; i < 4; i++)
		pid[i] = spawn(i & 1 ? child_clean : child_pending, NULL);
	for (int i = 0; i < 4; i++)
		wait_ok(pid[i]);
	in_frame();
	return 0;
}
