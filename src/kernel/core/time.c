/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks from the TSC with the monitor's parameters, and kernel timers. */
#include "kernel/core/time.h"

#include "abi/boot.h"
#include "kernel/arch/arch.h"
#include "kernel/core/host.h"
#include "kernel/core/internal.h"

#define HC_CLOCK_REALTIME  0
#define HC_CLOCK_MONOTONIC 1
#define HC_CLOCK_BOOTTIME  7

static u64 start_ns;

/* A consistent copy of the parameters; false if the TSC is no good. */
static bool time_read(struct time_params *ret)
{
	const struct time_params *p = &boot_info()->time;
	u32 seq;

	do {
		while ((seq = __atomic_load_n(&p->seq, __ATOMIC_ACQUIRE)) & 1)
			cpu_relax();
		*ret = *(const volatile struct time_params *)p;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (READ_ONCE(p->seq) != seq);
	return ret->valid;
}

/* Nanoseconds since the base; a CPU whose TSC is behind the base's counts as at the base. */
static u64 time_since(const struct time_params *p)
{
	u64 tsc = rdtsc();

	if ((s64)(tsc - p->base_tsc) < 0)
		return 0;
	return (u64)(((unsigned __int128)(tsc - p->base_tsc) * p->mult) >> p->shift);
}

static __hot u64 clock_read(int host_clock, size_t base_field)
{
	struct time_params p;

	if (!time_read(&p))
		return (u64)hc(HC_CLOCK, host_clock);
	return *(const u64 *)((const char *)&p + base_field) + time_since(&p);
}

__hot u64 ktime_mono(void)
{
	return clock_read(HC_CLOCK_MONOTONIC, offsetof(struct time_params, mono_ns));
}

u64 ktime_real(void)
{
	return clock_read(HC_CLOCK_REALTIME, offsetof(struct time_params, real_ns));
}

u64 ktime_boot(void)
{
	return clock_read(HC_CLOCK_BOOTTIME, offsetof(struct time_params, boot_ns));
}

u64 ktime_up(void)
{
	return ktime_mono() - start_ns;
}

/* ---- timers, by deadline ---- */

static struct rb_root timers;
u64 timers_next; /* deadline of the first, 0 = none: read on every way to user mode */

void time_init(void)
{
	rb_init(&timers);
	start_ns = ktime_mono();
}

static void timers_update_next(void)
{
	struct ktimer *first = rb_entry_or_null(rb_first(&timers), struct ktimer, node);

	timers_next = first ? first->deadline : 0;
}

void ktimer_init(struct ktimer *t, void (*fn)(struct ktimer *))
{
	*t = (struct ktimer){ .fn = fn };
	rb_node_init(&t->node);
}

void ktimer_arm(struct ktimer *t, u64 deadline)
{
	struct rb_node **link = &timers.node, *parent = NULL;

	ktimer_cancel(t);
	t->deadline = deadline ? deadline : 1;
	while (*link) {
		parent = *link;
		link = t->deadline < rb_entry(parent, struct ktimer, node)->deadline
			       ? &parent->left
			       : &parent->right;
	}
	rb_insert(&timers, &t->node, parent, link);
	t->armed = true;
	if (!timers_next || t->deadline < timers_next)
		timers_next = t->deadline;
}

bool ktimer_cancel(struct ktimer *t)
{
	if (!t->armed)
		return false;
	t->armed = false;
	rb_erase(&timers, &t->node);
	if (t->deadline == timers_next)
		timers_update_next();
	return true;
}

u64 ktimer_run(void)
{
	u64 now;

	if (!timers_next)
		return 0;
	now = ktime_mono();
	while (timers_next && timers_next <= now) {
		struct ktimer *t = rb_entry(rb_first(&timers), struct ktimer, node);

		t->armed = false;
		rb_erase(&timers, &t->node);
		timers_update_next();
		t->fn(t);
	}
	return timers_next;
}
