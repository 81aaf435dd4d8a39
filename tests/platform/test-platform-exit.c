/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exits for real, as many as a KVM can be brought to make, and what the dump says of each. What needs hardware we
 * lack is in test-platform-faults-injected.c, through the same table.
 */
#include <errno.h>
#include <linux/kvm_para.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>

#include "platform/ring0.h"

#ifndef KVM_HC_MAP_GPA_RANGE
#define KVM_HC_MAP_GPA_RANGE 12
#endif

static char dump[KVM_DUMP_MAX];

#define EXPECT_DUMP(part)                                                   \
	do {                                                                \
		if (!strstr(dump, part))                                    \
			test_fatal("no '%s' in the dump:\n%s", part, dump); \
	} while (0)

/* Boots and runs @code, which must end in exit @name; leaves the dump. */
static void expect_fatal(struct rf_machine *m, const char *code, const char *end, const char *name)
{
	ring0_boot(m, code, end);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	EXPECT_DUMP(name);
	/* KVM on AMD resets the vCPU at a triple fault: the exits are all that is left. */
	if (!strstr(dump, "the vCPU was reset"))
		EXPECT_DUMP("walk rip");
	EXPECT_DUMP("last exits");
}

USER_CODE(do_ud2, "nop\n ud2");
USER_CODE(do_mmio, "movl $7, 0x123(%rdi)");
USER_CODE(do_io, "mov $0x3f8, %edx\n mov $65, %eax\n outb %al, %dx");
USER_CODE(do_hlt, "hlt\n hlt");
USER_CODE(do_avx, "vmovups (%rdi), %ymm0\n hlt");
USER_CODE(do_jump, "jmp *%rdi");
USER_CODE(do_int3, "nop\n int3\n hlt");
USER_CODE(do_rdmsr, "mov $0x12345, %ecx\n rdmsr\n hlt");
USER_CODE(do_wrmsr, "mov $0x12345, %ecx\n mov $9, %eax\n xor %edx, %edx\n wrmsr\n hlt");
USER_CODE(do_spin, "1: jmp 1b");
USER_CODE(do_load, "mov (%rsi), %rax\n hlt");
/* KVM_HC_MAP_GPA_RANGE: address, pages, attributes. */
USER_CODE(do_vmcall,
	  "mov $12, %eax\n mov $0x1000, %ebx\n mov $1, %ecx\n mov $16, %edx\n vmcall\n hlt");
USER_CODE(do_vmmcall,
	  "mov $12, %eax\n mov $0x1000, %ebx\n mov $1, %ecx\n mov $16, %edx\n vmmcall\n hlt");
USER_CODE(do_sti, "sti\n nop\n 1: jmp 1b");

TEST(shutdown_by_triple_fault)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	expect_fatal(m, do_ud2, do_ud2_end, "KVM exit 8 (SHUTDOWN)");
	EXPECT_DUMP("triple fault");
	rf_machine_free(m);
}

TEST(mmio_of_a_hole)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	expect_fatal(m, do_mmio, do_mmio_end,
		     "KVM exit 6 (MMIO) address 0x1f00000123 size 4 write");
	EXPECT_DUMP("MMIO 1f00000123"); /* in the ring */
	rf_machine_free(m);
}

TEST(io_from_ring0)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	expect_fatal(m, do_io, do_io_end, "KVM exit 2 (IO) port 0x3f8 size 1 out");
	EXPECT_DUMP("IO port 0x3f8 size 1 out\n");
	rf_machine_free(m);
}

TEST(hlt_is_a_hostcall_and_in_the_ring)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct rf_regs regs = { 0 };

	RING0_BOOT(m, do_hlt);
	EXPECT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	EXPECT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	EXPECT_EQ(rf_machine_dump_cpu(m, 0, &regs, dump, sizeof(dump)), 0);
	EXPECT_DUMP("HLT (2 times)");
	EXPECT_EQ(regs.rip, R0_VA(R0_IMAGE) + 2);
	EXPECT_EQ(rf_machine_dump_cpu(m, 1, &regs, dump, sizeof(dump)), -EINVAL);
	rf_machine_free(m);
}

