/* SPDX-License-Identifier: Apache-2.0 */
/* The page of kernel data that the vDSO reads; mapped read-only right below its image. */
#pragma once

#include "abi/boot.h"

struct vvar {
	struct time_params time; /* seq is even when it may be read */
};
#define VVAR_SIZE 4096u
