/* SPDX-License-Identifier: Apache-2.0 */
/* FS and GS bases of threads are their own, also when written by the program itself while others run; segment registers can be loaded. */
#include <asm/prctl.h>
#include <pthread.h>
#include <sys/auxv.h>

#include "guest/trap.h"

#define THREADS 6
#define ROUNDS  40

static volatile int stop;
static bool fsgsbase;

static uint64_t gs_ask(void)
{
	uint64_t v = ~0ull;

	syscall(SYS_arch_prctl, ARCH_GET_GS, &v);
	return v;
}

static void gs_set(uint64_t v)
{
	if (fsgsbase)
		__asm__ volatile("wrgsbase %0" : : "r"(v) : "memory");
	else
		syscall(SYS_arch_prctl, ARCH_SET_GS, v);
}

static uint64_t gs_get(void)
{
	uint64_t v;

	if (!fsgsbase)
		return gs_ask();
	__asm__ volatile("rdgsbase %0" : "=r"(v));
	return v;
}

/* A fault, which the kernel resolves, and one that becomes a signal. */
static void fault(void)
{
	char *p = map_pages(1, PROT_READ | PROT_WRITE);

	*(volatile char *)p = 1;
	OK(munmap(p, PAGE));
}

static void *worker(void *arg)
{
	uint64_t mine = 0x10000000ul * (uintptr_t)arg;
	uint64_t *self = (uint64_t *)__builtin_thread_pointer();

	for (unsigned i = 0; i < ROUNDS; i++, mine += 0x1000) {
		gs_set(mine);
		if (i % 4 == 0)
			sched_yield();
		else if (i % 4 == 1)
			fault();
		else if (i % 4 == 2)
			for (volatile int k = 0; k < 20000; k++)
				;
		else
			getppid();
		CHECK(gs_get() == mine);
		CHECK(i % 8 || gs_ask() == mine);
		CHECK((uint64_t *)__builtin_thread_pointer() == self && *self == (uintptr_t)self);
	}
	return NULL;
}

/* Spins in user code only, with a base nobody else may see, and reads through it. */
static void *spinner(void *arg)
{
	static __thread uint64_t word;
	uint64_t got;

	word = 0xabcdef00 + (uintptr_t)arg;
	gs_set((uintptr_t)&word);
	while (!stop) {
		__asm__ volatile("mov %%gs:0, %0" : "=r"(got));
		CHECK_EQ(got, 0xabcdef00 + (uintptr_t)arg);
	}
	CHECK(gs_get() == (uintptr_t)&word);
	return NULL;
}

static void threads(void)
{
	pthread_t t[THREADS], s[2];

	for (intptr_t i = 0; i < 2; i++)
		CHECK_EQ(pthread_create(&s[i], NULL, spinner, (void *)i), 0);
	for (intptr_t i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_create(&t[i], NULL, worker, (void *)(i + 1)), 0);
	for (int i = 0; i < THREADS; i++)
		CHECK_EQ(pthread_join(t[i], NULL), 0);
	stop = 1;
	for (int i = 0; i < 2; i++)
		CHECK_EQ(pthread_join(s[i], NULL), 0);
}

/* FS by the instruction itself: the thread pointer moves and comes back, with a call and a fault in between. */
static void fs_by_instruction(void)
{
	uint64_t saved, seen, asked = 0, elsewhere = 0x123456789000;
	volatile char *page = map_pages(1, PROT_READ | PROT_WRITE);

	if (!fsgsbase)
		return;
	__asm__ volatile("rdfsbase %[saved]\n"
			 "wrfsbase %[elsewhere]\n"
			 "movb $1, (%[page])\n"
			 "syscall\n"
			 "rdfsbase %[seen]\n"
			 "wrfsbase %[saved]"
			 : [saved] "=&r"(saved), [seen] "=&r"(seen)
			 : [elsewhere] "r"(elsewhere), [page] "r"(page), "a"((long)SYS_arch_prctl),
			   "D"((long)ARCH_GET_FS), "S"(&asked)
			 : "rcx", "r11", "memory");
	CHECK(seen == elsewhere);
	CHECK(asked == elsewhere);
}

static void on_segv(int sig, siginfo_t *info, void *context)
{
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 5; /* see below */
}

/* Non-canonical bases: #GP for the instructions, EPERM for the call. */
static void non_canonical(void)
{
	if (fsgsbase && !cpu_is_emulated()) { /* QEMU takes any */
		handle_info(SIGSEGV, on_segv, 0);
		__asm__ volatile(".byte 0xf3, 0x48, 0x0f, 0xae, 0xd8"
				 :
				 : "a"(1ull << 63)); /* wrgsbase rax */
	}
	FAILS(syscall(SYS_arch_prctl, ARCH_SET_GS, 1ull << 63), EPERM);
	FAILS(syscall(SYS_arch_prctl, ARCH_SET_GS, 0x7ffffffff000), EPERM);
	FAILS(syscall(SYS_arch_prctl, ARCH_SET_FS, ~0ul), EPERM);
}

/* Which selectors can be loaded, with what signal if not. What is read back, and for how long, is not part of the interface. */
static void selectors(void)
{
	static const uint16_t values[] = {
		0, 1, 2, 3, 0x2b, 0x33, 0x28, 0x10, 0x18, 0x1234, 0xfff8
	};
	static const struct {
		const char *name;
		uint8_t modrm;
	} registers[] = { { "es", 0xc0 }, { "ds", 0xd8 }, { "gs", 0xe8 } };

	for (size_t r = 0; r < sizeof(registers) / sizeof(registers[0]); r++)
		for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
			const uint8_t code[] = {
				0xb8, (uint8_t)values[i], (uint8_t)(values[i] >> 8), 0, 0,
				0x8e, registers[r].modrm
			};
			struct trap t = trap_run(code, sizeof(code));

			say("%s %#x: signal %d code %d\n", registers[r].name, values[i], t.sig,
			    t.code);
			sched_yield();
		}
	/* DS and ES loaded oddly don't matter to anything. */
	__asm__ volatile("mov %0, %%ds; mov %0, %%es" : : "r"(0));
	worker((void *)9);
}

int main(void)
{
	fsgsbase = getauxval(AT_HWCAP2) & 2;
	threads();
	fs_by_instruction();
	trap_init();
	selectors();
	non_canonical();
	say("ok\n");
	return 0;
}
