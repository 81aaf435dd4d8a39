/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/exec/elf_check.h"

#include "abi/linux/errno.h"
#include "base/checked.h"
#include "base/string.h"

static bool ident_ok(const u8 *id)
{
	return memcmp(id, ELFMAG, SELFMAG) == 0 && id[EI_CLASS] == ELFCLASS64 &&
	       id[EI_DATA] == ELFDATA2LSB && id[EI_VERSION] == EV_CURRENT;
}

int elf_check_header(const void *head, size_t len, u64 file_size, struct elf_info *ret)
{
	struct linux_elf64_ehdr eh;
	u64 bytes;

	if (len < sizeof(eh) || file_size < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, head, sizeof(eh));
	if (!ident_ok(eh.e_ident) || eh.e_machine != EM_X86_64)
		return -ENOEXEC;
	if (eh.e_type != ET_EXEC && eh.e_type != ET_DYN)
		return -ENOEXEC;
	bytes = (u64)eh.e_phnum * sizeof(struct linux_elf64_phdr);
	if (eh.e_phentsize != sizeof(struct linux_elf64_phdr) || !bytes ||
	    bytes > ELF_PHDRS_MAX_BYTES)
		return -ENOEXEC;
	if (!range_within(eh.e_phoff, bytes, file_size))
		return -ENOEXEC;
	*ret = (struct elf_info){
		.dyn = eh.e_type == ET_DYN,
		.entry = eh.e_entry,
		.phoff = eh.e_phoff,
		.phnum = eh.e_phnum,
		.align = PAGE_SIZE,
	};
	return 0;
}

static int check_load(const struct linux_elf64_phdr *ph, u64 file_size, u64 limit)
{
	if (ph->p_filesz > ph->p_memsz)
		return -EINVAL;
	if (!range_within(ph->p_vaddr, ph->p_memsz, limit) ||
	    !range_within(ph->p_vaddr, ph->p_memsz, limit - PAGE_SIZE))
		return -EINVAL;
	if (!range_within(ph->p_offset, ph->p_filesz, file_size))
		return -ENOEXEC;
	/* Else no page of the file could be mapped at its address. */
	if ((ph->p_vaddr - ph->p_offset) & PAGE_MASK)
		return -EINVAL;
	return 0;
}

static void note_load(const struct linux_elf64_phdr *ph, struct elf_info *e, bool first)
{
	u64 file_end = ph->p_vaddr + ph->p_filesz, mem_end = ph->p_vaddr + ph->p_memsz;

	if (first)
		e->low = ALIGN_DOWN(ph->p_vaddr, PAGE_SIZE);
	e->high = ALIGN_UP(mem_end, PAGE_SIZE);
	e->brk = mem_end;
	if (ph->p_align > e->align && !(ph->p_align & (ph->p_align - 1)))
		e->align = ph->p_align;
	if (e->phoff >= ph->p_offset && e->phoff - ph->p_offset < ph->p_filesz && !e->phdr_vaddr)
		e->phdr_vaddr = ph->p_vaddr + (e->phoff - ph->p_offset);
	if ((ph->p_flags & PF_X) && !e->code_start) {
		e->code_start = ph->p_vaddr;
		e->code_end = file_end;
	}
	e->data_start = ph->p_vaddr;
	e->data_end = file_end;
}

static int note_interp(const struct linux_elf64_phdr *ph, u64 file_size, struct elf_info *e)
{
	if (e->interp_len)
		return 0; /* Linux takes the first */
	if (ph->p_filesz < 2 || ph->p_filesz > ELF_INTERP_MAX)
		return -ENOEXEC;
	if (!range_within(ph->p_offset, ph->p_filesz, file_size))
		return -ENOEXEC;
	e->interp_off = ph->p_offset;
	e->interp_len = (u32)ph->p_filesz;
	return 0;
}

int elf_check_phdrs(const struct linux_elf64_phdr *ph, u64 file_size, u64 limit,
		    struct elf_info *ret)
{
	u64 end = 0;
	bool any = false;
	int r;

	/* Without PT_GNU_STACK: not executable, as Linux decides for x86-64 since 5.8. */
	ret->exec_stack = false;
	for (u32 i = 0; i < ret->phnum; i++, ph++) {
		if (ph->p_type == PT_GNU_STACK)
			ret->exec_stack = ph->p_flags & PF_X;
		if (ph->p_type == PT_INTERP) {
			r = note_interp(ph, file_size, ret);
			if (r < 0)
				return r;
		}
		if (ph->p_type != PT_LOAD || !ph->p_memsz)
			continue;
		r = check_load(ph, file_size, limit);
		if (r < 0)
			return r;
		/* gABI, "Program Header": PT_LOAD entries ascend by address. They don't overlap either. */
		if (any && ph->p_vaddr < end)
			return -EINVAL;
		end = ph->p_vaddr + ph->p_memsz;
		note_load(ph, ret, !any);
		any = true;
	}
	if (!any || ret->entry >= limit)
		return -ENOEXEC;
	if (ret->align > limit)
		return -EINVAL;
	return 0;
}
