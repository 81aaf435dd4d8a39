/* SPDX-License-Identifier: Apache-2.0 */
/* The auxiliary vector: what a program relies on is there and true. */
#include <elf.h>
#include <sys/auxv.h>

#include "guest/guest.h"

extern char **environ;

int main(int argc, char **argv)
{
	const unsigned char *random = (const unsigned char *)getauxval(AT_RANDOM);
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)getauxval(AT_PHDR);
	int zeros = 0;

	CHECK_EQ(getauxval(AT_PAGESZ), PAGE);
	CHECK_EQ(getauxval(AT_UID), getuid());
	CHECK_EQ(getauxval(AT_EGID), getegid());
	CHECK_EQ(getauxval(AT_SECURE), 0);
	CHECK_EQ(getauxval(AT_CLKTCK), sysconf(_SC_CLK_TCK));
	CHECK_EQ(getauxval(AT_PHENT), sizeof(Elf64_Phdr));
	CHECK(getauxval(AT_PHNUM) > 2 && phdr != NULL);
	CHECK(getauxval(AT_ENTRY) != 0);
	CHECK(random != NULL);
	for (int i = 0; i < 16; i++)
		zeros += random[i] == 0;
	CHECK(zeros < 8);
	CHECK_EQ(access((const char *)getauxval(AT_EXECFN), X_OK), 0);
	CHECK(strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") == 0);
	CHECK(memcmp((const void *)getauxval(AT_SYSINFO_EHDR), "\177ELF", 4) == 0);
	CHECK_EQ((uintptr_t)argv % 8, 0);
	CHECK(argv + argc + 1 == environ);
	say("clock ticks %ld\n", sysconf(_SC_CLK_TCK));
	return 0;
}
