/* SPDX-License-Identifier: Apache-2.0 */
/* Every privileged instruction in a program is refused with the signal Linux gives, at the instruction itself. */
#include "guest/trap.h"

#define CODE(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static const struct {
	const char *name;
	const uint8_t *code;
	size_t length;
} instructions[] = {
	{ "hlt", CODE(0xf4) },
	{ "cli", CODE(0xfa) },
	{ "sti", CODE(0xfb) },
	{ "in al, 80h", CODE(0xe4, 0x80) },
	{ "in al, dx", CODE(0xec) },
	{ "in eax, dx", CODE(0xed) },
	{ "out 80h, al", CODE(0xe6, 0x80) },
	{ "out dx, al", CODE(0xee) },
	{ "out dx, eax", CODE(0xef) },
	{ "insb", CODE(0x6c) },
	{ "outsb", CODE(0x6e) },
	{ "lgdt", CODE(0x0f, 0x01, 0x54, 0x24, 0xf0) },
	{ "lidt", CODE(0x0f, 0x01, 0x5c, 0x24, 0xf0) },
	{ "lldt", CODE(0x0f, 0x00, 0xd0) },
	{ "ltr", CODE(0x0f, 0x00, 0xd8) },
	{ "lmsw", CODE(0x0f, 0x01, 0xf0) },
	{ "clts", CODE(0x0f, 0x06) },
	{ "mov rax, cr0", CODE(0x0f, 0x20, 0xc0) },
	{ "mov cr0, rax", CODE(0x0f, 0x22, 0xc0) },
	{ "mov rax, cr2", CODE(0x0f, 0x20, 0xd0) },
	{ "mov rax, cr3", CODE(0x0f, 0x20, 0xd8) },
	{ "mov cr3, rax", CODE(0x0f, 0x22, 0xd8) },
	{ "mov rax, cr4", CODE(0x0f, 0x20, 0xe0) },
	{ "mov cr4, rax", CODE(0x0f, 0x22, 0xe0) },
	{ "mov rax, cr8", CODE(0x44, 0x0f, 0x20, 0xc0) },
	{ "mov cr8, rax", CODE(0x44, 0x0f, 0x22, 0xc0) },
	{ "mov rax, dr0", CODE(0x0f, 0x21, 0xc0) },
	{ "mov dr0, rax", CODE(0x0f, 0x23, 0xc0) },
	{ "mov rax, dr7", CODE(0x0f, 0x21, 0xf8) },
	{ "mov dr7, rax", CODE(0x0f, 0x23, 0xf8) },
	{ "rdmsr", CODE(0x0f, 0x32) },
	{ "wrmsr", CODE(0x0f, 0x30) },
	{ "rdpmc", CODE(0x0f, 0x33) },
	{ "invlpg", CODE(0x0f, 0x01, 0x3c, 0x24) },
	{ "invd", CODE(0x0f, 0x08) },
	{ "wbinvd", CODE(0x0f, 0x09) },
	{ "swapgs", CODE(0x0f, 0x01, 0xf8) },
	{ "sysretl", CODE(0x0f, 0x07) },
	{ "sysretq", CODE(0x48, 0x0f, 0x07) },
	{ "xsetbv", CODE(0x0f, 0x01, 0xd1) },
};

/* What these give depends on the vendor and on who is below: #UD, #GP or, for a hypercall, an error in RAX. */
static const struct {
	const char *name;
	const uint8_t *code;
	size_t length;
} contained[] = {
	{ "sysexit", CODE(0x0f, 0x35) },
	{ "rsm", CODE(0x0f, 0xaa) },
	{ "mov rax, cr1", CODE(0x0f, 0x20, 0xc8) },
	{ "monitor", CODE(0x0f, 0x01, 0xc8) },
	{ "mwait", CODE(0x0f, 0x01, 0xc9) },
	{ "clac", CODE(0x0f, 0x01, 0xca) },
	{ "stac", CODE(0x0f, 0x01, 0xcb) },
	{ "vmcall", CODE(0x0f, 0x01, 0xc1) },
	{ "vmlaunch", CODE(0x0f, 0x01, 0xc2) },
	{ "vmresume", CODE(0x0f, 0x01, 0xc3) },
	{ "vmxoff", CODE(0x0f, 0x01, 0xc4) },
	{ "vmrun", CODE(0x0f, 0x01, 0xd8) },
	{ "vmmcall", CODE(0x0f, 0x01, 0xd9) },
	{ "vmload", CODE(0x0f, 0x01, 0xda) },
	{ "vmsave", CODE(0x0f, 0x01, 0xdb) },
	{ "stgi", CODE(0x0f, 0x01, 0xdc) },
	{ "clgi", CODE(0x0f, 0x01, 0xdd) },
	{ "skinit", CODE(0x0f, 0x01, 0xde) },
	{ "invlpga", CODE(0x0f, 0x01, 0xdf) },
	{ "getsec", CODE(0x0f, 0x37) },
	{ "invpcid", CODE(0x66, 0x0f, 0x38, 0x82, 0x04, 0x24) },
	{ "wrpkru", CODE(0x0f, 0x01, 0xef) },
	{ "xrstors", CODE(0x0f, 0xc7, 0x5c, 0x24, 0xc0) },
	{ "xsaves", CODE(0x0f, 0xc7, 0x6c, 0x24, 0xc0) },
	{ "wbnoinvd", CODE(0xf3, 0x0f, 0x09) },
	{ "encls", CODE(0x0f, 0x01, 0xcf) },
	{ "tlbsync", CODE(0x0f, 0x01, 0xff) },
	{ "pvalidate", CODE(0xf2, 0x0f, 0x01, 0xff) },
};

int main(void)
{
	trap_init();
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++) {
		struct trap t = trap_run(instructions[i].code, instructions[i].length);

		say("%s: signal %d code %d at %ld addr %#lx trap %ld error %ld\n",
		    instructions[i].name, t.sig, t.code, t.rip, t.addr, t.trapno, t.error);
	}
	for (size_t i = 0; i < sizeof(contained) / sizeof(contained[0]); i++) {
		struct trap t = trap_run(contained[i].code, contained[i].length);

		if (t.sig && t.sig != SIGILL && t.sig != SIGSEGV)
			FAIL("%s: signal %d", contained[i].name, t.sig);
		if (t.sig)
			CHECK_EQ(t.rip, 0);
	}
	say("ok\n");
	return 0;
}
