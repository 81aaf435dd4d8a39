/* SPDX-License-Identifier: Apache-2.0 */
/* Per-CPU data, the kernel lock, and the start of the kernel. */
#include "kernel/core/cpu.h"

#include "base/bug.h"
#include "kernel/arch/arch.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"
#include "kernel/core/sched.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/task.h"
#include "kernel/sys/strace.h"
#include "kernel/sys/syscall.h"

struct cpu cpus[RF_MAX_CPUS];
unsigned nr_cpus;
const struct kplat_ops *kplat;
static u32 boot_done;

/* ---- the kernel lock ---- */

/* After this many rounds the owner's thread is likely not running: give it the host CPU. */
#define LOCK_SPINS 4096u
/* And after this many the lock is asked for: long against a system call's time, short against a task's slice. */
#define LOCK_ASKS  256u

struct kernel_lock big_lock __aligned(64);

/* One at a time may ask; the others' turn comes. */
static void lock_ask(u32 me)
{
	u32 none = 0;

	__atomic_compare_exchange_n(&big_lock.wanted, &none, me, false, __ATOMIC_RELAXED,
				    __ATOMIC_RELAXED);
}

/* Only the owner looks at `wanted` to give it away, so who has the lock has time to take its wish back. */
static void lock_taken(u32 me)
{
	if (READ_ONCE(big_lock.wanted) == me)
		WRITE_ONCE(big_lock.wanted, 0);
}

void kernel_lock_slow(u32 me, u32 owner)
{
	unsigned spins = 0;

	BUG_ON(owner == me);
	for (;;) {
		owner = __atomic_load_n(&big_lock.owner, __ATOMIC_ACQUIRE);
		if (owner == me)
			break; /* given to us, and perhaps asked for again meanwhile */
		if (!owner && __atomic_compare_exchange_n(&big_lock.owner, &owner, me, false,
							  __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			break;
		cpu_relax();
		spins++;
		if (spins % LOCK_ASKS == 0)
			lock_ask(me);
		if (spins % LOCK_SPINS == 0)
			hc(HC_YIELD);
	}
	lock_taken(me);
}

void kernel_unlock_to(u32 next)
{
	WRITE_ONCE(big_lock.wanted, 0);
	__atomic_store_n(&big_lock.owner, next, __ATOMIC_RELEASE);
}

/* ---- start ---- */

const char *boot_string(u32 off)
{
	const struct boot_config *c = boot_config();

	return off && off < c->size ? (const char *)c + off : NULL;
}

static void cpu_init(struct cpu *c, u64 id)
{
	c->self = c;
	c->id = id;
	c->shared = &boot_info()->cpu[id];
	list_init(&c->runqueue);
}

static void kernel_init(bool guest)
{
	nr_cpus = boot_info()->cpus;
	host_init(guest);
	kplat = guest ? &kplat_guest : &kplat_host;
	time_init();
	random_init();
	page_init();
	kstack_init();
	fpu_init();
	if (guest)
		kplat_guest_init();
	sched_init();
	strace_init();
}

/* HC_YIELD before host_init() has run. */
static void monitor_yield(struct cpu *c, bool guest)
{
	c->shared->mbox.nr = HC_YIELD;
	if (guest)
		monitor_trap_guest();
	else
		monitor_trap_host();
}

void kernel_main(u64 id, u64 guest)
{
	struct cpu *c = &cpus[id];

	cpu_init(c, id);
	if (guest)
		cpu_arch_init(c);
	if (id == 0) {
		kernel_init(guest);
	} else {
		for (unsigned spins = 1; !__atomic_load_n(&boot_done, __ATOMIC_ACQUIRE); spins++) {
			cpu_relax();
			if (spins % LOCK_SPINS == 0)
				monitor_yield(c, guest);
		}
	}
	kernel_lock();
	c->quick_calls = syscall_quick;
	c->quick_limit = strace_on ? 0 : SYSCALL_MAX;
	sched_cpu_init(c);
	if (id == 0) {
		__atomic_store_n(&boot_done, 1, __ATOMIC_RELEASE);
		init_start();
	}
	sched_idle();
}
