/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens the machine's memory and ports: /dev/mem, /dev/kmem, /dev/port, /dev/kmsg, /dev/cpu/0/msr, /proc/kcore.
 * Stopped by: /dev and /proc are our kernel's own; there is nothing of the kind in them.
 * Escape-Expect: stopped: ENOENT from /dev/mem
 * Escape-Expect: stopped: ENOENT from /dev/kmem
 * Escape-Expect: stopped: ENOENT from /dev/port
 * Escape-Expect: stopped: ENOENT from /dev/kmsg
 * Escape-Expect: stopped: ENOENT from /dev/cpu/0/msr
 * Escape-Expect: stopped: ENOENT from /dev/cpu/0/cpuid
 * Escape-Expect: stopped: ENOENT from /dev/nvram
 * Escape-Expect: stopped: ENOENT from /dev/hpet
 * Escape-Expect: stopped: ENOENT from /dev/oldmem
 * Escape-Expect: stopped: ENOENT from /proc/kcore
 * Escape-Expect: stopped: ENOENT from /proc/kpageflags
 * Escape-Expect: stopped: ENOENT from /proc/kpagecount
 * Escape-Expect: stopped: ENOENT from /proc/iomem
 * Escape-Expect: stopped: ENOENT from /proc/ioports
 * Escape-Expect: stopped: ENOENT from /proc/kallsyms
 * Escape-Expect: stopped: ENOENT from /proc/kmsg
 * Escape-Expect: stopped: ENOENT from /proc/timer_list
 * Escape-Expect: stopped: ENOENT from /proc/sched_debug
 * Escape-Expect: stopped: ENOENT from /proc/vmallocinfo
 * Escape-Expect: stopped: ENOENT from /proc/keys
 * Escape-Expect: stopped: ENOENT from /proc/key-users
 * Escape-Expect: stopped: ENOENT from /proc/interrupts
 * Escape-Expect: stopped: ENOENT from /proc/acpi/wakeup
 * Escape-Expect: stopped: ENOENT from /proc/bus/pci/devices
 */
#include "escape/escape.h"

void attempt(void)
{
	static const char *const paths[] = {
		"/dev/mem",          "/dev/kmem",         "/dev/port",
		"/dev/kmsg",         "/dev/cpu/0/msr",    "/dev/cpu/0/cpuid",
		"/dev/nvram",        "/dev/hpet",         "/dev/oldmem",
		"/proc/kcore",       "/proc/kpageflags",  "/proc/kpagecount",
		"/proc/iomem",       "/proc/ioports",     "/proc/kallsyms",
		"/proc/kmsg",        "/proc/timer_list",  "/proc/sched_debug",
		"/proc/vmallocinfo", "/proc/keys",        "/proc/key-users",
		"/proc/interrupts",  "/proc/acpi/wakeup", "/proc/bus/pci/devices"
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		try_read(paths[i], paths[i]);
}
