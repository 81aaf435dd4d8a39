/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors of a process that goes on as a copy of another. */
#pragma once

#include "base/types.h"

/* Standard input and output become /dev/null, as far as they are open. */
void descriptors_release_streams(void);

/* Closes all descriptors but @keep[0..count) (any order, -1 is ignored; changes their order). */
void descriptors_close_but(int *keep, size_t count);
