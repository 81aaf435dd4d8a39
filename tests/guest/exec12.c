/* SPDX-License-Identifier: Apache-2.0 */
/* A new program starts with no register of the old one: general registers, x87, MMX, SSE, AVX, AVX-512, bases and flags are initial. */
#include <elf.h>

#include "guest/xstate.h"

/* What the new program writes to descriptor 1: its registers at entry, then its XSAVE image. */
struct start {
	uint64_t gpr[15]; /* rax rbx rcx rdx rsi rdi rbp r8 … r15 */
	uint64_t flags, fs, gs;
	uint8_t image[XSAVE_MAX] __attribute__((aligned(64)));
};
#define CODE_AT  0x400000ul
#define START_AT 0x500000ul

/* Position of the code does not matter, only START_AT does. With R: bases are read by arch_prctl, so without FSGSBASE too. */
extern const char dump_start[], dump_end[];
__asm__(".pushsection .rodata\n"
	"dump_start:\n"
	"	mov %rax, 0x500000\n"
	"	mov %rbx, 0x500008\n"
	"	mov %rcx, 0x500010\n"
	"	mov %rdx, 0x500018\n"
	"	mov %rsi, 0x500020\n"
	"	mov %rdi, 0x500028\n"
	"	mov %rbp, 0x500030\n"
	"	mov %r8, 0x500038\n"
	"	mov %r9, 0x500040\n"
	"	mov %r10, 0x500048\n"
	"	mov %r11, 0x500050\n"
	"	mov %r12, 0x500058\n"
	"	mov %r13, 0x500060\n"
	"	mov %r14, 0x500068\n"
	"	mov %r15, 0x500070\n"
	"	pushf; pop %rax; mov %rax, 0x500078\n"
	"	mov $1, %eax; cpuid; bt $27, %ecx; jnc 1f\n"
	"	mov $-1, %eax; mov $-1, %edx; mov $0x5000c0, %edi; xsave64 (%rdi); jmp 2f\n"
	"1:	mov $0x5000c0, %edi; fxsave64 (%rdi)\n"
	"2:	mov $158, %eax; mov $0x1003, %edi; mov $0x500080, %esi; syscall\n" /* ARCH_GET_FS */
	"	mov $158, %eax; mov $0x1004, %edi; mov $0x500088, %esi; syscall\n" /* ARCH_GET_GS */
	"	mov $1, %eax; mov $1, %edi; mov $0x500000, %esi; mov $16576, %edx; syscall\n"
	"	mov $231, %eax; xor %edi, %edi; syscall\n"
	"dump_end:\n"
	".popsection\n");

static void make_program(const char *path)
{
	static uint8_t file[PAGE];
	Elf64_Ehdr *e = (Elf64_Ehdr *)file;
	Elf64_Phdr *p = (Elf64_Phdr *)(e + 1);
	int fd = OK(open(path, O_WRONLY | O_CREAT, 0755));

	memcpy(e->e_ident, "\177ELF\2\1\1", 7);
	e->e_type = ET_EXEC;
	e->e_machine = EM_X86_64;
	e->e_version = 1;
	e->e_entry = CODE_AT + 0x200;
	e->e_phoff = sizeof(*e);
	e->e_ehsize = sizeof(*e);
	e->e_phentsize = sizeof(*p);
	e->e_phnum = 2;
	p[0] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, CODE_AT, CODE_AT, PAGE, PAGE, PAGE };
	p[1] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_W, 0, START_AT, START_AT, 0, 8 * PAGE, PAGE };
	memcpy(file + 0x200, dump_start, (size_t)(dump_end - dump_start));
	CHECK_EQ(write(fd, file, sizeof(file)), sizeof(file));
	OK(close(fd));
}

/* Everything dirty, then exec. */
static int run(void *arg)
{
	static char *const none[] = { NULL };
	struct vectors in, out;

	OK(dup2(*(int *)arg, 1));
	vectors_fill(&in, 0x55);
	__asm__ volatile("fninit; fldpi; fld1; fldpi; fldcw %0; ldmxcsr %1"
			 :
			 : "m"((uint16_t){ 0x77f }), "m"((unsigned){ 0x3f80 }));
	vectors_call(&in, &out, SYS_execve, (long)"./program", (long)none);
	return 1;
}

static void check_zero(const char *what, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i])
			FAIL("%s: byte %zu is %#x", what, i, p[i]);
}

static void check_image(const uint8_t *image, uint64_t enabled)
{
	const struct xstate_header *h = (const struct xstate_header *)(image + 512);
	unsigned a, b, c, d;
	char name[32];

	say("control: %#x, mxcsr %#x\n", image[0] | image[1] << 8, *(const unsigned *)(image + 24));
	if (!enabled || h->xstate_bv & XSTATE_X87) {
		check_zero("x87 status and tags", image + 2, 4);
		check_zero("x87 registers", image + 32, 128);
	}
	if (!enabled || h->xstate_bv & XSTATE_SSE)
		check_zero("xmm", image + 160, 256);
	if (!enabled)
		return;
	for (unsigned i = 2; i < 63; i++) {
		/* PKRU's initial value in Linux is not zero. */
		if (!(h->xstate_bv >> i & 1) || i == 9)
			continue;
		__cpuid_count(0xd, i, a, b, c, d);
		snprintf(name, sizeof(name), "component %u", i);
		CHECK(b + a <= XSAVE_MAX);
		check_zero(name, image + b, a);
	}
}

int main(void)
{
	static struct start s;
	int ends[2];
	pid_t pid;
	size_t n = 0;

	scratch();
	CHECK_EQ(sizeof(s), 192 + XSAVE_MAX);
	make_program("program");
	OK(pipe(ends));
	pid = spawn(run, &ends[1]);
	OK(close(ends[1]));
	for (ssize_t got; (got = OK(read(ends[0], (uint8_t *)&s + n, sizeof(s) - n))) > 0;)
		n += (size_t)got;
	wait_ok(pid);
	CHECK_EQ(n, sizeof(s));
	check_zero("general registers", (uint8_t *)s.gpr, sizeof(s.gpr));
	say("flags %#lx fs %#lx gs %#lx\n", s.flags, s.fs, s.gs);
	check_image(s.image, xstate_enabled());
	return 0;
}
