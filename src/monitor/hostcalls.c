/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/hostcalls.h"

#include <errno.h>
#include <string.h>

#include "base/checked.h"

static const struct hostcall_entry hostcall_table[HC_NR] = {
	[HC_EXIT] = { hc_exit, "exit", false },
	[HC_PANIC] = { hc_panic, "panic", false },
	[HC_LOG] = { hc_log, "log", false },
	[HC_IDLE] = { hc_idle, "idle", false },
	[HC_KICK] = { hc_kick, "kick", false },
	[HC_CLOCK] = { hc_clock, "clock", false },
	[HC_RANDOM] = { hc_random, "random", false },
	[HC_DISCARD] = { hc_discard, "discard", false },
	[HC_POPULATE] = { hc_populate, "populate", false },
	[HC_GUARD] = { hc_guard, "guard", true },
	[HC_YIELD] = { hc_yield, "yield", false },
	[HC_CPU_EXIT] = { hc_cpu_exit, "cpu_exit", false },
	[HC_STOP] = { hc_stop, "stop", false },
	[HC_STAT] = { hc_stat_call, "stat", false },
	[HC_OPEN] = { hc_open, "open", false },
	[HC_READLINK] = { hc_readlink, "readlink", false },
	[HC_MKDIR] = { hc_mkdir, "mkdir", false },
	[HC_UNLINK] = { hc_unlink, "unlink", false },
	[HC_RENAME] = { hc_rename, "rename", false },
	[HC_LINK] = { hc_link, "link", false },
	[HC_SYMLINK] = { hc_symlink, "symlink", false },
	[HC_SETATTR] = { hc_setattr_call, "setattr", false },
	[HC_STATFS] = { hc_statfs_call, "statfs", false },
	[HC_MKNOD] = { hc_mknod, "mknod", false },
	[HC_CLOSE] = { hc_close, "close", false },
	[HC_FSTAT] = { hc_fstat, "fstat", false },
	[HC_PREAD] = { hc_pread, "pread", false },
	[HC_PWRITE] = { hc_pwrite, "pwrite", false },
	[HC_TRUNCATE] = { hc_truncate, "truncate", false },
	[HC_FSYNC] = { hc_fsync, "fsync", false },
	[HC_FALLOCATE] = { hc_fallocate, "fallocate", false },
	[HC_GETDENTS] = { hc_getdents, "getdents", false },
	[HC_REWIND] = { hc_rewind, "rewind", false },
	[HC_READ] = { hc_read, "read", false },
	[HC_WRITE] = { hc_write, "write", false },
	[HC_SEEK] = { hc_seek, "seek", false },
	[HC_POLL] = { hc_poll, "poll", false },
	[HC_WATCH] = { hc_watch, "watch", false },
	[HC_IOCTL] = { hc_ioctl, "ioctl", false },
	[HC_FSETATTR] = { hc_fsetattr, "fsetattr", false },
	[HC_PLAT_AS_NEW] = { hc_plat_as_new, "plat_as_new", true },
	[HC_PLAT_AS_FREE] = { hc_plat_as_free, "plat_as_free", true },
	[HC_PLAT_AS_MAP] = { hc_plat_as_map, "plat_as_map", true },
	[HC_PLAT_AS_UNMAP] = { hc_plat_as_unmap, "plat_as_unmap", true },
	[HC_PLAT_AS_PROTECT] = { hc_plat_as_protect, "plat_as_protect", true },
	[HC_PLAT_AS_NEXT] = { hc_plat_as_next, "plat_as_next", true },
	[HC_PLAT_AS_FLUSH] = { hc_plat_as_flush, "plat_as_flush", true },
	[HC_PLAT_COPY_IN] = { hc_plat_copy_in, "plat_copy_in", true },
	[HC_PLAT_COPY_OUT] = { hc_plat_copy_out, "plat_copy_out", true },
	[HC_PLAT_ZERO_OUT] = { hc_plat_zero_out, "plat_zero_out", true },
	[HC_PLAT_CAS_U32] = { hc_plat_cas_u32, "plat_cas_u32", true },
	[HC_PLAT_CTX_NEW] = { hc_plat_ctx_new, "plat_ctx_new", true },
	[HC_PLAT_CTX_FREE] = { hc_plat_ctx_free, "plat_ctx_free", true },
	[HC_PLAT_SWITCH] = { hc_plat_switch, "plat_switch", true },
	[HC_PLAT_FPU_GET] = { hc_plat_fpu_get, "plat_fpu_get", true },
	[HC_PLAT_FPU_SET] = { hc_plat_fpu_set, "plat_fpu_set", true },
	[HC_PLAT_FPU_RESET] = { hc_plat_fpu_reset, "plat_fpu_reset", true },
};

const struct hostcall_entry *hostcall_lookup(u64 nr)
{
	return nr < HC_NR && hostcall_table[nr].fn ? &hostcall_table[nr] : NULL;
}

s64 hostcall_run(struct hostcall *c, u64 nr)
{
	const struct hostcall_entry *e = hostcall_lookup(nr);

	if (!e)
		return -ENOSYS;
	if (e->host_only && c->m->residency != RF_RESIDENCY_HOST)
		return -EPERM;
	return e->fn(c);
}

static void call_note(struct monitor_cpu *cpu, u64 nr)
{
	u64 n = atomic_load_explicit(&cpu->calls, memory_order_relaxed);

	WRITE_ONCE(cpu->last_calls[n % LAST_CALLS], (u32)MIN(nr, (u64)HC_NR));
	atomic_store_explicit(&cpu->calls, n + 1, memory_order_relaxed);
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

const void *hc_in(struct hostcall *c, u64 addr, u64 len)
{
	return arena_range_ok(&c->m->arena, addr, len, KERNEL_IMAGE_OFF)
		       ? (const void *)(uintptr_t)addr
		       : NULL;
}

void *hc_out(struct hostcall *c, u64 addr, u64 len)
{
	return arena_range_ok(&c->m->arena, addr, len, c->m->image.data_start)
		       ? (void *)(uintptr_t)addr
		       : NULL;
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
	const char *p;

	if (len >= HC_PATH_MAX)
		return -ENAMETOOLONG;
	ret->len = len;
	ret->text[len] = 0;
	if (!len)
		return 0;
	p = hc_in(c, addr, len);
	if (!p)
		return -EFAULT;
	memcpy(ret->text, p, len);
	if (strlen(ret->text) != len || ret->text[0] == '/')
		return -EINVAL;
	return path_climbs(ret->text) ? -EXDEV : 0;
}
