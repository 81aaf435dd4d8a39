/* SPDX-License-Identifier: Apache-2.0 */
/* The vDSO: a valid ELF image with the usual symbols, which agrees with the system call. */
#include <elf.h>
#include <sys/auxv.h>
#include <link.h>

#include "guest/guest.h"

static const char *image;
static const Elf64_Sym *symbols;
static const char *names;
static const uint32_t *hash;
static size_t symbol_count;

static void read_dynamic(const Elf64_Dyn *d, uintptr_t base)
{
	for (; d->d_tag != DT_NULL; d++) {
		const void *p = (const void *)(d->d_un.d_ptr + (d->d_un.d_ptr < base ? base : 0));

		if (d->d_tag == DT_SYMTAB)
			symbols = p;
		else if (d->d_tag == DT_STRTAB)
			names = p;
		else if (d->d_tag == DT_HASH)
			hash = p;
	}
}

static void *find(const char *name)
{
	for (size_t i = 0; i < symbol_count; i++)
		if (symbols[i].st_value && strcmp(names + symbols[i].st_name, name) == 0)
			return (void *)(uintptr_t)(image + symbols[i].st_value);
	return NULL;
}

int main(void)
{
	static const char *const wanted[] = { "__vdso_clock_gettime", "__vdso_gettimeofday",
					      "__vdso_time", "__vdso_getcpu" };
	const Elf64_Ehdr *e = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Phdr *p;
	int (*gettime)(clockid_t, struct timespec *);

	CHECK(e != NULL);
	CHECK(memcmp(e->e_ident, "\177ELF", 4) == 0 && e->e_type == ET_DYN);
	image = (const char *)e;
	p = (const Elf64_Phdr *)(image + e->e_phoff);
	for (int i = 0; i < e->e_phnum; i++)
		if (p[i].p_type == PT_DYNAMIC)
			read_dynamic((const Elf64_Dyn *)(image + p[i].p_vaddr), (uintptr_t)image);
	CHECK(symbols && names);
	/* Without DT_HASH (a newer vDSO) the string table behind the symbols bounds them. */
	symbol_count =
		hash ? hash[1] : (size_t)((uintptr_t)names - (uintptr_t)symbols) / sizeof(*symbols);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		say("%s %s\n", wanted[i], find(wanted[i]) ? "there" : "missing");
	gettime = (int (*)(clockid_t, struct timespec *))(uintptr_t)find(wanted[0]);
	for (int i = 0; gettime && i < 1000; i++) {
		static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC };
		struct timespec before, between, after;

		OK(syscall(SYS_clock_gettime, clocks[i & 1], &before));
		CHECK_EQ(gettime(clocks[i & 1], &between), 0);
		OK(syscall(SYS_clock_gettime, clocks[i & 1], &after));
		CHECK(before.tv_sec < between.tv_sec ||
		      (before.tv_sec == between.tv_sec && before.tv_nsec <= between.tv_nsec));
		CHECK(between.tv_sec < after.tv_sec ||
		      (between.tv_sec == after.tv_sec && between.tv_nsec <= after.tv_nsec));
	}
	return 0;
}
