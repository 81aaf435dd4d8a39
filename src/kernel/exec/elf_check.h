/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this an ELF file we can run? Pure functions of the file's first bytes and its program headers, which are hostile: after them
 * every number in struct elf_info may be used without another check.
 */
#pragma once

#include "abi/linux/elf.h"
#include "base/types.h"

#define ELF_PHDRS_MAX_BYTES 65536u /* as Linux */
#define ELF_INTERP_MAX      4096u

struct elf_info {
	bool dyn; /* ET_DYN: may be loaded anywhere */
	u64 entry;
	u64 phoff;
	u32 phnum;
	/* after elf_check_phdrs() */
	u64 low, high;  /* page-aligned range of all segments */
	u64 align;      /* largest p_align of a segment, at least a page */
	u64 phdr_vaddr; /* where the headers are in memory, 0 = nowhere */
	u64 code_start, code_end, data_start, data_end; /* /proc/PID/stat */
	u64 brk;                                        /* end of the highest segment */
	u64 interp_off; /* PT_INTERP: place of the path, with its NUL */
	u32 interp_len; /* 0: none */
	bool exec_stack;
};

/* The header. `len`: bytes at `head`, of a file of `file_size` bytes. 0, -ENOEXEC, or -EINVAL for a hostile one. */
int elf_check_header(const void *head, size_t len, u64 file_size, struct elf_info *ret);
/* The ret->phnum program headers found at ret->phoff. `limit`: first address that can't be used. */
int elf_check_phdrs(const struct linux_elf64_phdr *ph, u64 file_size, u64 limit,
		    struct elf_info *ret);
