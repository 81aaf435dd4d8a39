/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes /sys: uevent_helper, release_agent of cgroups, firmware, power state, CPU hotplug, modules, block devices.
 * Stopped by: /sys is an empty directory of our kernel.
 * Escape-Expect: stopped: ENOENT from /sys/kernel/uevent_helper
 * Escape-Expect: stopped: ENOENT from /sys/fs/cgroup/release_agent
 * Escape-Expect: stopped: ENOENT from /sys/fs/cgroup/cgroup.procs
 * Escape-Expect: stopped: ENOENT from /sys/fs/cgroup/memory/memory.limit_in_bytes
 * Escape-Expect: stopped: ENOENT from /sys/power/state
 * Escape-Expect: stopped: ENOENT from /sys/power/disk
 * Escape-Expect: stopped: ENOENT from /sys/devices/system/cpu/cpu1/online
 * Escape-Expect: stopped: ENOENT from /sys/firmware/efi/efivars
 * Escape-Expect: stopped: ENOENT from /sys/kernel/debug/sched/debug
 * Escape-Expect: stopped: ENOENT from /sys/kernel/security/lockdown
 * Escape-Expect: stopped: ENOENT from /sys/module/kvm/parameters/ignore_msrs
 * Escape-Expect: stopped: ENOENT from /sys/block/vda/uevent
 * Escape-Expect: stopped: ENOENT from /sys/class/net/lo/flags
 * Escape-Expect: stopped: ENOENT from /sys/bus/pci/rescan
 * Escape-Expect: stopped: ENOENT from /sys/kernel/kexec_crash_size
 * Escape-Expect: stopped: ENOENT from /sys/kernel/mm/ksm/run
 * Escape-Expect: stopped: ENOENT from /sys/class/dmi/id/product_uuid
 */
#include "escape/escape.h"

void attempt(void)
{
	static const char *const paths[] = { "/sys/kernel/uevent_helper",
					     "/sys/fs/cgroup/release_agent",
					     "/sys/fs/cgroup/cgroup.procs",
					     "/sys/fs/cgroup/memory/memory.limit_in_bytes",
					     "/sys/power/state",
					     "/sys/power/disk",
					     "/sys/devices/system/cpu/cpu1/online",
					     "/sys/firmware/efi/efivars",
					     "/sys/kernel/debug/sched/debug",
					     "/sys/kernel/security/lockdown",
					     "/sys/module/kvm/parameters/ignore_msrs",
					     "/sys/block/vda/uevent",
					     "/sys/class/net/lo/flags",
					     "/sys/bus/pci/rescan",
					     "/sys/kernel/kexec_crash_size",
					     "/sys/kernel/mm/ksm/run",
					     "/sys/class/dmi/id/product_uuid" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		try_write(paths[i], paths[i], 0);
}
