/* SPDX-License-Identifier: Apache-2.0 */
/* Who ends when memory ends. */
#pragma once

#include "base/types.h"

/* current has found no page at a fault. Either it is killed, or another process and current should try again. */
void oom_kill(void);
/* The sandbox's program itself was among those killed. */
bool oom_killed_program(void);
