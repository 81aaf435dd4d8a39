/* SPDX-License-Identifier: Apache-2.0 */
/* The files of /proc that are no process's: proc(5). */
#include "abi/linux/capability.h"
#include "abi/linux/errno.h"
#include "base/format.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/core/random.h"
#include "kernel/core/sched.h"
#include "kernel/core/time.h"
#include "kernel/fs/internal.h"
#include "kernel/fs/pcache.h"
#include "kernel/fs/procfs.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/page.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/proc.h"
#include "kernel/sys/uts.h"

#define NS_PER_TICK (1000000000ul / USER_HZ)
#define KIB(pages)  ((pages) << (PAGE_SHIFT - 10))

static s64 self_readlink(struct proc_node *n, char *buf, size_t size)
{
	(void)n;
	return fmt_snprintf(buf, size, "%d", current->proc->pid);
}

static s64 thread_self_readlink(struct proc_node *n, char *buf, size_t size)
{
	(void)n;
	return fmt_snprintf(buf, size, "%d/task/%d", current->proc->pid, current->tid);
}

static s64 mounts_readlink(struct proc_node *n, char *buf, size_t size)
{
	(void)n;
	return fmt_snprintf(buf, size, "self/mounts");
}

static u64 slab_frames(void)
{
	struct kmalloc_stat s;
	u64 frames = 0;

	for (unsigned i = 0; kmalloc_stat(i, &s); i++)
		frames += s.frames;
	return frames;
}

/* slabinfo(5). */
static int show_slabinfo(struct proc_node *n, struct text *t)
{
	struct kmalloc_stat s;

	(void)n;
	text_puts(t,
		  "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
		  "<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> "
		  ": slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	for (unsigned i = 0; kmalloc_stat(i, &s); i++) {
		u64 per_slab = s.size ? PAGE_SIZE / s.size : 1;

		if (s.size)
			text_printf(t, "kmalloc-%-9u", s.size);
		else
			text_puts(t, "kmalloc-large    ");
		text_printf(t, " %6lu %6lu %6u %4lu %4u : tunables 0 0 0 : slabdata %6lu %6lu 0\n",
			    s.used, s.size ? s.frames * per_slab : s.used, s.size, per_slab, 1,
			    s.frames, s.frames);
	}
	return 0;
}

static int show_meminfo(struct proc_node *n, struct text *t)
{
	u64 total, free, cached, dirty;

	(void)n;
	page_stats(&total, &free);
	pcache_stats(&cached, &dirty);
	text_printf(
		t,
		"MemTotal:       %8lu kB\nMemFree:        %8lu kB\nMemAvailable:   %8lu kB\nBuffers:        %8u kB\n",
		KIB(total), KIB(free), KIB(free + cached - MIN(dirty, cached)), 0);
	text_printf(
		t,
		"Cached:         %8lu kB\nSwapCached:     %8u kB\nActive:         %8lu kB\nInactive:       %8lu kB\n",
		KIB(cached), 0, KIB(total - free - MIN(cached, total - free)), KIB(cached));
	text_printf(
		t,
		"SwapTotal:      %8u kB\nSwapFree:       %8u kB\nDirty:          %8lu kB\nWriteback:      %8u kB\n",
		0, 0, KIB(dirty), 0);
	text_printf(t, "AnonPages:      %8lu kB\nMapped:         %8u kB\nShmem:          %8u kB\n",
		    KIB(total - free - MIN(cached, total - free)), 0, 0);
	text_printf(t, "Slab:           %8lu kB\nSReclaimable:   %8u kB\nSUnreclaim:     %8lu kB\n",
		    KIB(slab_frames()), 0, KIB(slab_frames()));
	text_printf(t, "CommitLimit:    %8lu kB\nCommitted_AS:   %8lu kB\n", KIB(total),
		    KIB(total - free));
	text_printf(t, "AnonHugePages:  %8lu kB\n",
		    KIB((u64)(kplat_large_pages * (PT_SIZE_2M / PAGE_SIZE))));
	text_puts(
		t,
		"HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\n");
	return 0;
}

/* CPU time of everything, as far as it is known: all on the tasks' account. */
static void cpu_times(u64 *ret_user, u64 *ret_system)
{
	struct process *p;

	*ret_user = *ret_system = 0;
	list_for_each_entry(p, &processes, all_node) {
		u64 u, s;

		process_times(p, &u, &s);
		*ret_user += u + p->child_utime_ns;
		*ret_system += s + p->child_stime_ns;
	}
}

static u64 idle_ns(u64 busy)
{
	u64 all = ktime_up() * nr_cpus;

	return all > busy ? all - busy : 0;
}