/* KVM's emulator knows no AVX; a KVM that interprets ring 0 may say #UD, which is a triple fault here. */
TEST(emulation_failure_of_data)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	RING0_BOOT(m, do_avx);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	if (strstr(dump, "SHUTDOWN"))
		test_skip("this KVM answers AVX on MMIO with #UD");
	EXPECT_DUMP("KVM exit 17 (INTERNAL_ERROR) sub-code 1 (EMULATION)");
	EXPECT_DUMP("code at rip: c5 fc 10 07");
	rf_machine_free(m);
}

TEST(emulation_failure_of_code)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	expect_fatal(m, do_jump, do_jump_end,
		     "KVM exit 17 (INTERNAL_ERROR) sub-code 1 (EMULATION)");
	EXPECT_DUMP("(no slot)");
	EXPECT_DUMP("rip 00007e0040000000");
	rf_machine_free(m);
}

/* The CPU cannot push the frame: its IST stack is in the hole. */
TEST(delivery_to_a_stack_in_a_hole)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	uint8_t *a = rf_machine_memory(m)->base;

	RING0_BOOT(m, do_ud2);
	ring0_gate(a, 6, R0_VA(R0_IMAGE), 1);
	ring0_put(a + R0_TSS + 0x24, HOLE_VA + 0x1000);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	/* Which it is depends on who delivers: the CPU, an emulator of it, or KVM's interpreter (the fault doubles). */
	if (!strstr(dump, "DELIVERY_EV") && !strstr(dump, "EMULATION"))
		EXPECT_DUMP("SHUTDOWN");
	test_note("%.60s", dump);
	EXPECT_DUMP("walk ist1 00007e0040000ff8");
	rf_machine_free(m);
}

TEST(debug_exit_when_guest_debugging_is_on)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct kvm_guest_debug debug = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP };

	RING0_BOOT(m, do_int3);
	if (kvm_ioctl(ring0_vcpu(m)->fd, KVM_SET_GUEST_DEBUG, &debug))
		test_skip("no KVM_SET_GUEST_DEBUG");
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	if (!strstr(dump, "DEBUG")) { /* not every KVM intercepts INT3 of ring 0 */
		test_note("INT3: %.60s", dump);
		debug.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP;
		RING0_BOOT(m, do_hlt);
		ASSERT_OK(kvm_ioctl(ring0_vcpu(m)->fd, KVM_SET_GUEST_DEBUG, &debug));
		ring0_put((uint8_t *)rf_machine_memory(m)->base + R0_IMAGE, 0x9090909090909090);
		if (ring0_run(m, dump, sizeof(dump)) != RF_EXIT_FATAL || !strstr(dump, "DEBUG"))
			test_skip("this KVM debugs neither INT3 nor single steps of ring 0");
	}
	EXPECT_DUMP("KVM exit 4 (DEBUG) exception ");
	rf_machine_free(m);
}

static void enable_cap(struct rf_machine *m, unsigned int cap, uint64_t value)
{
	struct kvm_enable_cap enable = { .cap = cap, .args = { value } };

	if (kvm_ioctl(kvm_machine(m)->fd, KVM_ENABLE_CAP, &enable))
		test_skip("no capability %u", cap);
}

TEST(msr_exits_when_enabled)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	enable_cap(m, KVM_CAP_X86_USER_SPACE_MSR,
		   KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL);
	expect_fatal(m, do_rdmsr, do_rdmsr_end, "KVM exit 29 (X86_RDMSR) MSR 12345");
	rf_machine_free(m);
	m = fixture_machine(1, RF_RESIDENCY_GUEST);
	enable_cap(m, KVM_CAP_X86_USER_SPACE_MSR,
		   KVM_MSR_EXIT_REASON_UNKNOWN | KVM_MSR_EXIT_REASON_INVAL);
	expect_fatal(m, do_wrmsr, do_wrmsr_end, "KVM exit 30 (X86_WRMSR) MSR 12345 data 9");
	rf_machine_free(m);
}

