/* SPDX-License-Identifier: Apache-2.0 */
/* What a hostile program can do without system calls: instructions, jumps, signal frames. Each may end the process. */
#include "stress/fuzz.h"

#include <ucontext.h>

#include "guest/guest.h"

static struct choices frame_choices;
static char signal_stack[65536] __attribute__((aligned(64)));

/* Returns through a frame in which some words are wrong. */
static void spoil_frame(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	struct choices *c = &frame_choices;
	char *fp = (char *)uc->uc_mcontext.fpregs;

	(void)info;
	if (sig == SIGSEGV)
		_exit(139);
	switch (choose_below(c, 8)) {
	case 0:
		uc->uc_mcontext.gregs[choose_below(c, 23)] = (long long)pointer_choose(c);
		break;
	case 1:
		uc->uc_mcontext.gregs[REG_EFL] = (long long)choose(c);
		break;
	case 2:
		uc->uc_mcontext.gregs[REG_CSGSFS] = (long long)choose(c);
		break;
	case 3:
		uc->uc_mcontext.fpregs = (void *)pointer_choose(c);
		break;
	case 4: /* the legacy area, with MXCSR, and the XSAVE header */
		for (int i = 0; fp && i < 4; i++)
			fp[choose_below(c, 576 + 64)] = (char)choose(c);
		break;
	case 5: /* sizes and magic of the XSAVE area */
		if (fp)
			memcpy(fp + 464 + 4 * choose_below(c, 12),
			       &(uint32_t){ (uint32_t)pointer_choose(c) }, 4);
		break;
	case 6:
		memset(&uc->uc_sigmask, (int)choose(c), 8);
		break;
	default:
		uc->uc_stack.ss_sp = (void *)pointer_choose(c);
		uc->uc_stack.ss_size = choose(c);
	}
}

void odd_signal_prepare(void)
{
	stack_t stack = { .ss_sp = signal_stack, .ss_size = sizeof(signal_stack) };

	sigaltstack(&stack, NULL);
	handle_info(SIGUSR1, spoil_frame, SA_ONSTACK | SA_NODEFER);
	handle_info(SIGSEGV, spoil_frame, SA_ONSTACK);
}

static void return_from_nothing(struct choices *c)
{
	uint64_t frame = pointer_choose(c);

	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tsyscall" ::"r"(frame)
			 : "rax", "rcx", "r11", "memory");
}

static void call_with_stack(struct choices *c)
{
	uint64_t stack = pointer_choose(c);

	__asm__ volatile(
		"mov %%rsp, %%rbx\n\tmov %0, %%rsp\n\tmov $39, %%eax\n\tsyscall\n\tmov %%rbx, %%rsp" ::
			"r"(stack)
		: "rax", "rbx", "rcx", "r11", "memory");
}

