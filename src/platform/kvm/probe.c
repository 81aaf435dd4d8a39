/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out by experiment what this KVM does: a small machine runs a few snippets in ring 3 and
 * ring 0. Nothing is concluded from module names or CPU flags. A watchdog ends what hangs. The
 * result holds for the life of the process.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define PROBE_MEMORY  (64 * PAGE_SIZE)
#define PROBE_TABLES  (64 * PAGE_SIZE)
#define WATCHDOG_MS   2000 /* for one check: it only has to tell a hang from a slow, busy machine */
#define CODE_VA       0x400000ull
#define DATA_VA       0x500000ull
#define CODE_OFFSET   0x0ull
#define DATA_OFFSET   0x1000ull
#define RING0_VA      (RF_ARENA_BASE + 0x4000)
#define RING0_LOOP    128u /* instructions timed in a round */
#define NATIVE_PER_US 20u
#define PROBE_FLAGS   0x247ull /* IF ZF PF CF */

struct prober {
	struct rf_probe *out;
	struct kvm_behaviour *behaviour;
	struct rf_machine *machine;
	struct kvm_machine *m;
	struct kvm_vcpu *v;
	struct rf_address_space *as;
	struct rf_context *context;
	struct rf_regs regs;
	struct rf_trap trap;
	u8 *memory;

	pthread_t watchdog;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool done;
	bool hung;
};

static u64 now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (u64)t.tv_sec * 1000000000u + (u64)t.tv_nsec;
}

/* ---- results ---- */

static struct rf_check *check_add(struct prober *p, const char *name, const char *what, bool ok)
{
	struct rf_check *c = &p->out->checks[p->out->count];

	if (p->out->count < RF_CHECKS_MAX - 1)
		p->out->count++;
	*c = (struct rf_check){ .name = name,
				.what = what,
				.result = ok ? RF_CHECK_OK : RF_CHECK_BROKEN };
	c->consequence = "";
	return c;
}

static void __printf(3, 4)
	check_detail(struct rf_check *c, const char *consequence, const char *fmt, ...)
{
	va_list ap;

	if (c->result != RF_CHECK_OK)
		c->consequence = consequence;
	va_start(ap, fmt);
	vsnprintf(c->detail, sizeof(c->detail), fmt, ap);
	va_end(ap);
}

/* ---- watchdog ---- */

