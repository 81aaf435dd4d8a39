/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens the machine's memory and ports: /dev/mem, /dev/kmem, /dev/port, /dev/kmsg, /dev/cpu/0/msr, /proc/kcore.
 * Stopped by: /dev and /proc are our kernel's own; there is nothing of the kind in them.
 */
#include "escape/escape.h"

static void attempt(void)
{
	static const char *const paths[] = { "/dev/mem",          "/dev/kmem",
					     "/dev/port",         "/dev/kmsg",
					     "/dev/cpu/0/msr",    "/dev/cpu/0/cpuid",
					     "/dev/nvram",        "/dev/hpet",
					     "/dev/oldmem",       "/proc/kcore",
					     "/proc/kpageflags",  "/proc/kpagecount",
					     "/proc/iomem",       "/proc/ioports",
					     "/proc/kallsyms",    "/proc/kmsg",
					     "/proc/timer_list",  "/proc/sched_debug",
					     "/proc/vmallocinfo", "/proc/keys",
					     "/proc/key-users",   "/proc/interrupts",
					     "/proc/acpi/wakeup", "/proc/bus/pci/devices" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		try_read(paths[i], paths[i]);
}
