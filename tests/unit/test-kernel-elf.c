/* SPDX-License-Identifier: Apache-2.0 */
/* Test-Sources: src/kernel/exec/elf_check.c src/kernel/exec/script_line.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "kernel/exec/elf_check.h"
#include "kernel/exec/script_line.h"

#define LIMIT     0x7e0000000000ull
#define FILE_SIZE 0x5000ull

struct image {
	struct linux_elf64_ehdr eh;
	struct linux_elf64_phdr ph[4];
};

/* A small static program: text and data, no overlap. */
static struct image good(void)
{
	struct image im = { 0 };

	memcpy(im.eh.e_ident, ELFMAG, SELFMAG);
	im.eh.e_ident[EI_CLASS] = ELFCLASS64;
	im.eh.e_ident[EI_DATA] = ELFDATA2LSB;
	im.eh.e_ident[EI_VERSION] = EV_CURRENT;
	im.eh.e_type = ET_EXEC;
	im.eh.e_machine = EM_X86_64;
	im.eh.e_phoff = sizeof(im.eh);
	im.eh.e_phentsize = sizeof(im.ph[0]);
	im.eh.e_phnum = 2;
	im.eh.e_entry = 0x401000;
	im.ph[0] = (struct linux_elf64_phdr){ .p_type = PT_LOAD,
					      .p_flags = PF_R | PF_X,
					      .p_vaddr = 0x400000,
					      .p_filesz = 0x2000,
					      .p_memsz = 0x2000,
					      .p_align = 0x1000 };
	im.ph[1] = (struct linux_elf64_phdr){ .p_type = PT_LOAD,
					      .p_flags = PF_R | PF_W,
					      .p_offset = 0x2010,
					      .p_vaddr = 0x403010,
					      .p_filesz = 0x100,
					      .p_memsz = 0x3000,
					      .p_align = 0x1000 };
	return im;
}

static int check(const struct image *im, struct elf_info *e)
{
	int r = elf_check_header(im, sizeof(*im), FILE_SIZE, e);

	return r < 0 ? r : elf_check_phdrs(im->ph, FILE_SIZE, LIMIT, e);
}

TEST(elf_accepts_static_program)
{
	struct image im = good();
	struct elf_info e;

	ASSERT_OK(check(&im, &e));
	EXPECT_FALSE(e.dyn);
	EXPECT_EQ(e.low, 0x400000);
	EXPECT_EQ(e.high, 0x407000);
	EXPECT_EQ(e.brk, 0x406010);
	EXPECT_EQ(e.phdr_vaddr, 0x400000 + sizeof(im.eh));
	EXPECT_EQ(e.interp_len, 0);
	EXPECT_FALSE(e.exec_stack);
}

TEST(elf_refuses_every_truncated_header)
{
	struct image im = good();
	struct elf_info e;

	for (size_t n = 0; n < sizeof(im.eh); n++)
		EXPECT_EQ(elf_check_header(&im, n, n, &e), -ENOEXEC);
	for (size_t n = sizeof(im.eh); n < sizeof(im.eh) + 2 * sizeof(im.ph[0]); n++)
		EXPECT_EQ(elf_check_header(&im, n, n, &e), -ENOEXEC);
}

TEST(elf_refuses_wrong_identity)
{
	struct elf_info e;

	for (unsigned i = 0; i < 7; i++) {
		struct image im = good();

		im.eh.e_ident[i] ^= 0x55;
		EXPECT_EQ(check(&im, &e), -ENOEXEC);
	}
	for (unsigned type = 0; type < 6; type++) {
		struct image im = good();

		im.eh.e_type = (u16)type;
		EXPECT_EQ(check(&im, &e), type == ET_EXEC || type == ET_DYN ? 0 : -ENOEXEC);
	}
}

TEST(elf_refuses_hostile_header_numbers)
{
	static const u16 counts[] = { 0, 1171, PN_XNUM };
	struct elf_info e;

	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		struct image im = good();

		im.eh.e_phnum = counts[i];
		EXPECT_EQ(check(&im, &e), -ENOEXEC);
	}
	struct image im = good();

	im.eh.e_phoff = ~0ull - 8;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
	im.eh.e_phoff = FILE_SIZE - 8;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
	im = good();
	im.eh.e_phentsize = 32;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
	im = good();
	im.eh.e_entry = LIMIT;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
}

static int check_segment(u64 off, u64 va, u64 filesz, u64 memsz)
{
	struct image im = good();
	struct elf_info e;

	im.ph[1].p_offset = off;
	im.ph[1].p_vaddr = va;
	im.ph[1].p_filesz = filesz;
	im.ph[1].p_memsz = memsz;
	return check(&im, &e);
}

