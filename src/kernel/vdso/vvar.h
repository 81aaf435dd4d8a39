/* SPDX-License-Identifier: Apache-2.0 */
/* The page of kernel data that the vDSO reads; mapped read-only right below its image. */
#pragma once

#include "abi/boot.h"

struct vvar {
	struct time_params time; /* seq is even when it may be read */
	u32 cpu_selector; /* of a segment whose limit is the CPU's number; 0: there is none */
};
/* That segment in residency guest: Linux has it there, too. In residency host the GDT is the platform's. */
#define VVAR_CPU_SELECTOR 0x7bu
#define VVAR_SIZE         4096u
