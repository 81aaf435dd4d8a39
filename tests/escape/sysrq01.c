/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pulls the levers of /proc that act on the machine: sysrq-trigger, core_pattern with a pipe, modprobe, hotplug, panic, drop_caches.
 * Stopped by: /proc is our kernel's own, and these are missing or read-only; a crash afterwards runs no handler.
 * Escape-Expect: stopped: ENOENT from /proc/sysrq-trigger
 * Escape-Expect: stopped: EIO from /proc/sys/kernel/core_pattern
 * Escape-Expect: stopped: ENOENT from /proc/sys/kernel/modprobe
 * Escape-Expect: stopped: ENOENT from /proc/sys/kernel/hotplug
 * Escape-Expect: stopped: ENOENT from /proc/sys/kernel/poweroff_cmd
 * Escape-Expect: stopped: ENOENT from /proc/sys/kernel/panic
 * Escape-Expect: stopped: ENOENT from /proc/sys/kernel/sysrq
 * Escape-Expect: stopped: EIO from /proc/sys/kernel/hostname
 * Escape-Expect: stopped: EIO from /proc/sys/kernel/pid_max
 * Escape-Expect: stopped: EIO from /proc/sys/kernel/randomize_va_space
 * Escape-Expect: stopped: ENOENT from /proc/sys/kernel/yama/ptrace_scope
 * Escape-Expect: stopped: EIO from /proc/sys/kernel/kptr_restrict
 * Escape-Expect: stopped: ENOENT from /proc/sys/vm/drop_caches
 * Escape-Expect: stopped: EIO from /proc/sys/vm/overcommit_memory
 * Escape-Expect: stopped: EIO from /proc/sys/vm/mmap_min_addr
 * Escape-Expect: stopped: EIO from /proc/sys/fs/file-max
 * Escape-Expect: stopped: EIO from /proc/sys/fs/suid_dumpable
 * Escape-Expect: stopped: ENOENT from /proc/sys/fs/binfmt_misc/register
 * Escape-Expect: stopped: ENOENT from /proc/sys/net/core/bpf_jit_enable
 * Escape-Expect: stopped: ENOENT from /proc/sys/net/ipv4/ip_forward
 * Escape-Expect: stopped: ENOENT from /proc/irq/default_smp_affinity
 * Escape-Expect: stopped: ENOENT from /proc/mtrr
 * Escape-Expect: stopped: ENOENT from /proc/scsi/scsi
 * Escape-Expect: stopped: ENOENT from /proc/acpi/wakeup
 * Escape-Expect: stopped: a crash ended with SIGABRT
 */
#include "escape/escape.h"

static void crash(void)
{
	abort();
}

void attempt(void)
{
	static const char *const paths[] = { "/proc/sysrq-trigger",
					     "/proc/sys/kernel/core_pattern",
					     "/proc/sys/kernel/modprobe",
					     "/proc/sys/kernel/hotplug",
					     "/proc/sys/kernel/poweroff_cmd",
					     "/proc/sys/kernel/panic",
					     "/proc/sys/kernel/sysrq",
					     "/proc/sys/kernel/hostname",
					     "/proc/sys/kernel/pid_max",
					     "/proc/sys/kernel/randomize_va_space",
					     "/proc/sys/kernel/yama/ptrace_scope",
					     "/proc/sys/kernel/kptr_restrict",
					     "/proc/sys/vm/drop_caches",
					     "/proc/sys/vm/overcommit_memory",
					     "/proc/sys/vm/mmap_min_addr",
					     "/proc/sys/fs/file-max",
					     "/proc/sys/fs/suid_dumpable",
					     "/proc/sys/fs/binfmt_misc/register",
					     "/proc/sys/net/core/bpf_jit_enable",
					     "/proc/sys/net/ipv4/ip_forward",
					     "/proc/irq/default_smp_affinity",
					     "/proc/mtrr",
					     "/proc/scsi/scsi",
					     "/proc/acpi/wakeup" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		try_write(paths[i], paths[i], 0);
	stopped("a crash ended with %s", ending_of(in_child(crash)));
}
