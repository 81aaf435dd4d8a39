/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ELF and "#!" checks of execve: any file is refused or gives numbers that may be used unchecked.
 *
 * Test-Sources: src/kernel/exec/elf_check.c src/kernel/exec/script_line.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "kernel/exec/elf_check.h"
#include "kernel/exec/script_line.h"

#define LIMIT 0x7e0000000000ull
#define HEAD  256u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool ok)
{
	if (!ok)
		abort();
}

static void check_info(const struct elf_info *e, u64 size)
{
	require(e->low < e->high && e->high <= LIMIT);
	require(!(e->low & PAGE_MASK) && !(e->high & PAGE_MASK));
	require(e->brk >= e->low && e->brk <= e->high);
	require(e->align >= PAGE_SIZE && !(e->align & (e->align - 1)));
	require(e->interp_len <= ELF_INTERP_MAX && e->interp_off + e->interp_len <= size);
	require(!e->phdr_vaddr || (e->phdr_vaddr >= e->low && e->phdr_vaddr < e->high));
	require(e->entry < LIMIT);
}

static void fuzz_elf(const uint8_t *data, size_t size)
{
	struct linux_elf64_phdr *ph;
	struct elf_info e;
	u64 bytes;

	if (elf_check_header(data, size < HEAD ? size : HEAD, size, &e) < 0)
		return;
	bytes = e.phnum * sizeof(*ph);
	require(bytes && bytes <= ELF_PHDRS_MAX_BYTES && e.phoff + bytes <= size);
	ph = malloc(bytes);
	if (!ph)
		abort();
	memcpy(ph, data + e.phoff, bytes);
	if (elf_check_phdrs(ph, size, LIMIT, &e) == 0)
		check_info(&e, size);
	free(ph);
}

static void fuzz_script(const uint8_t *data, size_t size)
{
	struct script_line line;
	u8 head[HEAD] = { 0 };

	if (size)
		memcpy(head, data, size < HEAD ? size : HEAD);
	if (script_line_parse(head, HEAD, &line) < 0)
		return;
	require(line.interp_len && line.interp + line.interp_len < HEAD);
	require(line.arg + line.arg_len <= HEAD);
	require(!memchr(head + line.interp, '\n', line.interp_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_elf(data, size);
	fuzz_script(data, size);
	return 0;
}