/* A system call as the last instruction below @end, so that the return address is @end. */
static void call_at_end(uint64_t end)
{
	char *page = (char *)end - PAGE;

	if (mmap(page, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != page)
		return;
	page[PAGE - 2] = 0x0f;
	page[PAGE - 1] = 0x05;
	__asm__ volatile("mov $39, %%eax\n\tjmp *%0" ::"r"(page + PAGE - 2)
			 : "rax", "rcx", "r11", "memory");
}

static void set_flags(uint64_t flags)
{
	__asm__ volatile(
		"pushf\n\tor %0, (%%rsp)\n\tpopf\n\tmov $39, %%eax\n\tsyscall\n\tnop" ::"r"(flags)
		: "rax", "rcx", "r11", "memory", "cc");
}

static void return_to(uint64_t cs, uint64_t rip, uint64_t flags, uint64_t rsp, uint64_t ss)
{
	__asm__ volatile("push %0\n\tpush %1\n\tpush %2\n\tpush %3\n\tpush %4\n\tiretq" ::"r"(ss),
			 "r"(rsp), "r"(flags), "r"(cs), "r"(rip)
			 : "memory");
}

#define ONE(text) \
	__asm__ volatile(text ::: "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "memory", "cc")

static void instruction(struct choices *c)
{
	static const uint16_t selectors[] = { 0,    3,    0x10, 0x13, 0x18, 0x1b, 0x20, 0x23,
					      0x28, 0x2b, 0x30, 0x33, 0x38, 0x3b, 0x43, 0xffff };
	uint16_t selector = CHOOSE_OF(c, selectors);

	switch (choose_below(c, 32)) {
	case 0:
		ONE("int3");
		break;
	case 1:
		ONE("mov $20, %%eax; int $0x80");
		break;
	case 2:
		ONE("ud2");
		break;
	case 3:
		ONE("hlt");
		break;
	case 4:
		ONE("mov $0x80, %%dx; in %%dx, %%al");
		break;
	case 5:
		ONE("mov $0x3f8, %%dx; mov $65, %%al; out %%al, %%dx");
		break;
	case 6:
		ONE("xor %%edx, %%edx; xor %%ecx, %%ecx; div %%ecx");
		break;
	case 7:
		ONE("mov $0x80000000, %%eax; xor %%ecx, %%ecx; cpuid");
		break;
	case 8:
		ONE("xor %%ecx, %%ecx; rdpmc");
		break;
	case 9:
		ONE("xor %%ecx, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; xsetbv");
		break;
	case 10:
		ONE("vmcall");
		break;
	case 11:
		ONE("vmmcall");
		break;
	case 12:
		ONE("mov %%cr3, %%rax");
		break;
	case 13:
		ONE("mov %%rax, %%dr7");
		break;
	case 14:
		ONE("mov $0xc0000080, %%ecx; rdmsr");
		break;
	case 15:
		ONE("mov $0xc0000102, %%ecx; xor %%eax, %%eax; xor %%edx, %%edx; wrmsr");
		break;
	case 16:
		ONE("swapgs");
		break;
	case 17:
		ONE("sysretq");
		break;
	case 18:
		ONE("int $0x2; int $0x8");
		break;
	case 19:
		ONE("int $0xe");
		break;
	case 20:
		ONE("cli; sti");
		break;
	case 21:
		ONE("clts; invd");
		break;
	case 22:
		ONE("sysenter");
		break;
	case 23:
		__asm__ volatile("mov %0, %%ds" ::"r"(selector));
		break;
	case 24:
		__asm__ volatile("mov %0, %%fs" ::"r"(selector));
		break;
	case 25:
		__asm__ volatile("mov %0, %%gs" ::"r"(selector));
		break;
	case 26:
		__asm__ volatile("mov %0, %%ss" ::"r"(selector));
		break;
	case 27:
		__asm__ volatile("push %0\n\tpush $0\n\tlretq" ::"r"((uint64_t)selector));
		break;
	case 28:
		ONE("sub $16, %%rsp; sidt (%%rsp); sgdt (%%rsp); sldt (%%rsp); str %%ax; smsw %%ax; add $16, %%rsp");
		break;
	case 29:
		ONE("sub $16, %%rsp; lidt (%%rsp); add $16, %%rsp");
		break;
	case 30:
		ONE("push $0; ldmxcsr (%%rsp); divps %%xmm0, %%xmm0; push $-1; ldmxcsr (%%rsp)");
		break;
	default:
		ONE("push $0; fldcw (%%rsp); fldz; fld1; fdiv %%st(1), %%st; fwait");
	}
}

void odd_thing(struct choices *c)
{
	frame_choices.state = choose(c);
	switch (choose_below(c, 12)) {
	case 0:
	case 1:
	case 2:
	case 3:
		raise(SIGUSR1);
		break;
	case 4:
		return_from_nothing(c);
		break;
	case 5:
		call_with_stack(c);
		break;
	case 6:
		set_flags(choose_below(c, 2) ? 0x100 : choose(c) & 0x3f7fd5);
		break;
	case 7:
		((void (*)(void))pointer_choose(c))();
		break;
	case 8:
		call_at_end(choose_below(c, 2) ? 0x7e0000000000 : 0x7ffffffff000);
		break;
	case 9:
		return_to(choose_below(c, 0x50), pointer_choose(c), choose(c), pointer_choose(c),
			  choose_below(c, 0x50));
		break;
	case 10:
		*(volatile char *)pointer_choose(c) = 1;
		break;
	default:
		instruction(c);
	}
}
