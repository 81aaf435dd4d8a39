/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions a program can raise: divide, breakpoint in both encodings, INT1, overflow, undefined and overlong instructions. */
#include "guest/trap.h"

static void show(const char *name, const char *code, size_t length)
{
	struct trap t = trap_run(code, length);
	const char *addr = !t.addr ? "0" : t.addr == t.at ? "rip" : "other";

	say("%s: signal %d code %d at %ld addr %s trap %ld error %ld\n", name, t.sig, t.code, t.rip,
	    addr, t.trapno, t.error);
}

#define SHOW(name, code) show(name, code, sizeof(code) - 1)

static void divides(void)
{
	SHOW("div by 0", "\x31\xc9\x31\xd2\xb8\x01\0\0\0\xf7\xf1");
	SHOW("div overflow", "\xba\x05\0\0\0\xb9\x01\0\0\0\xf7\xf1");
	SHOW("div byte", "\x66\xb8\x00\x10\xb1\x01\xf6\xf1");
	SHOW("idiv minimum by -1",
	     "\x31\xc0\x48\x0f\xba\xe8\x3f\x48\x99\x48\xc7\xc1\xff\xff\xff\xff"
	     "\x48\xf7\xf9");
	SHOW("idiv 32 overflow", "\xb8\0\0\0\x80\x99\xb9\xff\xff\xff\xff\xf7\xf9");
	SHOW("aam 0", "\xd4\x00"); /* not in 64-bit mode */
}

/* A trap: RIP is behind it, but hypervisors that intercept it are seen to leave RIP at it. */
static void show_int1(void)
{
	struct trap t = trap_run("\xf1", 1);

	CHECK(t.rip == 0 || t.rip == 1);
	CHECK(t.addr == t.at);
	say("int1: signal %d code %d trap %ld\n", t.sig, t.code, t.trapno);
}

static void breakpoints(void)
{
	SHOW("int3", "\xcc");
	SHOW("int 3", "\xcd\x03");
	SHOW("int3 prefixed", "\x66\xcc");
	show_int1();
	SHOW("int 4", "\xcd\x04");
	SHOW("into", "\xce");
	SHOW("bound", "\x62\x04\x24");
}

static void undefined(void)
{
	SHOW("ud2", "\x0f\x0b");
	SHOW("ud1", "\x0f\xb9\xc0");
	SHOW("ud0", "\x0f\xff\xc0");
	SHOW("lock nop", "\xf0\x90");
	SHOW("lock mov", "\xf0\x48\x89\xc0");
	SHOW("push cs", "\x0e");
	SHOW("pusha", "\x60");
	SHOW("mov cs, ax", "\x8e\xc8");
	SHOW("far jump, immediate", "\xea\0\0\0\0\0\0");
	SHOW("16 bytes", "\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x90");
}

static void memory(void)
{
	SHOW("non-canonical load", "\x48\xb8\0\0\0\0\0\0\0\x80\x48\x8b\x00");
	SHOW("non-canonical by rbp", "\x55\x48\xbd\0\0\0\0\0\0\0\x80\x48\x8b\x45\x00\x5d");
	SHOW("push at a non-canonical rsp", "\x48\xbc\0\0\0\0\0\0\0\x80\x50");
	SHOW("movaps unaligned", "\x48\x83\xe4\xf0\x0f\x28\x44\x24\x01");
	SHOW("mov ss, 0", "\x31\xc0\x8e\xd0");
	SHOW("mov ds, bad", "\xb8\x34\x12\0\0\x8e\xd8");
	SHOW("lss bad", "\x48\x83\xec\x10\xc7\x44\x24\x08\x35\x12\0\0\x0f\xb2\x44\x24\x04");
	SHOW("far jump to the kernel's cs",
	     "\x48\x83\xec\x10\x48\xc7\x04\x24\0\0\0\0\x66\xc7\x44\x24\x04\x10\0\xff\x2c\x24");
	if (cpu_is_emulated())
		return;
	SHOW("iret to cs 0",
	     "\x48\x89\xe0\x6a\x2b\x50\x9c\x6a\x00\x48\x8d\x0d\x02\0\0\0\x51\x48\xcf");
	SHOW("retf to the kernel's cs", "\x6a\x10\x6a\x00\x48\xcb");
}

int main(void)
{
	trap_init();
	divides();
	breakpoints();
	undefined();
	memory();
	return 0;
}
