/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host events: readiness of streams, signals, and the deadlines of CPUs in user code.
 *
 * The kernel sets a CPU's deadline in memory without telling anyone, so the event thread looks every few milliseconds while
 * any CPU is awake. When all are in HC_IDLE it sleeps, and the first CPU that leaves wakes it: at most once per tick,
 * because a thread that has not gone to sleep yet needs no waking.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "monitor/channel.h"
#include "monitor/monitor.h"

#define TICK_NS  5000000ull
/* Long, but short enough that the TSC's 64-bit arithmetic cannot overflow between two refreshes. */
#define SLEEP_NS 300000000000ul

#define DATA_CHANNEL (~0ull)
#define DATA_WAKE    (~1ull)
/* Else: handle << SLOT_BITS | slot. */
#define SLOT_BITS    10
/* Bits of boot_info.signals_pending. */
#define SIGNALS      64u
static_assert(WATCH_SLOTS == 1u << SLOT_BITS, "the slot has its own bits in the event's data");

static int epoll_add(struct monitor *m, int fd, u64 data)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u64 = data };

	return epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &e) < 0 ? -errno : 0;
}

int events_init(struct monitor *m, struct rf_error *err)
{
	int r;

	m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (m->epoll_fd < 0)
		return error_set(err, -errno, "cannot make the event loop");
	r = epoll_add(m, m->wake_fd, DATA_WAKE);
	if (r == 0 && m->channel_fd >= 0)
		r = epoll_add(m, m->channel_fd, DATA_CHANNEL);
	return r < 0 ? error_set(err, r, "cannot make the event loop") : 0;
}

void events_cpu_idle(struct monitor *m)
{
	atomic_fetch_sub(&m->busy, 1);
}

void events_cpu_busy(struct monitor *m)
{
	u64 one = 1;

	atomic_fetch_add(&m->busy, 1);
	if (atomic_load(&m->ticker_asleep) && atomic_exchange(&m->ticker_asleep, 0))
		while (write(m->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
			;
}

static void event_deliver(struct monitor *m, u32 slot, u32 revents)
{
	__atomic_fetch_or(&m->info->watch_events[slot], revents, __ATOMIC_SEQ_CST);
	__atomic_fetch_or(&m->info->watch_pending[slot / 64], 1ull << (slot % 64),
			  __ATOMIC_SEQ_CST);
	monitor_kick_any(m);
}

/* Needs watch_lock and a reference. Files that epoll refuses are always ready. */
static int watch_arm(struct monitor *m, struct handle *h, u64 value, u32 events, u32 slot)
{
	struct epoll_event e = { .events = events | EPOLLONESHOT,
				 .data.u64 = value << SLOT_BITS | slot };
	int op = h->watch_slot < 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

	if (epoll_ctl(m->epoll_fd, op, h->fd, &e) == 0) {
		h->watch_slot = (s32)slot;
		return 0;
	}
	if (errno != EPERM)
		return -errno;
	event_deliver(m, slot, events & (EPOLLIN | EPOLLOUT | EPOLLRDNORM | EPOLLWRNORM));
	return 0;
}

static void watch_cancel(struct monitor *m, struct handle *h)
{
	struct epoll_event e = { 0 };

	if (h->watch_slot >= 0)
		epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, h->fd, &e);
	h->watch_slot = -1;
}

int events_watch(struct monitor *m, u64 value, u32 events, u32 slot)
{
	struct handle *h = handle_get(&m->handles, value, HANDLE_STREAM);
	int r = 0;

	if (!h)
		return -EBADF;
	pthread_mutex_lock(&m->watch_lock);
	if (!handle_is_open(&m->handles, h))
		r = -EBADF; /* closed meanwhile: events_close() has been here or will be */
	else if (events)
		r = watch_arm(m, h, value, events & 0xffff, slot);
	else
		watch_cancel(m, h);
	pthread_mutex_unlock(&m->watch_lock);
	handle_put(&m->handles, h);
	return r;
}

/* The name goes first, so that no watch is begun after the last one was cancelled. */
int events_close(struct monitor *m, u64 value)
{
	struct handle *h = handle_get(&m->handles, value, HANDLE_STREAM);
	int r = handle_close(&m->handles, value);

	if (!h)
		return r;
	pthread_mutex_lock(&m->watch_lock);
	watch_cancel(m, h);
	pthread_mutex_unlock(&m->watch_lock);
	handle_put(&m->handles, h);
	return r;
}

/* An event fetched before its watch was cancelled or moved is dropped. */
static void stream_event(struct monitor *m, u64 data, u32 revents)
{
	struct handle *h = handle_get(&m->handles, data >> SLOT_BITS, HANDLE_STREAM);
	u32 slot = data & (WATCH_SLOTS - 1);
	bool current;

	if (!h)
		return;
	pthread_mutex_lock(&m->watch_lock);
	current = h->watch_slot == (s32)slot;
	pthread_mutex_unlock(&m->watch_lock);
	handle_put(&m->handles, h);
	if (current)
		event_deliver(m, slot, revents);
}

static void signal_event(struct monitor *m, u32 signo)
{
	if (!signo || signo > SIGNALS)
		return;
	__atomic_fetch_or(&m->info->signals_pending, 1ull << (signo - 1), __ATOMIC_SEQ_CST);
	monitor_kick_any(m);
}

void events_stop(struct monitor *m)
{
	u32 seen;

	if (m->channel_fd < 0)
		return;
	pthread_mutex_lock(&m->stop_lock);
	seen = m->continued;
	if (channel_send(m->channel_fd, CHANNEL_STOP, 0) == 0)
		while (m->continued == seen)
			pthread_cond_wait(&m->stop_changed, &m->stop_lock);
	pthread_mutex_unlock(&m->stop_lock);
}

static void continued_event(struct monitor *m)
{
	pthread_mutex_lock(&m->stop_lock);
	m->continued++;
	pthread_cond_broadcast(&m->stop_changed);
	pthread_mutex_unlock(&m->stop_lock);
}

/* The caller's side is trusted. Once it is gone the guardian ends us. */
static void channel_event(struct monitor *m)
{
	struct channel_message message;
	struct epoll_event e = { 0 };
	int r;

	while ((r = channel_receive(m->channel_fd, &message)) == 1) {
		if (message.type == CHANNEL_SIGNAL)
			signal_event(m, message.value);
		else if (message.type == CHANNEL_CONTINUED)
			continued_event(m);
		else if (message.type == CHANNEL_END)
			monitor_end(m, MONITOR_KILLED, message.value);
	}
	if (r != -EAGAIN)
		epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, m->channel_fd, &e);
}

