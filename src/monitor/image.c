/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/image.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"

static int image_bad(struct rf_error *err, const char *what)
{
	return error_set(err, -ENOEXEC, "the kernel image is not usable: %s", what);
}

/* The ELF header, or NULL. */
static const Elf64_Ehdr *image_ehdr(const struct image *img)
{
	const Elf64_Ehdr *eh = (const void *)img->elf;

	if (img->elf_size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB)
		return NULL;
	if (eh->e_type != ET_EXEC || eh->e_machine != EM_X86_64)
		return NULL;
	return eh;
}

static u32 image_prot(u32 flags)
{
	return (flags & PF_R ? RF_READ : 0) | (flags & PF_W ? RF_WRITE : 0) |
	       (flags & PF_X ? RF_EXEC : 0);
}

/* One PT_LOAD. Returns what is wrong with it, or NULL. */
static const char *image_add_segment(struct image *img, const Elf64_Phdr *ph)
{
	struct image_segment *s = &img->segment[img->count];
	u64 offset = ph->p_vaddr - RF_ARENA_BASE;

	if (img->count == IMAGE_SEGMENTS_MAX)
		return "too many segments";
	if (ph->p_vaddr % PAGE_SIZE || offset < img->end)
		return "a segment is not page aligned or out of order";
	if (ph->p_filesz > ph->p_memsz || !range_within(ph->p_offset, ph->p_filesz, img->elf_size))
		return "a segment lies outside the file";
	if (!range_within(offset, ph->p_memsz, KERNEL_IMAGE_OFF + IMAGE_BYTES_MAX))
		return "a segment lies outside its window";
	if ((ph->p_flags & PF_W) && (ph->p_flags & PF_X))
		return "a segment is writable and executable";
	*s = (struct image_segment){
		.offset = offset,
		.len = ALIGN_UP(ph->p_memsz, PAGE_SIZE),
		.file_offset = ph->p_offset,
		.file_len = ph->p_filesz,
		.prot = image_prot(ph->p_flags),
	};
	img->end = offset + s->len;
	if ((s->prot & RF_WRITE) && !img->data_start)
		img->data_start = offset;
	img->count++;
	return NULL;
}

static const char *image_parse_segments(struct image *img, const Elf64_Ehdr *eh)
{
	const Elf64_Phdr *ph = (const void *)(img->elf + eh->e_phoff);
	const char *wrong;

	if (eh->e_phentsize != sizeof(*ph) || eh->e_phoff % 8 ||
	    !range_within(eh->e_phoff, (u64)eh->e_phnum * sizeof(*ph), img->elf_size))
		return "bad program headers";
	img->end = KERNEL_IMAGE_OFF;
	for (u32 i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_DYNAMIC || ph[i].p_type == PT_INTERP)
			return "it wants a dynamic linker";
		if (ph[i].p_type != PT_LOAD || !ph[i].p_memsz)
			continue;
		wrong = image_add_segment(img, &ph[i]);
		if (wrong)
			return wrong;
	}
	if (!img->count || !img->data_start)
		return "no text or no data";
	return NULL;
}

bool image_is_text(const struct image *img, u64 addr)
{
	for (u32 i = 0; i < img->count; i++) {
		const struct image_segment *s = &img->segment[i];

		if ((s->prot & RF_EXEC) && addr - RF_ARENA_BASE - s->offset < s->len &&
		    addr >= RF_ARENA_BASE)
			return true;
	}
	return false;
}

static const char *image_check_header(const struct image *img)
{
	const struct kernel_header *h = &img->header;
	u64 end = RF_ARENA_BASE + img->end, start = RF_ARENA_BASE + img->data_start;

	if (h->magic != BOOT_MAGIC)
		return "it does not start with a kernel header";
	if (h->version != BOOT_VERSION)
		return "it was built for another version of the monitor";
	if (!image_is_text(img, h->entry_guest) || !image_is_text(img, h->entry_host))
		return "an entry point is not in its text";
	if (h->boot_stack_size < PAGE_SIZE || h->boot_stack_size > (1 << 20) ||
	    h->boot_stack_size % 16)
		return "its boot stacks have a strange size";
	if (h->boot_stacks < start || h->boot_stacks % 16 || h->boot_stacks > end ||
	    end - h->boot_stacks < RF_MAX_CPUS * h->boot_stack_size)
		return "its boot stacks are not in its data";
	if (!image_is_text(img, h->thunks) || h->thunks_size > PAGE_SIZE ||
	    !image_is_text(img, h->thunks + h->thunks_size) || h->thunks_plain < RF_ARENA_BASE ||
	    !range_within(h->thunks_plain - RF_ARENA_BASE, h->thunks_size, img->end))
		return "its thunks are not in its text";
	return NULL;
}

