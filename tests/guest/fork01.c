/* SPDX-License-Identifier: Apache-2.0 */
/* Every exit status 0 to 255 arrives, and only its low byte. */
#include "guest/guest.h"

static int end_with(void *arg)
{
	return (int)(intptr_t)arg;
}

int main(void)
{
	for (intptr_t i = 0; i < 256; i++) {
		int status = wait_for(spawn(end_with, (void *)i));

		CHECK(WIFEXITED(status));
		CHECK_EQ(WEXITSTATUS(status), i);
	}
	say("%#x %#x\n", wait_for(spawn(end_with, (void *)256)),
	    wait_for(spawn(end_with, (void *)-1)));
	return 0;
}
