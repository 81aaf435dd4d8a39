/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/hostcalls.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/checked.h"
#include "base/format.h"
#include "base/nospec.h"

/* A call that is made to wait looks so often whether the sandbox has ended. */
#define WAIT_MAX_NS 10000000l

static const struct hostcall_entry hostcall_table[HC_NR] = {
	[HC_EXIT] = { hc_exit, "exit", false, RATE_NONE },
	[HC_PANIC] = { hc_panic, "panic", false, RATE_NONE },
	[HC_LOG] = { hc_log, "log", false, RATE_NONE },
	[HC_IDLE] = { hc_idle, "idle", false, RATE_NONE },
	[HC_KICK] = { hc_kick, "kick", false, RATE_KICK },
	[HC_CLOCK] = { hc_clock, "clock", false, RATE_NONE },
	[HC_RANDOM] = { hc_random, "random", false, RATE_RANDOM },
	[HC_DISCARD] = { hc_discard, "discard", false, RATE_FRAMES },
	[HC_POPULATE] = { hc_populate, "populate", false, RATE_FRAMES },
	[HC_GUARD] = { hc_guard, "guard", true, RATE_NONE },
	[HC_YIELD] = { hc_yield, "yield", false, RATE_NONE },
	[HC_CPU_EXIT] = { hc_cpu_exit, "cpu_exit", false, RATE_NONE },
	[HC_STOP] = { hc_stop, "stop", false, RATE_STOP },
	[HC_STAT] = { hc_stat_call, "stat", false, RATE_LOOKUP },
	[HC_OPEN] = { hc_open, "open", false, RATE_OPEN },
	[HC_READLINK] = { hc_readlink, "readlink", false, RATE_LOOKUP },
	[HC_MKDIR] = { hc_mkdir, "mkdir", false, RATE_CHANGE },
	[HC_UNLINK] = { hc_unlink, "unlink", false, RATE_CHANGE },
	[HC_RENAME] = { hc_rename, "rename", false, RATE_CHANGE },
	[HC_LINK] = { hc_link, "link", false, RATE_CHANGE },
	[HC_SYMLINK] = { hc_symlink, "symlink", false, RATE_CHANGE },
	[HC_SETATTR] = { hc_setattr_call, "setattr", false, RATE_CHANGE },
	[HC_STATFS] = { hc_statfs_call, "statfs", false, RATE_LOOKUP },
	[HC_MKNOD] = { hc_mknod, "mknod", false, RATE_CHANGE },
	[HC_CLOSE] = { hc_close, "close", false, RATE_NONE },
	[HC_FSTAT] = { hc_fstat, "fstat", false, RATE_NONE },
	[HC_PREAD] = { hc_pread, "pread", false, RATE_NONE },
	[HC_PWRITE] = { hc_pwrite, "pwrite", false, RATE_NONE },
	[HC_TRUNCATE] = { hc_truncate, "truncate", false, RATE_CHANGE },
	[HC_FSYNC] = { hc_fsync, "fsync", false, RATE_SYNC },
	[HC_FALLOCATE] = { hc_fallocate, "fallocate", false, RATE_CHANGE },
	[HC_GETDENTS] = { hc_getdents, "getdents", false, RATE_LOOKUP },
	[HC_REWIND] = { hc_rewind, "rewind", false, RATE_NONE },
	[HC_READ] = { hc_read, "read", false, RATE_NONE },
	[HC_WRITE] = { hc_write, "write", false, RATE_NONE },
	[HC_SEEK] = { hc_seek, "seek", false, RATE_NONE },
	[HC_POLL] = { hc_poll, "poll", false, RATE_NONE },
	[HC_WATCH] = { hc_watch, "watch", false, RATE_WATCH },
	[HC_IOCTL] = { hc_ioctl, "ioctl", false, RATE_NONE },
	[HC_FSETATTR] = { hc_fsetattr, "fsetattr", false, RATE_CHANGE },
	[HC_PLAT_AS_NEW] = { hc_plat_as_new, "plat_as_new", true, RATE_NONE },
	[HC_PLAT_AS_FREE] = { hc_plat_as_free, "plat_as_free", true, RATE_NONE },
	[HC_PLAT_AS_MAP] = { hc_plat_as_map, "plat_as_map", true, RATE_NONE },
	[HC_PLAT_AS_UNMAP] = { hc_plat_as_unmap, "plat_as_unmap", true, RATE_NONE },
	[HC_PLAT_AS_PROTECT] = { hc_plat_as_protect, "plat_as_protect", true, RATE_NONE },
	[HC_PLAT_AS_NEXT] = { hc_plat_as_next, "plat_as_next", true, RATE_NONE },
	[HC_PLAT_AS_FLUSH] = { hc_plat_as_flush, "plat_as_flush", true, RATE_NONE },
	[HC_PLAT_COPY_IN] = { hc_plat_copy_in, "plat_copy_in", true, RATE_NONE },
	[HC_PLAT_COPY_OUT] = { hc_plat_copy_out, "plat_copy_out", true, RATE_NONE },
	[HC_PLAT_ZERO_OUT] = { hc_plat_zero_out, "plat_zero_out", true, RATE_NONE },
	[HC_PLAT_CAS_U32] = { hc_plat_cas_u32, "plat_cas_u32", true, RATE_NONE },
	[HC_PLAT_CTX_NEW] = { hc_plat_ctx_new, "plat_ctx_new", true, RATE_NONE },
	[HC_PLAT_CTX_FREE] = { hc_plat_ctx_free, "plat_ctx_free", true, RATE_NONE },
	[HC_PLAT_SWITCH] = { hc_plat_switch, "plat_switch", true, RATE_NONE },
	[HC_PLAT_FPU_GET] = { hc_plat_fpu_get, "plat_fpu_get", true, RATE_NONE },
	[HC_PLAT_FPU_SET] = { hc_plat_fpu_set, "plat_fpu_set", true, RATE_NONE },
	[HC_PLAT_FPU_RESET] = { hc_plat_fpu_reset, "plat_fpu_reset", true, RATE_NONE },
};

