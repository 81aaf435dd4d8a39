/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user-code: a few instructions of user code in a virtual machine, by <ringfence/platform.h> alone.
 *
 * The program below knows two system calls, write(2) and exit(2), and a heap that nobody has mapped yet. We are its kernel:
 * we answer its calls, map the heap page by page as it faults, and interrupt it when it waits for us in a loop.
 *
 *	cc -o user-code user-code.c $(pkg-config --cflags --libs ringfence-platform)
 *	./user-code
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ringfence/platform.h>

#define PAGE        UINT64_C(4096)
#define MEMORY      (UINT64_C(16) << 20)
#define CODE        UINT64_C(0x400000)
#define HEAP        UINT64_C(0x10000000)
#define HEAP_PAGES  8
#define SYS_WRITE   1
#define SYS_EXIT    60
#define WRITE_LIMIT 4096

/*
 * The program: greets, stores 8, 7, ... 1 in the first words of the heap's pages, waits until the first word is 0, and exits
 * with the sum of the others. It is position-independent, and in our own image only data.
 */
extern const char program[], program_end[];
__asm__(".pushsection .rodata\n"
	".balign 16\n"
	"program:\n"
	"	mov $1, %eax\n"
	"	mov $1, %edi\n"
	"	lea 10f(%rip), %rsi\n"
	"	mov $(11f - 10f), %edx\n"
	"	syscall\n"
	"	mov $0x10000000, %ebx\n"
	"	mov $8, %ecx\n"
	"1:	mov %ecx, (%rbx)\n" /* a page fault, each time */
	"	add $4096, %rbx\n"
	"	loop 1b\n"
	"2:	cmpl $0, 0x10000000\n" /* only an interruption ends this */
	"	jne 2b\n"
	"	mov $1, %eax\n"
	"	mov $1, %edi\n"
	"	lea 11f(%rip), %rsi\n"
	"	mov $(12f - 11f), %edx\n"
	"	syscall\n"
	"	xor %edi, %edi\n"
	"3:	sub $4096, %rbx\n"
	"	add (%rbx), %edi\n"
	"	cmp $0x10000000, %rbx\n"
	"	jne 3b\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	ud2\n"
	"10:	.ascii \"hello from user mode\\n\"\n"
	"11:	.ascii \"somebody changed my memory\\n\"\n"
	"12:\n"
	"program_end:\n"
	".popsection\n");

struct sandbox {
	struct rf_machine *machine;
	struct rf_address_space *as;
	struct rf_context *context;
	struct rf_regs regs;
	uint64_t next_frame; /* first unused offset of the memory file */
	int status;          /* of exit(2) */
	unsigned calls, faults, interruptions;
};

/* For the signal handler; interrupting is async-signal-safe. */
static struct rf_context *volatile to_interrupt;

static void on_alarm(int signo)
{
	(void)signo;
	rf_context_interrupt(to_interrupt);
}

static void fail(const char *what, int r)
{
	fprintf(stderr, "user-code: %s: %s\n", what, strerror(-r));
	exit(1);
}

static void check(const char *what, int r)
{
	if (r < 0)
		fail(what, r);
}

/* ---- setting up ---- */

static void make_machine(struct sandbox *s)
{
	const struct rf_platform *p = rf_platform_lookup("kvm");
	const struct rf_options options = { .cpus = 1, .memory = { .size = MEMORY } };
	struct rf_error err = { 0 };
	int device;

	if (!p)
		fail("platform kvm", -ENOENT);
	if (rf_platform_open_device(p, NULL, &device, &err) ||
	    rf_machine_new(p, device, &options, &s->machine, &err)) {
		fprintf(stderr, "user-code: %s\n", err.text);
		exit(1);
	}
}

/* The code goes to the start of the memory file; the pages behind it are free. */
static void load_program(struct sandbox *s)
{
	memcpy(rf_machine_memory(s->machine)->base, program, (size_t)(program_end - program));
	check("new address space", rf_address_space_new(s->machine, &s->as));
	check("mapping the code",
	      rf_address_space_map_file(s->as, CODE, 0, PAGE, RF_READ | RF_EXEC, false));
	check("new context", rf_context_new(s->machine, &s->context));
	s->next_frame = PAGE;
	s->regs = (struct rf_regs){ .rip = CODE };
}

