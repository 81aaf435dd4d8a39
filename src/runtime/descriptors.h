/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of a process that goes on as a copy of another. */
#pragma once

#include "base/types.h"

/* Closes all descriptors but @keep[0..count) (any order, -1 is ignored; changes their order). */
void descriptors_close_but(int *keep, size_t count);
