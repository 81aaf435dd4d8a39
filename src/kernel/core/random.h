/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include "base/types.h"
/* Cryptographic random bytes (ChaCha20 keyed from the monitor's seed, rekeyed from HC_RANDOM). */
void random_bytes(void *buf, size_t n);
u64 random_u64(void);
