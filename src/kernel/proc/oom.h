/* SPDX-License-Identifier: Apache-2.0 */
/* Who ends when memory ends. */
#pragma once

/* current has found no page at a fault. Either it is killed, or another process and current should try again. */
void oom_kill(void);
