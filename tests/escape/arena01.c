/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and executes the kernel's memory directly: the arena at 0x7e0000000000, where kernel, page frames and page tables are, and the upper half.
 * Stopped by: these pages are ring 0's.
 * Escape-Expect: stopped: no data in the entry page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the entry page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the arena's start
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the arena's start
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the arena's start
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the arena's third page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the arena's third page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the arena's third page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the arena at 2 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the arena at 2 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the arena at 2 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the arena at 16 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the arena at 16 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the arena at 16 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the arena at 256 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the arena at 256 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the arena at 256 MiB
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of slot 253
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to slot 253
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of slot 253
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the upper half
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the upper half
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the upper half
 * Escape-Expect: stopped: SIGSEGV (page fault) from a read of the last page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a write to the last page
 * Escape-Expect: stopped: SIGSEGV (page fault) from a call of the last page
 * Escape-Expect: stopped: SIGSEGV (general protection) from a read of no canonical address
 * Escape-Expect: stopped: SIGSEGV (general protection) from a write to no canonical address
 * Escape-Expect: stopped: SIGSEGV (general protection) from a call of no canonical address
 */
#include "escape/instruction.h"

static void try_address(const char *name, uint64_t address)
{
	uint8_t code[] = { 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0x8a, 0x08, 0x90 };
	char what[96];
	struct trap t;

	memcpy(code + 2, &address, sizeof(address));
	t = trap_run(code, sizeof(code));
	snprintf(what, sizeof(what), "a read of %s", name);
	judge_trap(what, &t);
	code[10] = 0x88;
	t = trap_run(code, sizeof(code));
	snprintf(what, sizeof(what), "a write to %s", name);
	judge_trap(what, &t);
	/* call rax */
	code[10] = 0xff;
	code[11] = 0xd0;
	t = trap_run(code, sizeof(code));
	snprintf(what, sizeof(what), "a call of %s", name);
	judge_trap(what, &t);
}

/*
 * Residency host has a page of code there that ring 3 must be able to run (src/platform/kvm/layout.h); it may hold nothing else. Elsewhere
 * it is not there.
 */
static void try_entry_page(void)
{
	/* mov rax, 0x7e0000001000; mov al, [rax] or mov [rax], al */
	struct trap t = trap_run("\x48\xb8\0\x10\0\0\0\x7e\0\0\x8a\0", 12);

	if (!t.sig) {
		const uint8_t *page = (const uint8_t *)(ARENA + PAGE);

		check_for_secret("the entry page", page, PAGE);
		/* UD2 after its few instructions. */
		for (size_t i = 64; i < PAGE; i++)
			if (page[i] != (i % 2 ? 0x0b : 0x0f))
				escaped("the entry page holds %#x at %zu", page[i], i);
	}
	stopped("no data in the entry page");
	t = trap_run("\x48\xb8\0\x10\0\0\0\x7e\0\0\x88\0", 12);
	judge_trap("a write to the entry page", &t);
}

void attempt(void)
{
	trap_init();
	try_entry_page();
	try_address("the arena's start", ARENA);
	try_address("the arena's third page", ARENA + 2 * PAGE);
	try_address("the arena at 2 MiB", ARENA + (2ul << 20));
	try_address("the arena at 16 MiB", ARENA + (16ul << 20));
	try_address("the arena at 256 MiB", ARENA + (256ul << 20));
	try_address("slot 253", ARENA + (1ul << 39));
	try_address("the upper half", 0xffff800000000000);
	try_address("the last page", 0xfffffffffffff000);
	try_address("no canonical address", 0x0000800000000000);
}
