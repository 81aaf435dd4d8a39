/* SPDX-License-Identifier: Apache-2.0 */
/* Is this QEMU's software CPU? It differs from processors in ways that some tests have to allow for. */
#pragma once

#include <cpuid.h>
#include <stdbool.h>

static inline bool cpu_is_emulated(void)
{
	unsigned a, b, c, d;

	__cpuid(1, a, b, c, d);
	if (!(c >> 31))
		return false;
	__cpuid(0x40000000, a, b, c, d);
	return b == 0x54474354 && c == 0x43544743 && d == 0x47435447; /* "TCGTCGTCGTCG" */
}