TEST(hypercall_exit_when_enabled)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct rf_traits traits;
	bool amd;

	rf_machine_traits(m, &traits);
	if (!traits.can_boot)
		test_skip("ring 0 is interpreted here, hypercalls are not exits");
	enable_cap(m, KVM_CAP_EXIT_HYPERCALL, 1 << KVM_HC_MAP_GPA_RANGE);
	amd = __builtin_cpu_is("amd");
	if (amd)
		RING0_BOOT(m, do_vmmcall);
	else
		RING0_BOOT(m, do_vmcall);
	if (ring0_run(m, dump, sizeof(dump)) == RF_EXIT_HOSTCALL)
		test_skip("this KVM keeps the hypercall to itself");
	EXPECT_DUMP("KVM exit 3 (HYPERCALL) number c");
	rf_machine_free(m);
}

TEST(nmi_goes_through_the_idt)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	RING0_BOOT(m, do_hlt);
	ring0_gate(rf_machine_memory(m)->base, 2, R0_VA(R0_IMAGE) + 0x100, 0); /* HLT there too */
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	if (kvm_ioctl_value(ring0_vcpu(m)->fd, KVM_NMI, 0))
		test_skip("no KVM_NMI");
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	EXPECT_EQ(rf_machine_dump_cpu(m, 0, NULL, dump, sizeof(dump)), 0);
	EXPECT_DUMP("masked");
	EXPECT_DUMP("rip 00007e0000200101");
	rf_machine_free(m);
}

/* Invalid states: either KVM_SET_SREGS refuses them, or the entry does, and then the list of checks names the rule. */
TEST(invalid_states_are_refused_or_explained)
{
	for (int kind = 0; kind < 4; kind++) {
		struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
		struct kvm_sregs s;
		enum rf_exit_kind end;
		int r;

		RING0_BOOT(m, do_hlt);
		ASSERT_OK(kvm_ioctl(ring0_vcpu(m)->fd, KVM_GET_SREGS, &s));
		if (kind == 0)
			s.cs.db = 1;
		else if (kind == 1)
			s.cr4 &= ~CR4_PAE;
		else if (kind == 2)
			s.tr.type = 2;
		else
			s.cr0 &= ~1ull;
		r = kvm_ioctl(ring0_vcpu(m)->fd, KVM_SET_SREGS, &s);
		if (r) {
			test_note("kind %d: KVM_SET_SREGS says %d", kind, r);
			EXPECT_EQ(r, -EINVAL);
			rf_machine_free(m);
			continue;
		}
		end = ring0_run(m, dump, sizeof(dump));
		test_note("kind %d: %.60s", kind,
			  end == RF_EXIT_FATAL ? dump : "runs all the same");
		if (end == RF_EXIT_FATAL && strstr(dump, "FAIL_ENTRY")) {
			EXPECT_DUMP("the state breaks these rules");
			EXPECT_DUMP("cs  0010");
		}
		rf_machine_free(m);
	}
}

static void *interrupt_main(void *arg)
{
	rf_machine_interrupt_cpu(arg, 0);
	return NULL;
}

/* EINTR, the window, and the interrupt itself. */
TEST(kick_opens_a_window_and_arrives)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	pthread_t thread;

	RING0_BOOT(m, do_sti);
	ring0_gate(rf_machine_memory(m)->base, RF_VECTOR_KICK, R0_VA(R0_IMAGE) + 0x100, 0);
	ASSERT_EQ(pthread_create(&thread, NULL, interrupt_main, m), 0);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	pthread_join(thread, NULL);
	EXPECT_EQ(rf_machine_dump_cpu(m, 0, NULL, dump, sizeof(dump)), 0);
	EXPECT_DUMP("rip 00007e0000200101");
	rf_machine_free(m);
}

