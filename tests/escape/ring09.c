/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls the hypervisor and uses virtualisation itself: VMCALL, VMMCALL, VMRUN, VMLOAD, STGI, VMXON, VMLAUNCH, VMREAD, SKINIT, GETSEC, ENCLS, TDCALL.
 * Stopped by: the CPU, or KVM, which takes no hypercall of ring 3.
 * Escape-Expect: stopped: a fault from vmrun
 * Escape-Expect: stopped: a fault from vmload
 * Escape-Expect: stopped: a fault from vmsave
 * Escape-Expect: stopped: a fault from stgi
 * Escape-Expect: stopped: a fault from clgi
 * Escape-Expect: stopped: a fault from skinit
 * Escape-Expect: stopped: a fault from invlpga
 * Escape-Expect: stopped: a fault from vmlaunch
 * Escape-Expect: stopped: a fault from vmresume
 * Escape-Expect: stopped: a fault from vmxoff
 * Escape-Expect: stopped: a fault from vmread
 * Escape-Expect: stopped: a fault from vmwrite
 * Escape-Expect: stopped: a fault from vmxon
 * Escape-Expect: stopped: a fault from vmptrld
 * Escape-Expect: stopped: a fault from getsec
 * Escape-Expect: stopped: a fault from encls
 * Escape-Expect: stopped: a fault from rsm
 * Escape-Expect: stopped: hypercalls of every number tried
 */
#include "escape/instruction.h"

/* KVM answers hypercalls of ring 3 with an error and not with a fault: rax is looked at. */
static void try_hypercall(const char *name, uint8_t last, uint64_t number)
{
	uint8_t code[] = { 0x53, 0x48, 0xb8, 0,    0,    0,    0,    0,    0,    0,    0,
			   0x31, 0xdb, 0x31, 0xc9, 0x31, 0xd2, 0x0f, 0x01, last, 0x5b, 0x48,
			   0xa3, 0,    0,    0,    0,    0,    0,    0,    0 };
	static volatile int64_t result;
	uint64_t address = (uintptr_t)&result;
	struct trap t;

	memcpy(code + 3, &number, sizeof(number));
	memcpy(code + 23, &address, sizeof(address));
	result = 0;
	t = trap_run(code, sizeof(code));
	if (!t.sig && result != -EPERM && result != -1000)
		escaped("%s %" PRIu64 " gave %" PRId64, name, number, result);
}

static void try_contained(const struct instruction *i)
{
	struct trap t = trap_run(i->code, i->length);

	if (t.sig != SIGILL && t.sig != SIGSEGV)
		escaped("%s ran", i->name);
	stopped("a fault from %s", i->name);
}

static const struct instruction list[] = {
	{ "vmrun", CODE(0x0f, 0x01, 0xd8) },
	{ "vmload", CODE(0x0f, 0x01, 0xda) },
	{ "vmsave", CODE(0x0f, 0x01, 0xdb) },
	{ "stgi", CODE(0x0f, 0x01, 0xdc) },
	{ "clgi", CODE(0x0f, 0x01, 0xdd) },
	{ "skinit", CODE(0x0f, 0x01, 0xde) },
	{ "invlpga", CODE(0x0f, 0x01, 0xdf) },
	{ "vmlaunch", CODE(0x0f, 0x01, 0xc2) },
	{ "vmresume", CODE(0x0f, 0x01, 0xc3) },
	{ "vmxoff", CODE(0x0f, 0x01, 0xc4) },
	{ "vmread", CODE(0x0f, 0x78, 0xc0) },
	{ "vmwrite", CODE(0x0f, 0x79, 0xc0) },
	{ "vmxon", CODE(0xf3, 0x0f, 0xc7, 0x34, 0x24) },
	{ "vmptrld", CODE(0x0f, 0xc7, 0x34, 0x24) },
	{ "getsec", CODE(0x0f, 0x37) },
	{ "encls", CODE(0x0f, 0x01, 0xcf) },
	{ "rsm", CODE(0x0f, 0xaa) },
};

void attempt(void)
{
	trap_init();
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		try_contained(&list[i]);
	for (uint64_t n = 0; n < 14; n++) {
		try_hypercall("vmcall", 0xc1, n);
		try_hypercall("vmmcall", 0xd9, n);
	}
	try_hypercall("vmcall", 0xc1, 0x80000001);
	stopped("hypercalls of every number tried");
}
