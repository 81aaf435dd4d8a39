/* SPDX-License-Identifier: Apache-2.0 */
/* wait4(2), waitid(2) and the encoding of a wait status. */
#pragma once

#include "base/types.h"

/* options */
#define WNOHANG     0x1
#define WUNTRACED   0x2
#define WSTOPPED    0x2
#define WEXITED     0x4
#define WCONTINUED  0x8
#define WNOWAIT     0x1000000
#define __WNOTHREAD 0x20000000
#define __WALL      0x40000000
#define __WCLONE    0x80000000

/* waitid(2) idtype */
#define P_ALL   0
#define P_PID   1
#define P_PGID  2
#define P_PIDFD 3

/* Wait statuses, wait(2). */
#define WSTATUS_EXITED(code)  (((code)&0xff) << 8)
#define WSTATUS_SIGNALED(sig) ((sig)&0x7f)
#define WSTATUS_STOPPED(sig)  ((((sig)&0xff) << 8) | 0x7f)
#define WSTATUS_CONTINUED     0xffff
#define WCOREFLAG             0x80
