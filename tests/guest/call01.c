/* SPDX-License-Identifier: Apache-2.0 */
/* Odd system calls: numbers, at the very top of the address range, and the other entries (INT 80h, SYSENTER, 32-bit code, vsyscall). */
#include "guest/trap.h"

#define TOP_LINUX  0x7ffffffff000ul
#define TOP_INSIDE 0x7e0000000000ul

static long raw(unsigned long number)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(0L), "S"(0L), "d"(0L)
			 : "rcx", "r11", "memory");
	return result;
}

static void numbers(void)
{
	static const unsigned long unknown[] = {
		~0ul,         0x80000000ul, 0x7ffffffful,
		0xfffffffful, 0x80000027ul, 1000,
		511,          0x10000027ul, 0x27ul << 32 | 0xfffffffful
	};
	long pid = getpid();

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (raw(unknown[i]) != -ENOSYS)
			FAIL("%#lx gave %ld", unknown[i], raw(unknown[i]));
	/* The upper half of RAX does not matter. */
	CHECK_EQ(raw(SYS_getpid | 1ul << 32), pid);
	CHECK_EQ(raw(SYS_getpid | 0xfffffffful << 32), pid);
	CHECK_EQ(raw(SYS_sched_yield | 0x8000ul << 48), 0);
}

/* The highest page that can be mapped: one of a few candidates. */
static uint8_t *top_page(void)
{
	const uintptr_t tops[] = { TOP_LINUX, TOP_INSIDE };

	for (size_t i = 0; i < 2; i++)
		for (uintptr_t at = tops[i]; at >= tops[i] - 4 * PAGE; at -= PAGE)
			if (mmap((void *)at, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1,
				 0) == (void *)at)
				return (uint8_t *)at;
	FAIL("no page at the top");
}

static long jump(uintptr_t to, long number)
{
	long result;

	__asm__ volatile("call *%[to]"
			 : "=a"(result)
			 : [to] "r"(to), "a"(number)
			 : "rcx", "r11", "memory");
	return result;
}

/* SYSCALL as the last two bytes of the last page: the call is made, then the fetch behind it fails there. */
static void at_the_top(long number)
{
	uint8_t *page = top_page(), *end = page + PAGE;

	memcpy(end - 2, "\x0f\x05", 2);
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		jump((uintptr_t)end - 2, number);
	say("top, %ld: signal %d code %d, rip and address are the end: %d %d\n", number,
	    trap_seen.sig, trap_seen.code, trap_seen.at == (uintptr_t)end,
	    trap_seen.addr == (uintptr_t)end);
	/* Also with RET as the last byte, and with the instruction across the end. */
	memcpy(end - 3, "\x0f\x05\xc3", 3);
	if (number == SYS_getpid)
		CHECK_EQ(jump((uintptr_t)end - 3, number), getpid());
	end[-1] = 0x0f;
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		jump((uintptr_t)end - 1, number);
	say("across: signal %d code %d rip %ld address %ld\n", trap_seen.sig, trap_seen.code,
	    (long)(trap_seen.at - (uintptr_t)end), (long)(trap_seen.addr - (uintptr_t)end));
	OK(munmap(page, PAGE));
}

/* A jump to where nothing can be. */
static void beyond(void)
{
	static const uintptr_t targets[] = { TOP_LINUX, 0x800000000000, 0xffff800000000000 };

	for (size_t volatile i = 0; i < 3; i++) {
		trap_seen = (struct trap){ 0 };
		if (sigsetjmp(trap_back, 1) == 0)
			jump(targets[i], SYS_getpid);
		say("jump to %#lx: signal %d code %d\n", targets[i], trap_seen.sig, trap_seen.code);
	}
}

/* ---- entries that are not for 64-bit programs: each in a child, which may be answered, refused or killed, but comes back ---- */

static void contained(const char *name, int (*fn)(void *))
{
	int status = wait_for(spawn(fn, NULL));

	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGSEGV && WTERMSIG(status) != SIGILL &&
	    WTERMSIG(status) != SIGBUS)
		FAIL("%s: wait status %#x", name, status);
	say("%s: contained\n", name);
}

static int int80(void *arg)
{
	long result;

	__asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory"); /* getpid there */
	return result != getpid();
}

static int sysenter(void *arg)
{
	__asm__ volatile("mov %%rsp, %%rbp; sysenter" : : "a"(20L) : "memory", "rcx", "rdx");
	return 0;
}

static uint8_t *low_code(const char *code, size_t length)
{
	uint8_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	CHECK(p != MAP_FAILED);
	memcpy(p, code, length);
	return p;
}

/* Far jump to the 32-bit code segment. */
static int run32(const char *code, size_t length)
{
	uint8_t *p = low_code(code, length);
	uint8_t *stack = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	CHECK(stack != (void *)MAP_FAILED);
	*(uint32_t *)stack = (uint32_t)(uintptr_t)p;
	*(uint16_t *)(stack + 4) = 0x23;
	__asm__ volatile("lea 2048(%[stack]), %%rsp; ljmpl *(%[stack])"
			 :
			 : [stack] "r"(stack)
			 : "memory");
	__builtin_unreachable();
}

static int far32(void *arg)
{
	return run32("\xb8\x01\0\0\0\x31\xdb\xcd\x80\x0f\x0b",
		     11); /* exit(0) by int 80h, else ud2 */
}

static int far32_syscall(void *arg)
{
	return run32("\xb8\x01\0\0\0\x31\xdb\x0f\x05\x0f\x0b", 11);
}

static int far32_sysenter(void *arg)
{
	return run32("\xb8\x01\0\0\0\x31\xdb\x89\xe5\x0f\x34\x0f\x0b", 13);
}

static int vsyscall(void *arg)
{
	time_t (*const time_at)(time_t *) = (time_t(*)(time_t *))0xffffffffff600400;

	return time_at(NULL) <= 0;
}

static int vsyscall_middle(void *arg)
{
	((void (*)(void))0xffffffffff600007)();
	return 0;
}

static int read_vsyscall(void *arg)
{
	return *(volatile char *)0xffffffffff600000 == 1;
}

int main(void)
{
	numbers();
	trap_init();
	at_the_top(SYS_getpid);
	at_the_top(SYS_sched_yield);
	at_the_top(-1);
	beyond();
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			signal(sig, SIG_DFL);
	contained("int 80h", int80);
	contained("sysenter", sysenter);
	contained("32-bit int 80h", far32);
	contained("32-bit syscall", far32_syscall);
	contained("32-bit sysenter", far32_sysenter);
	contained("vsyscall", vsyscall);
	contained("vsyscall middle", vsyscall_middle);
	contained("vsyscall read", read_vsyscall);
	return 0;
}
