/* SPDX-License-Identifier: Apache-2.0 */
/* What uname(2) and /proc/sys/kernel say. The release is that of the Linux whose behaviour is followed. */
#pragma once

#include "abi/linux/utsname.h"

#define UTS_SYSNAME "Linux"
#define UTS_RELEASE "6.1.0-ringfence"
#define UTS_VERSION "#1 SMP PREEMPT_DYNAMIC Ringfence"
#define UTS_MACHINE "x86_64"

/* sethostname(2)'s and setdomainname(2)'s names: NUL-terminated, at most 64 bytes. sys/sys_misc.c */
const char *uts_hostname(void);
