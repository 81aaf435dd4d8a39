/* SPDX-License-Identifier: Apache-2.0 */
/* A kernel image of the smallest kind, for tests that need one to be accepted. */
#pragma once

#include <elf.h>
#include <string.h>

#include "abi/boot.h"

#define TEST_IMAGE_BASE (RF_ARENA_BASE + KERNEL_IMAGE_OFF)
#define TEST_STACK_SIZE 4096ull
#define TEST_DATA_VA    (TEST_IMAGE_BASE + 4096)
#define TEST_DATA_LEN   (RF_MAX_CPUS * TEST_STACK_SIZE)

struct test_image {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[2];
	_Alignas(4096) struct kernel_header header;
};

static inline void test_image_fill(struct test_image *t)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->eh.e_ident, ELFMAG, SELFMAG);
	t->eh.e_ident[EI_CLASS] = ELFCLASS64;
	t->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	t->eh.e_type = ET_EXEC;
	t->eh.e_machine = EM_X86_64;
	t->eh.e_phoff = offsetof(struct test_image, ph);
	t->eh.e_phentsize = sizeof(t->ph[0]);
	t->eh.e_phnum = 2;
	t->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
				 .p_flags = PF_R | PF_X,
				 .p_vaddr = TEST_IMAGE_BASE,
				 .p_offset = offsetof(struct test_image, header),
				 .p_filesz = sizeof(t->header),
				 .p_memsz = 4096 };
	t->ph[1] = (Elf64_Phdr){ .p_type = PT_LOAD,
				 .p_flags = PF_R | PF_W,
				 .p_vaddr = TEST_DATA_VA,
				 .p_memsz = TEST_DATA_LEN };
	t->header = (struct kernel_header){ .magic = BOOT_MAGIC,
					    .version = BOOT_VERSION,
					    .entry_guest = TEST_IMAGE_BASE + 256,
					    .entry_host = TEST_IMAGE_BASE + 256,
					    .boot_stacks = TEST_DATA_VA,
					    .boot_stack_size = TEST_STACK_SIZE,
					    .thunks = TEST_IMAGE_BASE + 512,
					    .thunks_size = 64,
					    .thunks_plain = TEST_IMAGE_BASE + 1024 };
}