static void wake_event(struct monitor *m)
{
	u64 count;

	while (read(m->wake_fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
}

static void events_dispatch(struct monitor *m, const struct epoll_event *e)
{
	if (e->data.u64 == DATA_WAKE)
		wake_event(m);
	else if (e->data.u64 == DATA_CHANNEL)
		channel_event(m);
	else
		stream_event(m, e->data.u64, e->events);
}

/*
 * Kicks CPUs whose time in user code is up. One that happens to be in kernel code finds the kick on its way out: who is mostly there must not
 * escape because no look met it outside. Returns the nearest deadline still to come, at most one tick away.
 */
static u64 check_deadlines(struct monitor *m, u64 now)
{
	u64 next = now + TICK_NS;

	for (u32 i = 0; i < m->cpus; i++) {
		struct cpu_shared *cpu = &m->info->cpu[i];
		u64 deadline = READ_ONCE(cpu->deadline_ns);

		if (!deadline ||
		    atomic_load(&m->cpu[i].idle)) /* who idles waits for its timers itself */
			continue;
		if (deadline > now)
			next = MIN(next, deadline);
		else
			monitor_kick(m, i);
	}
	return next;
}

static int timeout_ms(u64 now, u64 until)
{
	return (int)((until - now + 999999) / 1000000);
}

/* How long to wait: until the next deadline, or for long when every CPU is idle. */
static int events_timeout_ms(struct monitor *m)
{
	u64 now = clock_now_ns(CLOCK_MONOTONIC);

	clock_refresh(&m->clock, &m->info->time, now);
	if (!atomic_load(&m->busy)) {
		atomic_store(&m->ticker_asleep, 1);
		if (!atomic_load(&m->busy))
			return timeout_ms(now, MIN(now + SLEEP_NS, limits_check_time(m, now)));
		atomic_store(&m->ticker_asleep, 0);
	}
	watchdog_check(m, now);
	return timeout_ms(now, MIN(check_deadlines(m, now), limits_check_time(m, now)));
}

static void events_wait(struct monitor *m, int timeout_ms)
{
	struct epoll_event e[16];
	int n = epoll_wait(m->epoll_fd, e, ARRAY_SIZE(e), timeout_ms);

	atomic_store(&m->ticker_asleep, 0);
	for (int i = 0; i < n; i++)
		events_dispatch(m, &e[i]);
}

void events_poll_once(struct monitor *m)
{
	events_wait(m, 0);
}

void events_loop(struct monitor *m)
{
	while (!atomic_load(&m->ended))
		events_wait(m, events_timeout_ms(m));
}