TEST(lost_memory_is_fatal_in_residency_guest)
{
	int fd = memfd_create("arena", MFD_CLOEXEC), device;
	struct rf_options options = { .cpus = 1,
				      .residency = RF_RESIDENCY_GUEST,
				      .memory.size = MEMORY };
	struct rf_error err = { 0 };
	struct rf_machine *m;

	ASSERT_EQ(ftruncate(fd, MEMORY), 0);
	options.memory.base = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT_OK(rf_platform_open_device(fixture_platform(), NULL, &device, &err));
	ASSERT_OK(rf_machine_new(fixture_platform(), device, &options, &m, &err));
	RING0_BOOT(m, do_load);
	ASSERT_OK(kvm_ioctl(ring0_vcpu(m)->fd, KVM_SET_REGS,
			    &(struct kvm_regs){ .rip = R0_VA(R0_IMAGE),
						.rsi = R0_VA(MEMORY - 8),
						.rflags = 2 }));
	ASSERT_EQ(ftruncate(fd, MEMORY / 2), 0);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	/* KVM's emulator takes memory it cannot reach for a device's. */
	if (strstr(dump, "MMIO"))
		EXPECT_DUMP("in a slot whose memory is gone");
	else
		EXPECT_DUMP("KVM_RUN failed: EFAULT");
	rf_machine_free(m);
	munmap(options.memory.base, MEMORY);
	close(fd);
}

/* ---- errors of KVM_RUN that can be had ---- */

TEST(run_einval)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);

	RING0_BOOT(m, do_hlt);
	ring0_vcpu(m)->run->kvm_valid_regs = 1ull << 40;
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	EXPECT_DUMP("KVM_RUN failed: EINVAL");
	EXPECT_DUMP("the state breaks none of the rules");
	rf_machine_free(m);
}

TEST(run_enotty_and_ebadf)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), fd = ring0_vcpu(m)->fd, saved = dup(fd);

	RING0_BOOT(m, do_hlt);
	ASSERT_EQ(dup2(null, fd), fd);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	EXPECT_DUMP("KVM_RUN failed: ENOTTY");
	EXPECT_DUMP("no registers");
	close(fd);
	ASSERT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_FATAL);
	EXPECT_DUMP("KVM_RUN failed: EBADF");
	ASSERT_EQ(dup2(saved, fd), fd);
	close(saved);
	close(null);
	EXPECT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	rf_machine_free(m);
}

