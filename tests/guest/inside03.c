/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside only: memory runs out with ENOMEM or the death of the greedy one, and the sandbox goes on.
 *
 * Ringfence-Options: --memory 64M
 */
#include "guest/inside.h"

static int greedy(void *arg)
{
	for (int i = 0; i < 1024; i++) { /* a gigabyte at most */
		char *p = mmap(NULL, 256 * PAGE, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			return errno == ENOMEM ? 5 : 6;
		memset(p, 1, 256 * PAGE);
	}
	return 7;
}

int main(void)
{
	inside_only();
	for (int i = 0; i < 2; i++) {
		int status = wait_for(spawn(greedy, NULL));

		if (WIFSIGNALED(status))
			CHECK(WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGBUS);
		else
			CHECK_EQ(WEXITSTATUS(status), 5);
	}
	return 0;
}
