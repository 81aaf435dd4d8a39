/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "base/types.h"
struct kernel_frame;
/* The kernel took an exception it has no answer to. */
__noreturn void panic_frame(const struct kernel_frame *f, u64 cr2);
/* debug.c: breaks down as the monitor asked, enum boot_debug. */
void debug_crash(u32 kind);