static void *watchdog_main(void *arg)
{
	struct prober *p = arg;
	struct timespec until;
	size_t checks;

	pthread_mutex_lock(&p->lock);
	while (!p->done) {
		checks = READ_ONCE(p->out->count);
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += WATCHDOG_MS * 1000000l;
		until.tv_sec += until.tv_nsec / 1000000000l;
		until.tv_nsec %= 1000000000l;
		if (pthread_cond_timedwait(&p->wake, &p->lock, &until) == ETIMEDOUT && !p->done &&
		    checks == READ_ONCE(p->out->count)) {
			p->hung = true;
			kvm_machine_interrupt_cpu(p->machine, 0);
		}
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static int watchdog_start(struct prober *p)
{
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	return -pthread_create(&p->watchdog, NULL, watchdog_main, p);
}

static void watchdog_stop(struct prober *p)
{
	pthread_mutex_lock(&p->lock);
	p->done = true;
	pthread_cond_signal(&p->wake);
	pthread_mutex_unlock(&p->lock);
	pthread_join(p->watchdog, NULL);
	pthread_cond_destroy(&p->wake);
	pthread_mutex_destroy(&p->lock);
}

/* ---- ring 3 ---- */

static bool run_user(struct prober *p, const char *code, size_t size, u64 rdi)
{
	memset(p->memory + CODE_OFFSET, 0xcc, 64);
	memcpy(p->memory + CODE_OFFSET, code, size);
	p->regs = (struct rf_regs){ .rip = CODE_VA,
				    .rsp = CODE_VA,
				    .rflags = PROBE_FLAGS,
				    .rdi = rdi,
				    .rbx = 0x0123456789abcdefull,
				    .r15 = 0xfedcba9876543210ull };
	return !rf_context_switch(p->context, p->as, &p->regs, 0, &p->trap);
}
#define RUN_USER(p, code, rdi) run_user(p, code, sizeof(code) - 1, rdi)

static bool user_intact(const struct prober *p)
{
	return p->regs.rbx == 0x0123456789abcdefull && p->regs.r15 == 0xfedcba9876543210ull &&
	       p->regs.rsp == CODE_VA;
}

static bool check_syscall(struct prober *p)
{
	/* mov $0x1234,%eax; syscall */
	bool ok = RUN_USER(p, "\xb8\x34\x12\x00\x00\x0f\x05", 0) &&
		  p->trap.kind == RF_TRAP_SYSCALL && p->regs.orig_rax == 0x1234 &&
		  p->regs.rip == CODE_VA + 7 && user_intact(p);
	struct rf_check *c = check_add(p, "ring3-syscall",
				       "a system call from ring 3 exits with right registers", ok);
	bool r11;

	check_detail(c, "user code cannot run", "trap %u rip 0x%lx", p->trap.kind, p->regs.rip);
	if (!ok)
		return false;
	p->behaviour->syscall_ring0 = p->v->ring0;
	r11 = p->v->run->s.regs.regs.r11 == PROBE_FLAGS;
	c = check_add(p, "syscall-cpl0",
		      "SYSCALL lands at CPL 0 with the return address in RCX and RFLAGS in R11",
		      p->v->ring0 && r11);
	check_detail(c, "the kernel cannot be resident in guest ring 0", "CPL %u, R11 0x%llx",
		     p->v->ring0 ? 0 : 3, p->v->run->s.regs.regs.r11);
	p->behaviour->can_boot = p->v->ring0 && r11;
	return true;
}

static bool check_page_fault(struct prober *p)
{
	const u64 address = 0x700123;
	/* movb $1,(%rdi); syscall */
	bool ok = RUN_USER(p, "\xc6\x07\x01\x0f\x05", address) && p->trap.kind == RF_TRAP_FAULT &&
		  p->trap.vector == 14 && p->trap.error_code == 6 && p->trap.address == address &&
		  p->regs.rip == CODE_VA && user_intact(p);
	struct rf_check *c = check_add(
		p, "page-fault", "a page fault arrives with the right error code and address", ok);

	check_detail(c, "user code cannot run", "vector %u error 0x%lx address 0x%lx",
		     p->trap.vector, p->trap.error_code, p->trap.address);
	if (!ok)
		return false;
	p->regs.rdi = DATA_VA;
	p->regs.rax = 0x4321;
	ok = !rf_context_switch(p->context, p->as, &p->regs, 0, &p->trap) &&
	     p->trap.kind == RF_TRAP_SYSCALL && p->regs.orig_rax == 0x4321 && user_intact(p);
	c = check_add(p, "iretq", "IRETQ from an exception stub resumes user code", ok);
	check_detail(c, "user code cannot run", "trap %u rip 0x%lx", p->trap.kind, p->regs.rip);
	return ok;
}

/* 0 = no fault, else the vector. */
static u32 touch(struct prober *p, bool write, u64 *ret_value)
{
	/* mov (%rdi),%rax; syscall   or   mov %rdi,8(%rdi); syscall */
	if (!(write ? RUN_USER(p, "\x48\x89\x7f\x08\x0f\x05", DATA_VA)
		    : RUN_USER(p, "\x48\x8b\x07\x0f\x05", DATA_VA)))
		return ~0u;
	*ret_value = p->regs.orig_rax;
	if (p->trap.kind == RF_TRAP_SYSCALL)
		return 0;
	return p->trap.kind == RF_TRAP_FAULT ? p->trap.vector : ~0u;
}

/* Whether user code sees each kind of change made to tables it has used. */
static bool changes_seen(struct prober *p)
{
	u64 value = 0;

	for (u64 i = 0; i < 2; i++)
		*(u64 *)(p->memory + DATA_OFFSET + i * PAGE_SIZE) = 0xa0 + i;
	if (rf_address_space_map_file(p->as, DATA_VA, DATA_OFFSET, PAGE_SIZE, RF_READ | RF_WRITE,
				      false) ||
	    touch(p, true, &value) || touch(p, false, &value) || value != 0xa0)
		return false;
	if (rf_address_space_protect(p->as, DATA_VA, PAGE_SIZE, RF_READ) ||
	    touch(p, true, &value) != 14)
		return false;
	if (rf_address_space_map_file(p->as, DATA_VA, DATA_OFFSET + PAGE_SIZE, PAGE_SIZE, RF_READ,
				      false) ||
	    touch(p, false, &value) || value != 0xa1)
		return false;
	return !rf_address_space_unmap(p->as, DATA_VA, PAGE_SIZE) && touch(p, false, &value) == 14;
}

static bool check_invalidation(struct prober *p, bool native)
{
	struct rf_check *c;
	bool ok = false;

	if (native) {
		p->m->behaviour.invalidation = KVM_INVALIDATE_CR3;
		ok = changes_seen(p);
	}
	if (!ok) {
		p->m->behaviour.invalidation = KVM_INVALIDATE_SLOTS;
		ok = changes_seen(p);
	}
	p->behaviour->invalidation = p->m->behaviour.invalidation;
	c = check_add(p, "invalidation", "changed page tables are seen by user code", ok);
	check_detail(c, "user code cannot run", "by %s",
		     p->behaviour->invalidation == KVM_INVALIDATE_CR3 ? "reloading CR3"
								      : "dropping shadow pages");
	return ok;
}

static void check_tsc(struct prober *p)
{
	u64 before = __rdtsc(), after, guest;
	/* rdtsc; shl $32,%rdx; or %rdx,%rax; syscall */
	bool ran = RUN_USER(p, "\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\x0f\x05", 0) &&
		   p->trap.kind == RF_TRAP_SYSCALL;
	struct rf_check *c;

	after = __rdtsc();
	guest = p->regs.orig_rax;
	c = check_add(p, "tsc", "the guest's TSC is the host's",
		      ran && guest >= before && guest <= after);
	if (c->result != RF_CHECK_OK)
		c->result = RF_CHECK_SLOW;
	check_detail(c, "clocks are read through a call to the monitor",
		     "%ld cycles after the host's", (long)(guest - before));
}

/* ---- ring 0 ---- */

/*
 *	mov $8,%edi; mov $-1,%ebx
 * 1:	rdtsc; mov %eax,%esi; mov $RING0_LOOP/2,%ecx
 * 2:	dec %ecx; jnz 2b
 *	rdtsc; sub %esi,%eax; cmp %ebx,%eax; cmovb %eax,%ebx; dec %edi; jnz 1b
 *	mov %ebx,%eax; hlt; sti
 * 3:	jmp 3b
 * The fastest of several short rounds counts: the first warms up translators, and a busy host may interrupt any.
 */
/* clang-format off */
static const u8 ring0_code[] = {
	0xbf, 8, 0, 0, 0, 0xbb, 0xff, 0xff, 0xff, 0xff,					 /* rounds, minimum */
	0x0f, 0x31, 0x89, 0xc6, 0xb9, (RING0_LOOP / 2) & 0xff, (RING0_LOOP / 2) >> 8, 0, 0,	 /* start */
	0xff, 0xc9, 0x75, 0xfc,									 /* loop */
	0x0f, 0x31, 0x29, 0xf0, 0x39, 0xd8, 0x0f, 0x42, 0xd8, 0xff, 0xcf, 0x75, 0xe6,		 /* stop */
	0x89, 0xd8, 0xf4, 0xfb, 0xeb, 0xfe,							 /* end */
};
/* clang-format on */

static int ring0_prepare(struct prober *p)
{
	struct kvm_sregs s = p->v->user_sregs;
	struct kvm_regs regs = { .rip = RING0_VA, .rsp = KVM_STACK_TOP(0), .rflags = 2 };
	struct pt_change change;
	void *page = kvm_pool_alloc(&p->m->pool);
	int r;

	if (!page)
		return -ENOMEM;
	memcpy(page, ring0_code, sizeof(ring0_code));
	pt_change_init(&change);
	r = pt_map(&p->m->shared, RING0_VA, kvm_pool_gpa(&p->m->pool, page), PAGE_SIZE,
		   PT_READ | PT_EXEC | PT_ACCESSED, PT_SIZE_4K, NULL, &change);
	if (r)
		return r;
	kvm_layout_segments(&s, 0, false);
	s.cr3 = pt_root_gpa(&p->m->shared);
	p->v->state_valid = false; /* ours now; the next switch sets everything */
	r = kvm_ioctl(p->v->fd, KVM_SET_SREGS, &s);
	return r ? r : kvm_ioctl(p->v->fd, KVM_SET_REGS, &regs);
}

/* Runs until an exit that is not a signal's, or the watchdog. */
static int ring0_run(struct prober *p)
{
	int r;

	kvm_signal_enter(p->v);
	do {
		WRITE_ONCE(p->v->run->immediate_exit, 0);
		atomic_thread_fence(memory_order_seq_cst);
		r = atomic_load(&p->v->kicked) ? -ETIMEDOUT : kvm_vcpu_run(p->v);
	} while (r == -EINTR);
	kvm_signal_leave(p->v);
	return r;
}

/* Instructions per microsecond, in the guest's own time. */
static u64 instructions_per_us(struct prober *p, u64 cycles)
{
	int khz = kvm_ioctl_value(p->v->fd, KVM_GET_TSC_KHZ, 0);

	return cycles ? (u64)RING0_LOOP * (u64)MAX(khz, 1000) / 1000 / cycles : 0;
}

static bool check_ring0(struct prober *p)
{
	struct kvm_regs regs = { 0 };
	struct rf_check *c;
	bool ok, native;
	u64 rate = 0;
	int r = ring0_prepare(p);

	if (!r)
		r = ring0_run(p);
	ok = !r && p->v->run->exit_reason == KVM_EXIT_HLT &&
	     !kvm_ioctl(p->v->fd, KVM_GET_REGS, &regs);
	c = check_add(p, "ring0-hlt", "HLT in guest ring 0 exits", ok);
	check_detail(c, "the kernel cannot be resident in guest ring 0", "%s",
		     r ? strerror(-r) : kvm_exit_name(p->v->run->exit_reason));
	if (ok)
		rate = instructions_per_us(p, regs.rax & 0xffffffff);
	native = rate >= NATIVE_PER_US;
	c = check_add(p, "ring0-native", "guest ring 0 runs at native speed", native);
	if (ok && !native)
		c->result = RF_CHECK_SLOW;
	check_detail(c, "the kernel runs in the monitor (residency host)",
		     "%lu instructions per microsecond", rate);
	p->behaviour->can_boot &= ok && native;
	return ok;
}

/* Goes on after the HLT: STI and a loop, until the interrupt. */
static void check_interrupt(struct prober *p)
{
	struct kvm_interrupt irq = { .irq = 31 };
	struct rf_check *c;
	bool window, taken = false;
	int r;

	p->v->run->request_interrupt_window = 1;
	r = ring0_run(p);
	p->v->run->request_interrupt_window = 0;
	window = !r && p->v->run->exit_reason == KVM_EXIT_IRQ_WINDOW_OPEN;
	c = check_add(p, "interrupt-window", "KVM_RUN returns when the guest can take an interrupt",
		      window);
	check_detail(c, "the kernel cannot be resident in guest ring 0", "%s",
		     r ? strerror(-r) : kvm_exit_name(p->v->run->exit_reason));
	if (window && !kvm_ioctl(p->v->fd, KVM_INTERRUPT, &irq))
		taken = !ring0_run(p) && p->v->run->exit_reason == KVM_EXIT_IO &&
			p->v->run->io.port == KVM_PORT_VECTOR + 31;
	c = check_add(p, "interrupt", "KVM_INTERRUPT is delivered through the IDT", taken);
	check_detail(c, "the kernel cannot be resident in guest ring 0", "%s",
		     kvm_exit_name(p->v->run->exit_reason));
	p->behaviour->can_boot &= window && taken;
}

static bool check_immediate_exit(struct prober *p)
{
	u64 start = now_ns(), ns;
	struct rf_check *c;
	int r;

	WRITE_ONCE(p->v->run->immediate_exit, 1);
	r = kvm_vcpu_run(p->v);
	ns = now_ns() - start;
	WRITE_ONCE(p->v->run->immediate_exit, 0);
	c = check_add(p, "immediate-exit", "KVM_RUN returns at once when told to", r == -EINTR);
	check_detail(c, "user code cannot be interrupted", "%lu ns", ns);
	return r == -EINTR;
}

/* Always right; said for who wants to know. */
static void report_speculation(struct prober *p, int device)
{
	struct kvm_cpu_features features;
	struct speculation_facts facts;
	struct speculation_plan plan;
	struct rf_error err;
	char text[96];

	if (kvm_cpuid_get(device, &features, &err))
		return;
	kvm_speculation_facts(device, features.cpuid, &facts);
	free(features.cpuid);
	speculation_decide(&facts, p->behaviour->can_boot, &plan);
	speculation_describe(&plan, text, sizeof(text));
	check_detail(check_add(p, "speculation",
			       "measures against speculative execution are chosen", true),
		     NULL, "%s", text);
}

/* ---- all of it ---- */

static int prober_setup(struct prober *p, int device, struct rf_error *err)
{
	struct rf_options options = {
		.cpus = 1,
		.memory.size = PROBE_MEMORY,
		.table_bytes = PROBE_TABLES,
	};
	struct kvm_behaviour assumed = { .usable = true, .invalidation = KVM_INVALIDATE_SLOTS };
	int r = kvm_machine_new(device, &options, &assumed, &p->machine, err);

	if (r)
		return r;
	p->m = kvm_machine(p->machine);
	p->v = &p->m->vcpus[0];
	p->memory = p->machine->memory.base;
	r = rf_address_space_new(p->machine, &p->as);
	if (!r)
		r = rf_context_new(p->machine, &p->context);
	if (!r)
		r = rf_address_space_map_file(p->as, CODE_VA, CODE_OFFSET, PAGE_SIZE,
					      RF_READ | RF_EXEC, false);
	if (!r)
		r = rf_address_space_map_file(p->as, DATA_VA, DATA_OFFSET, PAGE_SIZE,
					      RF_READ | RF_WRITE, false);
	if (!r)
		r = watchdog_start(p);
	return r ? rf_error_set(err, r, "the probe could not set up its machine: %s", strerror(-r))
		 : 0;
}

static void prober_clear(struct prober *p)
{
	if (p->watchdog)
		watchdog_stop(p);
	rf_context_free(p->context);
	rf_address_space_free(p->as);
	rf_machine_free(p->machine);
}

static void run_checks(struct prober *p)
{
	bool native;

	if (!check_immediate_exit(p) || !check_syscall(p) || !check_page_fault(p))
		return;
	check_tsc(p);
	if (check_ring0(p))
		check_interrupt(p);
	native = p->behaviour->can_boot;
	p->behaviour->usable = check_invalidation(p, native) && !p->hung;
	p->behaviour->can_boot &= p->behaviour->usable;
	p->out->usable = p->behaviour->usable;
	p->out->can_boot = p->behaviour->can_boot;
}

/* -errno if no machine could be made to try: that says nothing about KVM. */
static int probe_run(int device, struct rf_probe *out, struct kvm_behaviour *behaviour,
		     struct rf_error *err)
{
	struct prober p = { .out = out, .behaviour = behaviour };
	u64 start = now_ns();
	struct rf_check *c;
	int r;

	*out = (struct rf_probe){ 0 };
	*behaviour = (struct kvm_behaviour){ 0 };
	r = prober_setup(&p, device, err);
	c = check_add(&p, "machine", "a virtual machine with a vCPU can be made", !r);
	if (!r) {
		run_checks(&p);
		report_speculation(&p, device);
	}
	prober_clear(&p);
	if (!r)
		snprintf(c->detail, sizeof(c->detail), "whole probe %lu us%s",
			 (now_ns() - start) / 1000, p.hung ? ", something hung" : "");
	return r;
}

static pthread_mutex_t result_lock = PTHREAD_MUTEX_INITIALIZER;
static bool result_known;
static struct rf_probe result;
static struct kvm_behaviour result_behaviour;

/* The one check that could not be made. */
static void check_failed(struct rf_probe *out, bool opened, const char *why)
{
	struct prober p = { .out = out };
	struct rf_check *c;

	*out = (struct rf_probe){ 0 };
	if (opened) {
		c = check_add(&p, "machine", "a virtual machine with a vCPU can be made", false);
	} else {
		c = check_add(&p, "device", "the device can be opened", false);
		c->result = RF_CHECK_MISSING;
	}
	check_detail(c, "this platform cannot be used", "%.110s", why);
}

/*
 * Probes unless the answer is known. Only a platform that works is remembered: memory, descriptors
 * or time that were short may not be the next time. result_lock held.
 */
static int probe_locked(int device, struct rf_error *err)
{
	int r;

	if (result_known)
		return 0;
	r = probe_run(device, &result, &result_behaviour, err);
	if (r)
		check_failed(&result, true, err->text);
	result_known = !r && result.usable;
	return r;
}

/* @device may be -1: the default is opened. Fills *@ret (may be NULL) in every case. */
static int probe_cached(int device, struct rf_probe *ret, struct kvm_behaviour *ret_behaviour,
			struct rf_error *err)
{
	int own = -1, r = 0;

	if (device < 0) {
		r = rf_platform_open_device(&kvm_platform, NULL, &own, err);
		if (r && ret)
			check_failed(ret, false, err->text);
		if (r)
			return r;
		device = own;
	}
	pthread_mutex_lock(&result_lock);
	r = probe_locked(device, err);
	if (ret)
		*ret = result;
	if (ret_behaviour)
		*ret_behaviour = result_behaviour;
	pthread_mutex_unlock(&result_lock);
	if (own >= 0)
		close(own);
	return r;
}

int kvm_probe(int device, struct rf_probe *ret, struct rf_error *err)
{
	struct rf_error local = { 0 };

	(void)err;
	probe_cached(device, ret, NULL, &local);
	return 0;
}

int kvm_probe_behaviour(int device, struct kvm_behaviour *ret, struct rf_error *err)
{
	struct rf_error local = { 0 };
	int r = probe_cached(device, NULL, ret, err ? err : &local);

	return r;
}