/* A machine belongs to the process that made it; the child gets an error, not a crash, and the parent is not disturbed. */
TEST(fork_leaves_the_machine_to_the_parent)
{
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct fixture f;
	int status;
	pid_t pid;

	fixture_up(&f, 1);
	LOAD(&f, do_hlt);
	RING0_BOOT(m, do_hlt);
	pid = fork();
	if (pid == 0) {
		int r = ioctl(ring0_vcpu(m)->fd, KVM_RUN, 0);

		_exit(r < 0 && (errno == EIO || errno == EPERM) ? 0 : 1);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
	EXPECT_EQ(ring0_run(m, dump, sizeof(dump)), RF_EXIT_HOSTCALL);
	rf_machine_free(m);
	fixture_down(&f);
}

/* ---- residency host ---- */

/* Without an IDT the first fault of user code is a triple fault: an error of the switch, not a signal for the program. */
TEST(shutdown_in_residency_host_is_an_error)
{
	struct fixture f;
	struct kvm_sregs s;

	fixture_up(&f, 1);
	LOAD(&f, do_ud2);
	fixture_switch(&f); /* #UD arrives */
	EXPECT_FAULT(&f, 6, 0);
	s = ring0_vcpu(f.m)->user_sregs;
	ring0_vcpu(f.m)->user_sregs.idt.limit = 0;
	ring0_vcpu(f.m)->state_valid = false;
	fixture_reset(&f);
	ASSERT_OK(rf_context_switch(f.c, f.as, &f.regs, 0, &f.trap));
	EXPECT_EQ(f.trap.kind, RF_TRAP_ERROR);
	EXPECT_EQ(f.trap.code, -EIO);
	ring0_vcpu(f.m)->user_sregs = s;
	fixture_down(&f);
}

/* ---- dumps of a CPU that runs ---- */

struct spinner {
	struct fixture f;
	struct rf_machine *guest;
};

static void *spin_host(void *arg)
{
	struct spinner *s = arg;

	ASSERT_OK(rf_context_switch(s->f.c, s->f.as, &s->f.regs, 0, &s->f.trap));
	return NULL;
}

static void dump_until(struct rf_machine *m, const char *part, struct rf_regs *regs)
{
	do
		ASSERT_EQ(rf_machine_dump_cpu(m, 0, regs, dump, sizeof(dump)), 0);
	while (!strstr(dump, part));
}

TEST(running_switch_is_dumped_and_goes_on)
{
	struct spinner s;
	struct rf_regs regs;
	pthread_t thread;

	fixture_up(&s.f, 1);
	LOAD(&s.f, do_spin);
	s.f.regs.rbx = 0x1234567;
	ASSERT_EQ(pthread_create(&thread, NULL, spin_host, &s), 0);
	for (int i = 0; i < 50; i++)
		dump_until(s.f.m, "rbx 0000000001234567", &regs);
	EXPECT_EQ(regs.rbx, 0x1234567);
	rf_context_interrupt(s.f.c);
	pthread_join(thread, NULL);
	EXPECT_EQ(s.f.trap.kind, RF_TRAP_INTERRUPT);
	EXPECT_EQ(s.f.regs.rip, CODE);
	fixture_down(&s.f);
}

static void *spin_guest(void *arg)
{
	static char ignored[KVM_DUMP_MAX];
	struct spinner *s = arg;

	while (ring0_run(s->guest, ignored, sizeof(ignored)) == RF_EXIT_SIGNAL)
		;
	return NULL;
}

/* A CPU that hangs in ring 0 with interrupts off, which no kick reaches. */
TEST(hung_ring0_is_dumped)
{
	struct spinner s = { .guest = fixture_machine(1, RF_RESIDENCY_GUEST) };
	uint8_t *a = rf_machine_memory(s.guest)->base;
	struct rf_regs regs;
	pthread_t thread;

	RING0_BOOT(s.guest, do_spin);
	ASSERT_EQ(pthread_create(&thread, NULL, spin_guest, &s), 0);
	rf_machine_interrupt_cpu(s.guest, 0);
	dump_until(s.guest, "last exits", &regs);
	if (regs.rip != R0_VA(R0_IMAGE))
		dump_until(s.guest, "EINTR", &regs);
	EXPECT_EQ(regs.rip, R0_VA(R0_IMAGE));
	EXPECT_EQ(regs.cs, 0x10);
	EXPECT_DUMP("code at rip: eb fe");
	a[R0_IMAGE] = 0xf4; /* let it go: HLT */
	do { /* a software KVM may have the old instruction cached until the next exit */
		ASSERT_EQ(rf_machine_dump_cpu(s.guest, 0, &regs, dump, sizeof(dump)), 0);
	} while (regs.rip == R0_VA(R0_IMAGE));
	pthread_join(thread, NULL);
	rf_machine_free(s.guest);
}

/* Whatever the registers hold, the text is bounded and nothing outside the slots is touched. */
TEST(dump_of_hostile_registers)
{
	static const uint64_t values[] = { 0,
					   ~0ull,
					   0x7fffffffffff,
					   0x800000000000,
					   HOLE_VA - 1,
					   HOLE_VA + 0x1fffff,
					   RF_ARENA_BASE + MEMORY - 1,
					   0x400000,
					   0x5555555555555555 };
	struct rf_machine *m = fixture_machine(1, RF_RESIDENCY_GUEST);
	struct kvm_regs regs = { .rflags = 2 };
	uint8_t *a = rf_machine_memory(m)->base;

	RING0_BOOT(m, do_hlt);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		regs.rip = regs.rsp = regs.rax = values[i];
		ASSERT_OK(kvm_ioctl(ring0_vcpu(m)->fd, KVM_SET_REGS, &regs));
		ring0_put(a + R0_TSS + 0x24, values[i]);
		ring0_put(a + R0_PML4 + 8 * (values[i] >> 39 & 511), values[i] | 3);
		ring0_put(a + R0_PML4 + 252 * 8, (RF_ARENA_GPA + R0_PDPT) | 0x23);
		for (size_t size = 0; size < 400; size += 7) {
			memset(dump, 'x', sizeof(dump));
			EXPECT_OK(rf_machine_dump_cpu(m, 0, NULL, dump, size));
			EXPECT_EQ(dump[size], 'x');
			EXPECT_TRUE(!size || memchr(dump, 0, size) != NULL);
		}
		EXPECT_OK(rf_machine_dump_cpu(m, 0, NULL, dump, sizeof(dump)));
		EXPECT_TRUE(strlen(dump) < sizeof(dump) - 1);
	}
	rf_machine_free(m);
}