static int show_stat(struct proc_node *n, struct text *t)
{
	u64 user, system, idle, switches = 0;
	unsigned running, total;

	(void)n;
	cpu_times(&user, &system);
	idle = idle_ns(user + system);
	sched_count_load(&running, &total);
	text_printf(t, "cpu  %lu 0 %lu %lu 0 0 0 0 0 0\n", user / NS_PER_TICK, system / NS_PER_TICK,
		    idle / NS_PER_TICK);
	for (unsigned i = 0; i < nr_cpus; i++) {
		text_printf(t, "cpu%u %lu 0 %lu %lu 0 0 0 0 0 0\n", i, user / nr_cpus / NS_PER_TICK,
			    system / nr_cpus / NS_PER_TICK, idle / nr_cpus / NS_PER_TICK);
		switches += boot_info()->cpu[i].switches;
	}
	text_printf(
		t,
		"intr 0\nctxt %lu\nbtime %lu\nprocesses %u\nprocs_running %u\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		switches, (u64)((ktime_real() - ktime_up()) / NSEC_PER_SEC), total,
		running ? running : 1);
	return 0;
}

static int show_uptime(struct proc_node *n, struct text *t)
{
	u64 up = ktime_up() / (NSEC_PER_SEC / 100), user, system, idle;

	(void)n;
	cpu_times(&user, &system);
	idle = idle_ns(user + system) / (NSEC_PER_SEC / 100);
	text_printf(t, "%lu.%02lu %lu.%02lu\n", up / 100, up % 100, idle / 100, idle % 100);
	return 0;
}

static int show_loadavg(struct proc_node *n, struct text *t)
{
	unsigned running, total;
	struct process *p, *last = NULL;

	(void)n;
	sched_count_load(&running, &total);
	list_for_each_entry(p, &processes, all_node)
		last = p;
	text_printf(t, "0.00 0.00 0.00 %u/%u %d\n", running ? running : 1, total,
		    last ? last->pid : 1);
	return 0;
}

static int show_version(struct proc_node *n, struct text *t)
{
	(void)n;
	text_printf(t, "%s version %s (ringfence) %s\n", UTS_SYSNAME, UTS_RELEASE, UTS_VERSION);
	return 0;
}

static int show_hostname(struct proc_node *n, struct text *t)
{
	(void)n;
	text_printf(t, "%s\n", uts_hostname());
	return 0;
}

