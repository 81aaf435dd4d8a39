/* SPDX-License-Identifier: Apache-2.0 */
/* uname(2), sethostname(2). */
#pragma once

#include "base/types.h"

#define __NEW_UTS_LEN 64

struct linux_utsname {
	char sysname[__NEW_UTS_LEN + 1];
	char nodename[__NEW_UTS_LEN + 1];
	char release[__NEW_UTS_LEN + 1];
	char version[__NEW_UTS_LEN + 1];
	char machine[__NEW_UTS_LEN + 1];
	char domainname[__NEW_UTS_LEN + 1];
};

static_assert(sizeof(struct linux_utsname) == 390, "ABI");
