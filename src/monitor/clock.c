/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/clock.h"

#include <cpuid.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "monitor/monitor.h"

#define MS               1000000ull
#define REFRESH_NS       (1000 * MS)
/* The base moves forward after this many refreshes, so that the rate follows the host's own corrections. */
#define REBASE_REFRESHES 16
/* Never slow the clock down by more than 1/SLOWEST. */
#define SLOWEST          20

u64 clock_now_ns(int clock_id)
{
	struct timespec ts;

	if (clock_gettime(clock_id, &ts) < 0)
		return 0;
	return (u64)ts.tv_sec * 1000000000ull + (u64)ts.tv_nsec;
}

/* @id and the TSC at the same moment: the closest of a few tries. */
static u64 sample_at(int id, u64 *ret_tsc)
{
	u64 best = ~0ull, ns = 0;

	for (int i = 0; i < 4; i++) {
		u64 before = __rdtsc(), now = clock_now_ns(id), after = __rdtsc();

		if (after - before >= best)
			continue;
		best = after - before;
		ns = now;
		*ret_tsc = before + best / 2;
	}
	return ns;
}

/* How far clock @id is ahead of CLOCK_MONOTONIC, of a few tries the one that took least; *@error grows to what it took. */
static u64 clock_ahead(int id, u64 *error)
{
	u64 best = ~0ull, ahead = 0;

	for (int i = 0; i < 4; i++) {
		u64 before = clock_now_ns(CLOCK_MONOTONIC), now = clock_now_ns(id),
		    after = clock_now_ns(CLOCK_MONOTONIC);

		if (after - before >= best)
			continue;
		best = after - before;
		ahead = now - (before + best / 2);
	}
	*error = MAX(*error, best);
	return ahead;
}

struct clock_sample clock_sample_take(void)
{
	struct clock_sample s = { 0 };

	s.mono = sample_at(CLOCK_MONOTONIC, &s.tsc);
	s.real = s.mono + clock_ahead(CLOCK_REALTIME, &s.error);
	s.boot = s.mono + clock_ahead(CLOCK_BOOTTIME, &s.error);
	return s;
}

/* CPUID.80000007H:EDX[8], invariant TSC (SDM vol. 3B §18.17.1, APM vol. 3 appendix E.4.6). */
static bool tsc_invariant(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d & 1u << 8);
}

/* A host that uses the TSC for its own time has checked what CPUID does not promise. */
static bool tsc_is_clocksource(void)
{
	char name[32] = "";
	int fd = open("/sys/devices/system/clocksource/clocksource0/current_clocksource",
		      O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);

	if (fd >= 0)
		close(fd);
	return n >= 4 && strncmp(name, "tsc\n", 4) == 0;
}

void clock_init(struct clock *c)
{
	memset(c, 0, sizeof(*c));
	c->reliable = tsc_invariant() || tsc_is_clocksource();
	c->base = clock_sample_take();
	c->recent = c->base;
}

bool clock_rate(u64 ticks, u64 ns, u32 *ret_mult, u32 *ret_shift)
{
	u32 shift = 0;
	unsigned __int128 mult;

	if (!ticks || !ns)
		return false;
	do
		mult = (((unsigned __int128)ns << ++shift) + ticks / 2) / ticks;
	while (mult < 1u << 22 && shift < 60);
	if (mult >= 1u << 24)
		return false;
	*ret_mult = (u32)mult;
	*ret_shift = shift;
	return true;
}

u64 clock_extrapolate(const struct time_params *p, u64 tsc)
{
	return p->mono_ns + (u64)(((unsigned __int128)(tsc - p->base_tsc) * p->mult) >> p->shift);
}

/* What was published goes on as long as the measurement agrees: its noise would make the clock step, back too. */
static u64 settled_ahead(u64 now, u64 before, u64 error)
{
	s64 change = (s64)(now - before);

	return change <= (s64)error && -change <= (s64)error ? before : now;
}

struct time_params clock_params(const struct time_params *old, const struct clock_sample *s,
				u32 mult, u32 shift)
{
	u64 mono = s->mono, seen = old ? clock_extrapolate(old, s->tsc) : 0;
	u64 real = s->real - mono, boot = s->boot - mono;

	if (old) {
		real = settled_ahead(real, old->real_ns - old->mono_ns, s->error);
		boot = settled_ahead(boot, old->boot_ns - old->mono_ns, s->error);
	}
	if (seen > mono) {
		/* Readers are ahead of the host: lose the difference until the next refresh. */
		u64 ahead = MIN(seen - mono, (u64)REFRESH_NS / SLOWEST);

		mult -= (u32)(mult * ahead / REFRESH_NS);
		mono = seen;
	}
	return (struct time_params){
		.base_tsc = s->tsc,
		.mono_ns = mono,
		.real_ns = real + mono,
		.boot_ns = boot + mono,
		.mult = mult,
		.shift = shift,
		.valid = 1,
	};
}

/* Odd while written: readers try again. */
static void params_store(struct clock *c, struct time_params *out, const struct time_params *p)
{
	u32 seq = c->published.seq;

	c->published = *p;
	c->published.seq = seq + 2;
	__atomic_store_n(&out->seq, seq + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	out->valid = p->valid;
	out->base_tsc = p->base_tsc;
	out->mono_ns = p->mono_ns;
	out->real_ns = p->real_ns;
	out->boot_ns = p->boot_ns;
	out->mult = p->mult;
	out->shift = p->shift;
	__atomic_store_n(&out->seq, seq + 2, __ATOMIC_RELEASE);
}

u64 clock_publish(struct clock *c, struct time_params *out)
{
	struct clock_sample s = clock_sample_take();
	struct time_params p;
	u32 mult, shift;

	/* Half a millisecond gives the rate to within 0.01 %; refreshes improve it soon. */
	while (s.mono - c->base.mono < MS / 2)
		s = clock_sample_take();
	c->next_ns = s.mono + 10 * MS;
	if (!c->reliable ||
	    !clock_rate(s.tsc - c->base.tsc, s.mono - c->base.mono, &mult, &shift)) {
		c->reliable = false;
		return 0;
	}
	p = clock_params(NULL, &s, mult, shift);
	params_store(c, out, &p);
	return (u64)(((unsigned __int128)1000000 << shift) / mult);
}

void clock_refresh(struct clock *c, struct time_params *out, u64 now_ns)
{
	struct time_params p;
	struct clock_sample s;
	u32 mult, shift;

	if (!c->reliable || now_ns < c->next_ns)
		return;
	s = clock_sample_take();
	c->next_ns = s.mono + (c->refreshes == 0 ? 100 * MS : REFRESH_NS);
	if (clock_rate(s.tsc - c->base.tsc, s.mono - c->base.mono, &mult, &shift)) {
		p = clock_params(&c->published, &s, mult, shift);
		params_store(c, out, &p);
	}
	if (++c->refreshes % REBASE_REFRESHES == 0) {
		c->base = c->recent;
		c->recent = s;
	}
}
