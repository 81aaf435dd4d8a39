/* SPDX-License-Identifier: Apache-2.0 */
/* Alignment checks (flag AC): faults where the host faults, and system calls with AC set work and leave it set. */
#include <sys/uio.h>

#include "guest/trap.h"

#define AC 0x40000u

static const char set_ac[] = "\x9c\x81\x0c\x24\x00\x00\x04\x00\x9d"; /* pushf; or [rsp], AC; popf */

static struct trap with_ac(const char *code, size_t length)
{
	uint8_t all[64];
	size_t n = sizeof(set_ac) - 1;

	memcpy(all, set_ac, n);
	memcpy(all + n, code, length);
	return trap_run(all, n + length);
}

static void show(const char *name, struct trap t)
{
	say("%s: signal %d code %d at %ld addr %#lx trap %ld error %ld\n", name, t.sig, t.code,
	    t.rip, t.addr, t.trapno, t.error);
}

/* A system call with AC on before, AC still there after it, the result. */
static long call_with_ac(long number, long a, long b, long c, long *ret_flags)
{
	long result;

	__asm__ volatile("sub $128, %%rsp; pushf; orl $0x40000, (%%rsp); popf\n"
			 "syscall\n"
			 "pushf; mov (%%rsp), %%rcx; andl $~0x40000, (%%rsp); popf; add $128, %%rsp"
			 : "=a"(result), "=c"(*ret_flags)
			 : "a"(number), "D"(a), "S"(b), "d"(c)
			 : "r11", "memory");
	return result;
}

static volatile long flags_in_handler;

static void handler(int sig)
{
	flags_in_handler = (long)__builtin_ia32_readeflags_u64();
	__builtin_ia32_writeeflags_u64((unsigned long long)flags_in_handler &
				       ~(unsigned long long)AC);
}

static void calls(void)
{
	char *p = map_pages(4, PROT_READ | PROT_WRITE);
	struct iovec v[2] = { { p + 1, 100 }, { p + PAGE - 3, 7 } };
	int ends[2];
	long flags = 0;

	OK(pipe(ends));
	CHECK_EQ(call_with_ac(SYS_getpid, 0, 0, 0, &flags), getpid());
	CHECK(flags & AC);
	CHECK_EQ(call_with_ac(SYS_sched_yield, 0, 0, 0, &flags), 0);
	CHECK(flags & AC);
	/* The kernel's copies from and to odd addresses, across pages, absent ones. */
	CHECK_EQ(call_with_ac(SYS_write, ends[1], (long)(p + 3), 101, &flags), 101);
	CHECK_EQ(call_with_ac(SYS_read, ends[0], (long)(p + 2 * PAGE - 7), 101, &flags), 101);
	CHECK_EQ(call_with_ac(SYS_writev, ends[1], (long)v, 2, &flags), 107);
	CHECK_EQ(call_with_ac(SYS_readv, ends[0], (long)v, 2, &flags), 107);
	CHECK_EQ(call_with_ac(SYS_uname, (long)(p + 5), 0, 0, &flags), 0);
	CHECK_EQ(call_with_ac(SYS_write, ends[1], (long)p, 1, &flags), 1);
	CHECK_EQ(call_with_ac(SYS_read, ends[0], 8, 8, &flags), -EFAULT);
	CHECK(flags & AC);
	CHECK_EQ(call_with_ac(SYS_write, ends[1], 8, 8, &flags), -EFAULT);
	handle(SIGUSR1, handler, 0);
	CHECK_EQ(call_with_ac(SYS_kill, getpid(), SIGUSR1, 0, &flags), 0);
	CHECK(flags & AC); /* the frame has it */
	say("in a handler: AC %d\n", !!(flags_in_handler & AC));
}

int main(void)
{
	trap_init();
	show("load", with_ac("\x48\x8b\x44\x24\xf1", 5));
	show("store", with_ac("\x89\x44\x24\xf1", 4));
	show("load of a byte", with_ac("\x8a\x44\x24\xf1", 4));
	show("movups", with_ac("\x0f\x10\x44\x24\xe1", 5));
	show("hlt", with_ac("\xf4", 1));
	show("int3", with_ac("\xcc", 1));
	show("page fault", with_ac("\x31\xc0\x8b\x40\x08", 5));
	show("aligned", with_ac("\x48\x8b\x04\x24\x9c\x81\x24\x24\xff\xff\xfb\xff\x9d", 13));
	calls();
	return 0;
}