const struct hostcall_entry *hostcall_lookup(u64 nr)
{
	if (nr >= HC_NR)
		return NULL;
	nr = array_index_nospec(nr, HC_NR);
	return hostcall_table[nr].fn ? &hostcall_table[nr] : NULL;
}

void hc_throttle(struct hostcall *c, enum rate rate)
{
	u64 wait;

	while ((wait = rate_take(&c->m->rate[rate], rate, clock_now_ns(CLOCK_MONOTONIC))) != 0) {
		struct timespec ts = { .tv_nsec = (long)MIN(wait, (u64)WAIT_MAX_NS) };

		if (atomic_load(&c->m->ended))
			return;
		nanosleep(&ts, NULL);
	}
}

s64 hc_distrust(struct hostcall *c, s64 error)
{
	const struct hostcall_entry *e = hostcall_lookup(c->nr);

	if (!atomic_exchange(&c->m->distrusted, 1))
		monitor_log(
			c->m,
			"ringfence: hostcall %lu (%s) was refused with error %ld: the sandbox's "
			"kernel is broken or taken over",
			c->nr, e ? e->name : "unknown", -error);
	hc_throttle(c, RATE_REFUSED);
	return error;
}

s64 hostcall_run(struct hostcall *c, u64 nr)
{
	const struct hostcall_entry *e = hostcall_lookup(nr);

	c->nr = nr;
	if (unlikely(!e))
		return hc_distrust(c, -ENOSYS);
	if (unlikely(e->host_only && c->m->residency != RF_RESIDENCY_HOST))
		return hc_distrust(c, -EPERM);
	if (e->rate)
		hc_throttle(c, e->rate);
	return e->fn(c);
}

static void call_note(struct monitor_cpu *cpu, u64 nr)
{
	u64 n = atomic_load_explicit(&cpu->calls, memory_order_relaxed);

	WRITE_ONCE(cpu->last_calls[n % LAST_CALLS], (u32)MIN(nr, (u64)HC_NR));
	atomic_store_explicit(&cpu->calls, n + 1, memory_order_relaxed);
}

void monitor_dump_calls(struct monitor *m, u32 number)
{
	const struct monitor_cpu *cpu = &m->cpu[number];
	u64 n = atomic_load(&cpu->calls);
	char text[LAST_CALLS * 24];
	size_t len = 0;

	text[0] = '\0';
	for (u64 i = n > LAST_CALLS ? n - LAST_CALLS : 0; i < n; i++) {
		const struct hostcall_entry *e =
			hostcall_lookup(READ_ONCE(cpu->last_calls[i % LAST_CALLS]));

		fmt_append(text, sizeof(text), &len, " %s", e ? e->name : "(unknown)");
	}
	monitor_log(m, "  last hostcalls of %lu:%s", n, text);
}

bool monitor_serve(struct monitor *m, u32 cpu)
{
	struct mailbox *mbox = &m->info->cpu[cpu].mbox;
	struct hostcall c = { .m = m, .cpu = cpu };
	u64 nr = READ_ONCE(mbox->nr);

	call_note(&m->cpu[cpu], nr);
	for (u32 i = 0; i < HOSTCALL_ARGS; i++)
		c.arg[i] = READ_ONCE(mbox->arg[i]);
	if (unlikely(!atomic_load_explicit(&m->first_call_ns, memory_order_relaxed)))
		atomic_store(&m->first_call_ns, clock_now_ns(CLOCK_MONOTONIC));
	WRITE_ONCE(mbox->ret, hostcall_run(&c, nr));
	return !c.leave;
}

/* The range, or NULL after a remark. */
static void *buffer_check(struct hostcall *c, u64 addr, u64 len, u64 from)
{
	if (likely(arena_range_ok(&c->m->arena, addr, len, from)))
		return (void *)(uintptr_t)addr;
	hc_distrust(c, -EFAULT);
	return NULL;
}

const void *hc_in(struct hostcall *c, u64 addr, u64 len)
{
	return buffer_check(c, addr, len, KERNEL_IMAGE_OFF);
}

void *hc_out(struct hostcall *c, u64 addr, u64 len)
{
	return buffer_check(c, addr, len, c->m->image.data_start);
}

bool hc_copy_in(struct hostcall *c, void *ret, u64 addr, u64 len)
{
	const void *p = hc_in(c, addr, len);

	if (!p)
		return false;
	memcpy(ret, p, len);
	barrier(); /* what is checked and used is the copy: the compiler may not go back to the source */
	return true;
}

/* Is there a component ".."? */
static bool path_climbs(const char *path)
{
	for (const char *p = path; (p = strstr(p, "..")) != NULL; p++)
		if ((p == path || p[-1] == '/') && (!p[2] || p[2] == '/'))
			return true;
	return false;
}

int hc_path_get(struct hostcall *c, u64 addr, u64 len, struct hc_path *ret)
{
	if (len >= HC_PATH_MAX)
		return -ENAMETOOLONG;
	ret->len = len;
	ret->text[len] = 0;
	if (!len)
		return 0;
	if (!hc_copy_in(c, ret->text, addr, len))
		return -EFAULT;
	if (strlen(ret->text) != len || ret->text[0] == '/')
		return -EINVAL;
	return path_climbs(ret->text) ? -EXDEV : 0;
}
