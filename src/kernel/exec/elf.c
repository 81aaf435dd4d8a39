/* SPDX-License-Identifier: Apache-2.0 */
/* Loading ELF programs: static, static-PIE and dynamic ones with their interpreter. */
#include "kernel/exec/exec.h"

#include "abi/linux/fcntl.h"
#include "abi/linux/mman.h"
#include "kernel/mm/vdso.h"

#define BRK_RANDOM_PAGES    0x2000ull    /* 32 MiB, as on Linux */
#define ET_DYN_RANDOM_PAGES (1ull << 28) /* 1 TiB */

/* An ELF file, checked. */
struct elf_file {
	struct file *file; /* borrowed */
	struct elf_info info;
	struct linux_elf64_phdr *ph; /* kmalloc()ed */
	u64 bias;
};

static int elf_read(struct file *f, void *buf, size_t n, u64 off)
{
	s64 got = file_pread(f, buf, n, off);

	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

static int elf_open(struct elf_file *e, struct file *f, const u8 head[BINPRM_BUF_SIZE])
{
	u64 size = f->inode->size;
	size_t bytes;
	int r = elf_check_header(head, MIN(size, (u64)BINPRM_BUF_SIZE), size, &e->info);

	if (r < 0)
		return r;
	e->file = f;
	bytes = e->info.phnum * sizeof(*e->ph);
	e->ph = kmalloc(bytes);
	if (!e->ph)
		return -ENOMEM;
	r = elf_read(f, e->ph, bytes, e->info.phoff);
	if (r == 0)
		r = elf_check_phdrs(e->ph, size, RF_MAX_USER_ADDRESS, &e->info);
	return r;
}

/* ---- mapping ---- */

static u32 segment_prot(const struct linux_elf64_phdr *ph)
{
	return (ph->p_flags & PF_R ? RF_READ : 0) | (ph->p_flags & PF_W ? RF_WRITE : 0) |
	       (ph->p_flags & PF_X ? RF_EXEC : 0);
}

static int map_at(struct mm *mm, uptr_t start, uptr_t end, u32 prot, struct file *f, u64 off)
{
	s64 at;

	if (start >= end)
		return 0;
	at = mm_map(mm, start, end - start, prot, MAP_PRIVATE | MAP_FIXED, f, off, 0);
	return at < 0 ? (int)at : 0;
}

/* The part of the last file page that belongs to .bss. */
static int zero_tail(struct mm *mm, uptr_t from)
{
	size_t n = ALIGN_UP(from, PAGE_SIZE) - from;

	if (!n)
		return 0;
	return mm_write(mm, from, page_address(zero_page), n) == (s64)n ? 0 : -ENOMEM;
}

static int map_segment(struct mm *mm, const struct elf_file *e, const struct linux_elf64_phdr *ph)
{
	uptr_t start = e->bias + ph->p_vaddr, file_end = start + ph->p_filesz,
	       mem_end = start + ph->p_memsz;
	uptr_t anon = ALIGN_DOWN(start, PAGE_SIZE);
	int r = 0;

	if (ph->p_filesz) {
		r = map_at(mm, anon, ALIGN_UP(file_end, PAGE_SIZE), segment_prot(ph), e->file,
			   ALIGN_DOWN(ph->p_offset, PAGE_SIZE));
		anon = ALIGN_UP(file_end, PAGE_SIZE);
		if (r == 0 && mem_end > file_end && (ph->p_flags & PF_W))
			r = zero_tail(mm, file_end);
	}
	return r < 0 ? r
		     : map_at(mm, anon, ALIGN_UP(mem_end, PAGE_SIZE), segment_prot(ph), NULL, 0);
}

static int map_segments(struct mm *mm, const struct elf_file *e)
{
	int r = 0;

	for (u32 i = 0; i < e->info.phnum && r == 0; i++)
		if (e->ph[i].p_type == PT_LOAD && e->ph[i].p_memsz)
			r = map_segment(mm, e, &e->ph[i]);
	return r;
}

/* A free place of the right alignment for a position-independent file, in the mmap area. */
static int choose_bias(struct mm *mm, struct elf_file *e)
{
	u64 size = e->info.high - e->info.low;
	uptr_t at = mm_find_gap(mm, size + e->info.align - PAGE_SIZE, mm->mmap_base);

	if (!at)
		return -ENOMEM;
	e->bias = ALIGN_UP(at, e->info.align) - e->info.low;
	return 0;
}

/* Linux keeps programs that have an interpreter away from the mmap area, so that their heap has room. */
static int choose_program_bias(struct mm *mm, struct elf_file *e)
{
	u64 base = EXEC_ET_DYN_BASE + mm_random_offset(ET_DYN_RANDOM_PAGES);

	if (!e->info.dyn) {
		e->bias = 0;
		return 0;
	}
	if (!e->info.interp_len)
		return choose_bias(mm, e);
	base = ALIGN_DOWN(base, e->info.align);
	if (!base || e->info.high - e->info.low > mm->mmap_base - base)
		return -ENOMEM;
	e->bias = base - e->info.low;
	return 0;
}

static void set_brk(struct mm *mm, const struct elf_file *e)
{
	uptr_t base = ALIGN_UP(e->bias + e->info.brk, PAGE_SIZE);

	/* The interpreter itself, or static-PIE: up in the mmap area there is no room for a heap. */
	if (e->info.dyn && !e->info.interp_len)
		base = EXEC_ET_DYN_BASE;
	mm->brk_start = mm->brk = base + mm_random_offset(BRK_RANDOM_PAGES);
	mm->code_start = e->bias + e->info.code_start;
	mm->code_end = e->bias + e->info.code_end;
	mm->data_start = e->bias + e->info.data_start;
	mm->data_end = e->bias + e->info.data_end;
}

/* ---- interpreter ---- */

static int interp_open(const struct elf_file *prog, struct elf_file *interp, struct file **ret_file)
{
	u32 len = prog->info.interp_len;
	u8 head[BINPRM_BUF_SIZE] = { 0 };
	char *path = kmalloc(len);
	s64 n;
	int r;

	if (!path)
		return -ENOMEM;
	r = elf_read(prog->file, path, len, prog->info.interp_off);
	if (r == 0 && path[len - 1])
		r = -ENOEXEC;
	if (r == 0)
		r = exec_open(AT_FDCWD, path, 0, ret_file);
	kfree(path);
	if (r < 0)
		return r;
	n = file_pread(*ret_file, head, sizeof(head), 0);
	r = n < 0 ? (int)n : elf_open(interp, *ret_file, head);
	return r == -ENOEXEC ? -ELIBBAD : r;
}

static int interp_map(struct mm *mm, struct elf_file *interp, struct elf_loaded *l)
{
	int r = 0;

	interp->bias = 0;
	if (interp->info.dyn)
		r = choose_bias(mm, interp);
	if (r == 0)
		r = map_segments(mm, interp);
	l->interp_base = interp->bias + interp->info.low;
	l->start = interp->bias + interp->info.entry;
	return r;
}

static int load_both(struct binprm *b, struct elf_file *prog, struct elf_file *interp)
{
	struct elf_loaded l = { .phnum = prog->info.phnum, .exec_stack = prog->info.exec_stack };
	struct mm *mm = b->mm;
	int r = choose_program_bias(mm, prog);

	if (r == 0)
		r = map_segments(mm, prog);
	if (r < 0)
		return r;
	l.entry = l.start = prog->bias + prog->info.entry;
	l.phdr = prog->info.phdr_vaddr ? prog->bias + prog->info.phdr_vaddr : 0;
	if (prog->info.interp_len)
		r = interp_map(mm, interp, &l);
	if (r == 0)
		r = vdso_map(mm);
	if (r < 0)
		return r;
	set_brk(mm, prog);
	b->entry = l.start;
	return stack_build(b, &l);
}

int elf_load(struct binprm *b)
{
	struct elf_file prog = { 0 }, interp = { 0 };
	struct file *interp_file = NULL;
	int r = elf_open(&prog, b->file, b->head);

	if (r == 0)
		r = stack_check_args(b);
	if (r == 0 && prog.info.interp_len)
		r = interp_open(&prog, &interp, &interp_file);
	if (r == 0)
		r = mm_new(&b->mm);
	if (r == 0)
		r = load_both(b, &prog, &interp);
	file_unref(interp_file);
	kfree(prog.ph);
	kfree(interp.ph);
	return r;
}