TEST(elf_refuses_hostile_segments)
{
	EXPECT_OK(check_segment(0x2010, 0x403010, 0x100, 0x100));
	EXPECT_EQ(check_segment(0x2010, 0x403010, 0x200, 0x100), -EINVAL);
	EXPECT_EQ(check_segment(0x2010, LIMIT + 0x10, 0, 0x100), -EINVAL);
	EXPECT_EQ(check_segment(0x2010, LIMIT - 0xff0, 0, 0x1000), -EINVAL);
	EXPECT_EQ(check_segment(0x2010, 0x403010, 0x100, ~0ull), -EINVAL);
	EXPECT_EQ(check_segment(0x2010, 0xfffffffffffff010, 0x10, 0x1000), -EINVAL);
	EXPECT_EQ(check_segment(~0ull - 0xfef, 0x403010, 0x100, 0x100), -ENOEXEC);
	EXPECT_EQ(check_segment(0x2010, 0x403010, 0x3000, 0x3000), -ENOEXEC); /* beyond the file */
	EXPECT_EQ(check_segment(0x2010, 0x403020, 0x100, 0x100),
		  -EINVAL); /* offset within the page */
	EXPECT_EQ(check_segment(0x2010, 0x401010, 0x100, 0x100), -EINVAL); /* overlap */
	EXPECT_EQ(check_segment(0x2010, 0x3ff010, 0x100, 0x100), -EINVAL); /* order */
}

TEST(elf_finds_interpreter)
{
	struct image im = good();
	struct elf_info e;

	im.eh.e_phnum = 3;
	im.eh.e_type = ET_DYN;
	im.ph[2] =
		(struct linux_elf64_phdr){ .p_type = PT_INTERP, .p_offset = 0x300, .p_filesz = 28 };
	ASSERT_OK(check(&im, &e));
	EXPECT_TRUE(e.dyn);
	EXPECT_EQ(e.interp_off, 0x300);
	EXPECT_EQ(e.interp_len, 28);
	im.ph[2].p_filesz = 1;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
	im.ph[2].p_filesz = 4097;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
	im.ph[2].p_filesz = 28;
	im.ph[2].p_offset = FILE_SIZE - 27;
	EXPECT_EQ(check(&im, &e), -ENOEXEC);
}

TEST(elf_alignment_counts_powers_of_two_only)
{
	struct image im = good();
	struct elf_info e;

	im.ph[0].p_align = 0x200000;
	im.ph[1].p_align = 0x300001;
	ASSERT_OK(check(&im, &e));
	EXPECT_EQ(e.align, 0x200000);
	im.ph[0].p_align = 1ull << 63;
	EXPECT_EQ(check(&im, &e), -EINVAL);
}

static int parse(const char *text, struct script_line *l)
{
	static u8 head[256];
	size_t n = strlen(text);

	memset(head, 0, sizeof(head));
	memcpy(head, text, n < sizeof(head) ? n : sizeof(head));
	return script_line_parse(head, sizeof(head), l);
}

TEST(script_splits_interpreter_and_one_argument)
{
	struct script_line l;

	ASSERT_OK(parse("#!/bin/sh\necho", &l));
	EXPECT_EQ(l.interp, 2);
	EXPECT_EQ(l.interp_len, 7);
	EXPECT_EQ(l.arg_len, 0);
	ASSERT_OK(parse("#! \t/usr/bin/env  -S python3 -u \t\n", &l));
	EXPECT_EQ(l.interp, 4);
	EXPECT_EQ(l.interp_len, 12);
	EXPECT_EQ(l.arg, 18);
	EXPECT_EQ(l.arg_len, 13);          /* "-S python3 -u" */
	ASSERT_OK(parse("#!/bin/sh", &l)); /* the file ends here */
	EXPECT_EQ(l.interp_len, 7);
}

TEST(script_refuses_what_is_none)
{
	struct script_line l;
	char text[300];

	EXPECT_EQ(parse("", &l), -ENOEXEC);
	EXPECT_EQ(parse("#", &l), -ENOEXEC);
	EXPECT_EQ(parse("#!", &l), -ENOEXEC);
	EXPECT_EQ(parse("#! \t \n", &l), -ENOEXEC);
	EXPECT_EQ(parse("# !/bin/sh\n", &l), -ENOEXEC);
	memset(text, 'x', sizeof(text) - 1);
	text[299] = 0;
	memcpy(text, "#!/", 3);
	EXPECT_EQ(parse(text, &l), -ENOEXEC); /* the name may go on */
	text[100] = ' ';
	ASSERT_OK(parse(text, &l)); /* the argument may be cut */
	EXPECT_EQ(l.interp_len, 98);
	EXPECT_EQ(l.arg_len, 155);
}