static void show_uuid_of(struct text *t, u8 id[16])
{
	id[6] = (u8)((id[6] & 0x0f) | 0x40); /* RFC 4122, 4.4: version 4 */
	id[8] = (u8)((id[8] & 0x3f) | 0x80);
	for (unsigned i = 0; i < 16; i++)
		text_printf(t, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", id[i]);
	text_putc(t, '\n');
}

static int show_uuid(struct proc_node *n, struct text *t)
{
	u8 id[16];

	(void)n;
	random_bytes(id, sizeof(id));
	show_uuid_of(t, id);
	return 0;
}

static int show_boot_id(struct proc_node *n, struct text *t)
{
	static u8 id[16];

	(void)n;
	if (mem_is_zero(id, sizeof(id)))
		random_bytes(id, sizeof(id));
	show_uuid_of(t, id);
	return 0;
}

static int show_threads_max(struct proc_node *n, struct text *t)
{
	(void)n;
	text_printf(t, "%u\n", max_tasks);
	return 0;
}

static int show_file_nr(struct proc_node *n, struct text *t)
{
	(void)n;
	text_printf(t, "%lu\t0\t%lu\n", files_count(), boot_config()->files_max);
	return 0;
}

static int show_file_max(struct proc_node *n, struct text *t)
{
	(void)n;
	text_printf(t, "%lu\n", boot_config()->files_max);
	return 0;
}

static int show_nr_open(struct proc_node *n, struct text *t)
{
	(void)n;
	text_printf(t, "%lu\n", rlimit_ceiling(RLIMIT_NOFILE));
	return 0;
}

/* ---- tables ---- */

#define DIR(n, d)                                               \
	{                                                       \
		.name = (n), .mode = S_IFDIR | 0555, .dir = (d) \
	}
#define FILE_(n, s)                                              \
	{                                                        \
		.name = (n), .mode = S_IFREG | 0444, .show = (s) \
	}
#define VALUE(n, v)                                                                        \
	{                                                                                  \
		.name = (n), .mode = S_IFREG | 0444, .show = proc_show_value, .value = (v) \
	}
#define LINK(n, r)                                                   \
	{                                                            \
		.name = (n), .mode = S_IFLNK | 0777, .readlink = (r) \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

static const struct proc_entry random_entries[] = {
	FILE_("boot_id", show_boot_id),
	FILE_("uuid", show_uuid),
	VALUE("entropy_avail", "256\n"),
	VALUE("poolsize", "256\n"),
	VALUE("urandom_min_reseed_secs", "60\n"),
	VALUE("write_wakeup_threshold", "256\n"),
	END,
};
static const struct proc_entry kernel_entries[] = {
	VALUE("ostype", UTS_SYSNAME "\n"),
	VALUE("osrelease", UTS_RELEASE "\n"),
	VALUE("version", UTS_VERSION "\n"),
	VALUE("domainname", "(none)\n"),
	FILE_("hostname", show_hostname),
	VALUE("pid_max", "32768\n"),
	FILE_("threads-max", show_threads_max),
	VALUE("cap_last_cap", "40\n"),
	VALUE("ngroups_max", "65536\n"),
	VALUE("overflowuid", "65534\n"),
	VALUE("overflowgid", "65534\n"),
	VALUE("shmmax", "18446744073692774399\n"),
	VALUE("shmall", "18446744073692774399\n"),
	VALUE("shmmni", "4096\n"),
	VALUE("msgmax", "8192\n"),
	VALUE("msgmnb", "16384\n"),
	VALUE("msgmni", "32000\n"),
	VALUE("sem", "32000\t1024000000\t500\t32000\n"),
	VALUE("core_pattern", "core\n"),
	VALUE("core_uses_pid", "0\n"),
	VALUE("randomize_va_space", "2\n"),
	VALUE("kptr_restrict", "2\n"),
	VALUE("dmesg_restrict", "1\n"),
	VALUE("perf_event_paranoid", "3\n"),
	VALUE("tainted", "0\n"),
	VALUE("sched_child_runs_first", "0\n"),
	VALUE("sched_rt_runtime_us", "950000\n"),
	VALUE("sched_rt_period_us", "1000000\n"),
	VALUE("printk", "4\t4\t1\t7\n"),
	DIR("random", random_entries),
	END,
};
static const struct proc_entry vm_entries[] = {
	VALUE("overcommit_memory", "0\n"),
	VALUE("overcommit_ratio", "50\n"),
	VALUE("max_map_count", "65530\n"),
	VALUE("mmap_min_addr", "65536\n"),
	VALUE("swappiness", "60\n"),
	VALUE("nr_hugepages", "0\n"),
	END,
};
static const struct proc_entry fs_entries[] = {
	FILE_("file-max", show_file_max),
	FILE_("file-nr", show_file_nr),
	FILE_("nr_open", show_nr_open),
	VALUE("pipe-max-size", "1048576\n"),
	VALUE("pipe-user-pages-soft", "16384\n"),
	VALUE("pipe-user-pages-hard", "0\n"),
	VALUE("protected_hardlinks", "1\n"),
	VALUE("protected_symlinks", "1\n"),
	VALUE("protected_fifos", "0\n"),
	VALUE("protected_regular", "0\n"),
	VALUE("suid_dumpable", "0\n"),
	END,
};
static const struct proc_entry core_entries[] = { VALUE("somaxconn", "4096\n"), END };
static const struct proc_entry net_entries[] = { DIR("core", core_entries), END };
static const struct proc_entry sys_entries[] = {
	DIR("fs", fs_entries),
	DIR("kernel", kernel_entries),
	DIR("net", net_entries),
	DIR("vm", vm_entries),
	END,
};

const struct proc_entry proc_root_entries[] = {
	LINK("self", self_readlink),
	LINK("thread-self", thread_self_readlink),
	LINK("mounts", mounts_readlink),
	FILE_("cpuinfo", proc_show_cpuinfo),
	FILE_("meminfo", show_meminfo),
	{ .name = "slabinfo", .mode = S_IFREG | 0400, .show = show_slabinfo },
	FILE_("stat", show_stat),
	FILE_("uptime", show_uptime),
	FILE_("version", show_version),
	FILE_("loadavg", show_loadavg),
	VALUE("filesystems",
	      "nodev\tproc\nnodev\ttmpfs\nnodev\tdevtmpfs\nnodev\toverlay\nnodev\thostfs\n"),
	VALUE("cmdline", "ringfence\n"),
	VALUE("devices", "Character devices:\n  1 mem\n  5 /dev/tty\n\nBlock devices:\n"),
	VALUE("swaps", "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"),
	VALUE("partitions", "major minor  #blocks  name\n\n"),
	VALUE("modules", ""),
	VALUE("diskstats", ""),
	DIR("sys", sys_entries),
	END,
};
