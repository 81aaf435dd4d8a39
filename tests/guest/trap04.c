/* SPDX-License-Identifier: Apache-2.0 */
/* Single step by the trap flag: which instructions stop, over system calls, flag changes, faults, MOV SS and sigreturn. */
#include "guest/trap.h"

#define STEPS 64

static volatile long steps[STEPS];
static volatile int count;
static uintptr_t base;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	/* TF is off in a handler, else this would not end. */
	CHECK(!(__builtin_ia32_readeflags_u64() & 0x100));
	if (count == STEPS) {
		g[REG_EFL] &= ~0x100;
		return;
	}
	steps[count++] = (long)((uintptr_t)g[REG_RIP] - base);
	if (sig == SIGTRAP && info->si_code == TRAP_TRACE)
		CHECK((uintptr_t)info->si_addr == (uintptr_t)g[REG_RIP]);
	if (sig == SIGILL)
		g[REG_RIP] += 2;
}

static void show(const char *name)
{
	say("%s:", name);
	for (int i = 0; i < count; i++)
		say(" %ld", steps[i]);
	say("\n");
}

#define ON  "pushf; orl $0x100, (%rsp); popf\n"
#define OFF "pushf; andl $~0x100, (%rsp); popf\n"

/* Each is a function; its label _s is where offsets count from. */
#define SNIPPET(name, body)                                                                   \
	void name(void);                                                                      \
	extern char name##_s[];                                                               \
	__asm__(".globl " #name ", " #name "_s\n" #name ": push %rbx\n" ON #name "_s:\n" body \
		"\n" OFF "nop\npop %rbx\nret\n")

SNIPPET(plain, "nop; nop; mov $1, %eax; nop");
SNIPPET(call, "mov $39, %eax; syscall; nop; nop");
SNIPPET(badcall, "mov $-1, %rax; syscall; nop; nop");
SNIPPET(slowcall, "mov $24, %eax; syscall; nop; nop"); /* sched_yield */
SNIPPET(popflags, "pushf; popf; nop; nop");
SNIPPET(popclear, "pushf; andl $~0x100, (%rsp); popf; nop; nop");
SNIPPET(undefined, "nop; ud2; nop");
SNIPPET(string, "lea -200(%rsp), %rdi; mov $3, %ecx; rep stosb; nop");
SNIPPET(cpuid, "xor %eax, %eax; cpuid; nop");
SNIPPET(shadow, "mov %ss, %eax; mov %eax, %ss; nop; nop");
SNIPPET(shadowcall, "mov %ss, %ebx; mov $39, %eax; mov %ebx, %ss; syscall; nop; nop");
SNIPPET(shadowbp, "mov %ss, %ebx; mov %ebx, %ss; int3; nop; nop");
SNIPPET(shadowcall2, "mov %ss, %ebx; mov $24, %eax; mov %ebx, %ss; syscall; nop; nop");

static void run(const char *name, void (*f)(void), const char *start)
{
	count = 0;
	base = (uintptr_t)start;
	f();
	__builtin_ia32_writeeflags_u64(0x202);
	show(name);
}

#define RUN(f) run(#f, f, f##_s)

/* Only that the program survives, and the registers: what exactly stops in the shadow of MOV SS is the CPU's own. */
#define SURVIVES(f)                                    \
	do {                                           \
		count = 0;                             \
		base = (uintptr_t)f##_s;               \
		f();                                   \
		CHECK(count > 0 && count < STEPS);     \
		__builtin_ia32_writeeflags_u64(0x202); \
		say("%s: survived\n", #f);             \
	} while (0)

static void set_tf(int sig, siginfo_t *info, void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] |= 0x100;
}

/* TF given by sigreturn: the first instruction after it runs, then comes the trap. */
void by_return(void);
extern char by_return_s[];
__asm__(".globl by_return, by_return_s\n"
	"by_return: push %rbx\n"
	"	ud2\n"
	"by_return_s: nop; nop; nop\n" OFF "nop; pop %rbx; ret\n");

static void on_ill(int sig, siginfo_t *info, void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
	set_tf(sig, info, context);
}

int main(void)
{
	handle_info(SIGTRAP, on_trap, 0);
	handle_info(SIGILL, on_trap, 0);
	RUN(plain);
	RUN(call);
	RUN(badcall);
	RUN(slowcall);
	RUN(popflags);
	RUN(popclear);
	RUN(undefined);
	RUN(string);
	RUN(cpuid);
	SURVIVES(shadow);
	SURVIVES(shadowcall);
	SURVIVES(shadowcall2);
	SURVIVES(shadowbp);
	handle_info(SIGILL, on_ill, 0);
	RUN(by_return);
	return 0;
}
