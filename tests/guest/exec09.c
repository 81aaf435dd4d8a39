/* SPDX-License-Identifier: Apache-2.0 */
/* Damaged executables are refused with ENOEXEC, or die of a signal: never worse. */
#include <elf.h>

#include "guest/guest.h"

static unsigned char image[65536];
static size_t image_size;

/* The error of executing the image, or minus the signal the child died of, or 1000 if it just ran. */
static int outcome(void)
{
	int fd = OK(open("program", O_WRONLY | O_CREAT | O_TRUNC, 0755)), status;
	pid_t pid;

	CHECK_EQ(write(fd, image, image_size), image_size);
	OK(close(fd));
	pid = OK(fork());
	if (pid == 0) {
		execl("./program", "program", NULL);
		_exit(errno);
	}
	status = wait_for(pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* A program of one segment that ends with status 99. */
static void make(void)
{
	static const unsigned char code[] = { 0xbf, 99, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05 };
	Elf64_Ehdr *e = (Elf64_Ehdr *)image;
	Elf64_Phdr *p = (Elf64_Phdr *)(e + 1);

	memset(image, 0, sizeof(image));
	memcpy(e->e_ident, "\177ELF\2\1\1", 7);
	e->e_type = ET_EXEC;
	e->e_machine = EM_X86_64;
	e->e_version = 1;
	e->e_entry = 0x400080;
	e->e_phoff = sizeof(*e);
	e->e_ehsize = sizeof(*e);
	e->e_phentsize = sizeof(*p);
	e->e_phnum = 1;
	*p = (Elf64_Phdr){ .p_type = PT_LOAD,
			   .p_flags = PF_R | PF_X,
			   .p_vaddr = 0x400000,
			   .p_filesz = 0x1000,
			   .p_memsz = 0x1000,
			   .p_align = 0x1000 };
	memcpy(image + 0x80, code, sizeof(code));
	image_size = 0x1000;
}

int main(void)
{
	Elf64_Ehdr *e = (Elf64_Ehdr *)image;
	Elf64_Phdr *p = (Elf64_Phdr *)(e + 1);

	scratch();
	make();
	say("good %d\n", outcome());
	make(), image_size = 20;
	say("short %d\n", outcome());
	make(), image_size = sizeof(*e);
	say("no program headers %s\n", outcome() ? "refused" : "ran");
	make(), e->e_machine = EM_386;
	say("machine %d\n", outcome());
	make(), e->e_ident[EI_CLASS] = ELFCLASS32, e->e_machine = EM_AARCH64;
	say("class %d\n", outcome());
	make(), e->e_type = ET_REL;
	say("type %d\n", outcome());
	make(), e->e_phentsize = 7;
	say("phentsize %d\n", outcome());
	make(), e->e_phnum = 0;
	say("phnum 0 %d\n", outcome());
	make(), e->e_phnum = 65535;
	say("phnum 65535 %d\n", outcome());
	make(), e->e_entry = 0x1000;
	say("entry %d\n", outcome());
	make(), p->p_filesz = 0x2000;
	say("filesz > memsz %s\n", outcome() ? "refused" : "ran");
	make(), p->p_flags = PF_R;
	say("not executable %d\n", outcome());
	make(), p->p_vaddr = 0x800000000000, e->e_entry = p->p_vaddr + 0x80;
	say("above user space %s\n", outcome() == 99 ? "ran" : "refused");
	make(), p->p_memsz = 1ul << 60;
	say("memsz %s\n", outcome() == 99 ? "ran" : "refused");
	make(), e->e_phoff = ~0ul - 8;
	say("phoff %s\n", outcome() == 99 ? "ran" : "refused");
	return 0;
}
