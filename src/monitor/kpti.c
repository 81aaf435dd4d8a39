/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does this CPU need KPTI? The host's kernel knows (IA32_ARCH_CAPABILITIES.RDCL_NO, which only ring 0 can read, lists of models,
 * and its own nesting) and says so in sysfs: "Not affected", or else. Without sysfs, as in some containers: Intel's are taken as
 * vulnerable, others not.
 */
#include <cpuid.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "monitor/monitor.h"

#define SYSFS_MELTDOWN "/sys/devices/system/cpu/vulnerabilities/meltdown"

bool kpti_needed_by(const char *sysfs, const char *vendor)
{
	static const char not_affected[] = "Not affected";

	if (sysfs && *sysfs)
		return strncmp(sysfs, not_affected, sizeof(not_affected) - 1) != 0;
	return strcmp(vendor, "GenuineIntel") == 0;
}

static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, size - 1) : -1;

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

bool kpti_needed(void)
{
	unsigned int max, vendor[4] = { 0 };
	char text[64];

	/* EBX, EDX, ECX spell it (SDM vol. 2A, "CPUID"). */
	__cpuid(0, max, vendor[0], vendor[2], vendor[1]);
	return kpti_needed_by(read_text(SYSFS_MELTDOWN, text, sizeof(text)) ? text : NULL,
			      (const char *)vendor);
}
