/* SPDX-License-Identifier: Apache-2.0 */
/* Hostcalls and host events. */
#include "kernel/core/host.h"

#include "abi/linux/errno.h"
#include "base/bug.h"
#include "kernel/arch/arch.h"
#include "kernel/core/internal.h"
#include "kernel/mm/vdso.h"
#include "kernel/proc/task.h"

static void (*monitor_trap)(void);
static u64 blocking_calls[2]; /* bitmap over enum hostcall_nr */

void host_init(bool guest)
{
#define HOSTCALL_BLOCKING(nr, name, blocking) \
	if (blocking)                         \
		blocking_calls[(nr) / 64] |= 1ull << ((nr) % 64);
	HOSTCALL_TABLE(HOSTCALL_BLOCKING)
#undef HOSTCALL_BLOCKING
	monitor_trap = guest ? monitor_trap_guest : monitor_trap_host;
}

s64 hostcall(enum hostcall_nr nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 a7)
{
	bool drop = (blocking_calls[nr / 64] >> (nr % 64) & 1) && kernel_lock_held();
	struct cpu_shared *s = this_cpu()->shared;
	s64 ret;

	s->mbox.nr = nr;
	s->mbox.arg[0] = a0;
	s->mbox.arg[1] = a1;
	s->mbox.arg[2] = a2;
	s->mbox.arg[3] = a3;
	s->mbox.arg[4] = a4;
	s->mbox.arg[5] = a5;
	s->mbox.arg[6] = a6;
	s->mbox.arg[7] = a7;
	s->hostcalls++;
	if (drop)
		kernel_unlock();
	monitor_trap();
	barrier();
	ret = s->mbox.ret;
	if (drop)
		kernel_lock();
	return ret;
}

void sandbox_exit(u32 status)
{
	hc(HC_EXIT, status);
	for (;;)
		hc(HC_CPU_EXIT);
}

/* ---- host events ---- */

static struct host_watch *watches[WATCH_SLOTS];
static u32 watch_hint;

int host_watch_init(struct host_watch *w, u64 handle, struct waitq *wq)
{
	for (u32 i = 0; i < WATCH_SLOTS; i++) {
		u32 slot = (watch_hint + i) % WATCH_SLOTS;

		if (watches[slot])
			continue;
		watches[slot] = w;
		watch_hint = slot + 1;
		*w = (struct host_watch){ .slot = slot, .handle = handle, .wq = wq };
		return 0;
	}
	return -ENFILE;
}

void host_watch_arm(struct host_watch *w, u32 poll_events)
{
	/* What is armed already will come; asking for less would only cost a call. */
	if ((w->armed & poll_events) == poll_events)
		return;
	w->revents = 0;
	w->armed |= poll_events;
	if (hc(HC_WATCH, w->handle, w->armed, w->slot) < 0)
		w->armed = 0;
}

void host_watch_done(struct host_watch *w)
{
	if (watches[w->slot] != w)
		return;
	if (w->armed)
		hc(HC_WATCH, w->handle, 0, w->slot);
	watches[w->slot] = NULL;
	__atomic_exchange_n(&boot_info()->watch_events[w->slot], 0, __ATOMIC_SEQ_CST);
	w->armed = 0;
}

static void watch_fire(u32 slot)
{
	u32 events = __atomic_exchange_n(&boot_info()->watch_events[slot], 0, __ATOMIC_SEQ_CST);
	struct host_watch *w = watches[slot];

	if (!w || !events)
		return;
	w->armed = 0;
	w->revents |= events;
	waitq_wake_all(w->wq, events);
}

void host_events_run(void)
{
	struct boot_info *b = boot_info();
	u64 bits;

	for (u32 i = 0; i < WATCH_SLOTS / 64; i++) {
		if (!READ_ONCE(b->watch_pending[i]))
			continue;
		bits = __atomic_exchange_n(&b->watch_pending[i], 0, __ATOMIC_SEQ_CST);
		for (; bits; bits &= bits - 1)
			watch_fire(i * 64 + (u32)__builtin_ctzll(bits));
	}
	if (READ_ONCE(b->signals_pending)) {
		bits = __atomic_exchange_n(&b->signals_pending, 0, __ATOMIC_SEQ_CST);
		if (bits)
			signal_from_host(bits);
	}
}

void cpu_events_run(void)
{
	/* First the flag, then what it announces: whoever sets it later makes us come again. */
	__atomic_exchange_n(&this_cpu()->shared->kick, 0, __ATOMIC_SEQ_CST);
	this_cpu()->shared->kicks_taken++;
	host_events_run();
	vvar_update();
	ktimer_run();
}