/* ---- the kernel ---- */

static uint64_t sys_write(struct sandbox *s)
{
	static char buffer[WRITE_LIMIT];
	size_t n = s->regs.rdx < WRITE_LIMIT ? (size_t)s->regs.rdx : WRITE_LIMIT, done;
	ssize_t written;

	if (s->regs.rdi != 1)
		return (uint64_t)-EBADF;
	done = rf_address_space_copy_in(s->as, buffer, s->regs.rsi, n);
	if (n && !done)
		return (uint64_t)-EFAULT;
	written = write(1, buffer, done);
	return written < 0 ? (uint64_t)-errno : (uint64_t)written;
}

/* Returns false when the program is over. */
static bool handle_call(struct sandbox *s)
{
	s->calls++;
	switch (s->regs.orig_rax) {
	case SYS_WRITE:
		s->regs.rax = sys_write(s);
		return true;
	case SYS_EXIT:
		s->status = (int)(s->regs.rdi & 0xff);
		return false;
	default:
		s->regs.rax = (uint64_t)-ENOSYS;
		return true;
	}
}

/* The first touch of a page of the heap gets it a page; any other fault ends the program. */
static bool handle_fault(struct sandbox *s, const struct rf_trap *trap)
{
	uint64_t page = trap->address & ~(PAGE - 1);

	s->faults++;
	if (trap->vector == 14 && page >= HEAP && page < HEAP + HEAP_PAGES * PAGE) {
		check("mapping the heap",
		      rf_address_space_map_file(s->as, page, s->next_frame, PAGE,
						RF_READ | RF_WRITE, false));
		s->next_frame += PAGE;
		return true;
	}
	fprintf(stderr, "user-code: exception %" PRIu32 " at rip 0x%" PRIx64 ", address 0x%" PRIx64 "\n",
		trap->vector, s->regs.rip, trap->address);
	s->status = 128 + trap->signo;
	return false;
}

/* Once the program has stored its word and waits, makes it 0; on a slow machine that may take another alarm. */
static bool handle_interruption(struct sandbox *s)
{
	static const uint32_t zero;
	uint32_t word;

	s->interruptions++;
	if (rf_address_space_load_u32(s->as, HEAP, &word) || !word)
		alarm(1);
	else if (rf_address_space_copy_out(s->as, HEAP, &zero, sizeof(zero)) != sizeof(zero))
		fail("writing the word", -EFAULT);
	return true;
}

static bool handle_trap(struct sandbox *s, const struct rf_trap *trap)
{
	switch (trap->kind) {
	case RF_TRAP_SYSCALL:
		return handle_call(s);
	case RF_TRAP_FAULT:
		return handle_fault(s, trap);
	case RF_TRAP_INTERRUPT:
		return handle_interruption(s);
	case RF_TRAP_ERROR:
		fail("the platform", trap->code);
		return false;
	default: /* preempted: go on */
		return true;
	}
}

int main(void)
{
	struct sandbox s = { 0 };
	struct rf_trap trap;

	make_machine(&s);
	load_program(&s);
	to_interrupt = s.context;
	signal(SIGALRM, on_alarm);
	alarm(1);
	do
		check("switch", rf_context_switch(s.context, s.as, &s.regs, 0, &trap));
	while (handle_trap(&s, &trap));
	printf("exit status %d after %u system calls, %u page faults, %u interruption%s\n", s.status,
	       s.calls, s.faults, s.interruptions, s.interruptions == 1 ? "" : "s");
	signal(SIGALRM, SIG_DFL);
	rf_context_free(s.context);
	rf_address_space_free(s.as);
	rf_machine_free(s.machine);
	return s.status == 28 ? 0 : 1; /* 7 + 6 + ... + 1 */
}