int image_parse(struct image *img, const void *elf, size_t size, struct rf_error *err)
{
	const Elf64_Ehdr *eh;
	const char *wrong;

	memset(img, 0, sizeof(*img));
	img->elf = elf;
	img->elf_size = size;
	eh = image_ehdr(img);
	if (!eh)
		return image_bad(err, "not an x86-64 ELF executable");
	wrong = image_parse_segments(img, eh);
	if (wrong)
		return image_bad(err, wrong);
	if (img->segment[0].offset != KERNEL_IMAGE_OFF ||
	    img->segment[0].file_len < sizeof(img->header))
		return image_bad(err, "it is not linked at the arena's image address");
	memcpy(&img->header, img->elf + img->segment[0].file_offset, sizeof(img->header));
	wrong = image_check_header(img);
	return wrong ? image_bad(err, wrong) : 0;
}

void image_load(const struct image *img, struct arena *a)
{
	for (u32 i = 0; i < img->count; i++) {
		const struct image_segment *s = &img->segment[i];

		memcpy(a->base + s->offset, img->elf + s->file_offset, s->file_len);
	}
}

void image_plain_branches(const struct image *img, struct arena *a)
{
	const struct kernel_header *h = &img->header;

	memcpy(a->base + (h->thunks - RF_ARENA_BASE), a->base + (h->thunks_plain - RF_ARENA_BASE),
	       h->thunks_size);
}

int image_protect(const struct image *img, struct arena *a, struct rf_error *err)
{
	for (u32 i = 0; i < img->count; i++) {
		const struct image_segment *s = &img->segment[i];
		int prot = (s->prot & RF_READ ? PROT_READ : 0) |
			   (s->prot & RF_WRITE ? PROT_WRITE : 0) |
			   (s->prot & RF_EXEC ? PROT_EXEC : 0);

		if (mprotect(a->base + s->offset, s->len, prot) < 0)
			return error_set(err, -errno,
					 "cannot make the kernel executable in this process");
	}
	return 0;
}

/* The section of type @type, if it lies inside the file. */
static const Elf64_Shdr *image_section(const struct image *img, u32 type, u32 *ret_link)
{
	const Elf64_Ehdr *eh = (const void *)img->elf;
	const Elf64_Shdr *sh = (const void *)(img->elf + eh->e_shoff);

	if (!eh->e_shoff || eh->e_shentsize != sizeof(*sh) || eh->e_shoff % 8 ||
	    !range_within(eh->e_shoff, (u64)eh->e_shnum * sizeof(*sh), img->elf_size))
		return NULL;
	for (u32 i = 0; i < eh->e_shnum; i++) {
		if (sh[i].sh_type != type ||
		    !range_within(sh[i].sh_offset, sh[i].sh_size, img->elf_size))
			continue;
		*ret_link = sh[i].sh_link < eh->e_shnum ? sh[i].sh_link : 0;
		return &sh[i];
	}
	return NULL;
}

const char *image_symbol(const struct image *img, u64 addr, u64 *ret_distance)
{
	const Elf64_Ehdr *eh = (const void *)img->elf;
	u32 link = 0;
	const Elf64_Shdr *symtab = image_section(img, SHT_SYMTAB, &link), *strtab;
	const Elf64_Sym *sym, *best = NULL;

	if (!symtab)
		return NULL;
	strtab = (const Elf64_Shdr *)(const void *)(img->elf + eh->e_shoff) + link;
	if (!range_within(strtab->sh_offset, strtab->sh_size, img->elf_size))
		return NULL;
	sym = (const void *)(img->elf + symtab->sh_offset);
	for (u64 i = 0; i < symtab->sh_size / sizeof(*sym); i++) {
		if (ELF64_ST_TYPE(sym[i].st_info) > STT_FUNC || sym[i].st_value > addr ||
		    !sym[i].st_name || sym[i].st_name >= strtab->sh_size)
			continue;
		if (!best || sym[i].st_value > best->st_value)
			best = &sym[i];
	}
	if (!best)
		return NULL;
	*ret_distance = addr - best->st_value;
	return (const char *)(img->elf + strtab->sh_offset + best->st_name);
}
