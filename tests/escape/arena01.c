/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads, writes and executes the kernel's memory directly: the arena at 0x7e0000000000, where kernel, page frames and page tables are, and the upper half.
 * Stopped by: these pages are ring 0's.
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

static void attempt(void)
{
	trap_init();
	try_address("the arena's start", ARENA);
	try_address("the arena's second page", ARENA + PAGE);
	try_address("the arena at 2 MiB", ARENA + (2ul << 20));
	try_address("the arena at 16 MiB", ARENA + (16ul << 20));
	try_address("the arena at 256 MiB", ARENA + (256ul << 20));
	try_address("slot 253", ARENA + (1ul << 39));
	try_address("the upper half", 0xffff800000000000);
	try_address("the last page", 0xfffffffffffff000);
	try_address("no canonical address", 0x0000800000000000);
}
