/* SPDX-License-Identifier: Apache-2.0 */
/* membarrier: queried, registered. */
#include <linux/membarrier.h>

#include "guest/guest.h"

static long membarrier(int command, unsigned flags)
{
	return syscall(SYS_membarrier, command, flags, 0);
}

int main(void)
{
	long commands = OK(membarrier(MEMBARRIER_CMD_QUERY, 0));

	CHECK(commands & MEMBARRIER_CMD_GLOBAL);
	CHECK(commands & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
	FAILS(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0), EPERM);
	OK(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0));
	OK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0));
	OK(membarrier(MEMBARRIER_CMD_GLOBAL, 0));
	FAILS(membarrier(1 << 30, 0), EINVAL);
	FAILS(membarrier(MEMBARRIER_CMD_QUERY, 1 << 20), EINVAL);
	say("ok\n");
	return 0;
}
