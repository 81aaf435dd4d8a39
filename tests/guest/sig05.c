/* SPDX-License-Identifier: Apache-2.0 */
/* Nesting: sa_mask and the signal itself are blocked in a handler, unless SA_NODEFER. */
#include "guest/guest.h"

static volatile int depth, deepest, log_count;
static volatile char log_text[32];

static void handler(int sig)
{
	log_text[log_count++] = sig == SIGUSR1 ? '1' : '2';
	if (++depth > deepest)
		deepest = depth;
	if (log_count < 8 && log_count % 2)
		raise(SIGUSR1);
	if (log_count == 2)
		raise(SIGUSR2);
	log_text[log_count++] = '.';
	depth--;
}

static void run(int flags, int masked)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	if (masked)
		sigaddset(&sa.sa_mask, SIGUSR2);
	OK(sigaction(SIGUSR1, &sa, NULL));
	OK(sigaction(SIGUSR2, &sa, NULL));
	depth = deepest = log_count = 0;
	memset((char *)log_text, 0, sizeof(log_text));
	raise(SIGUSR1);
	say("%s deepest %d\n", (char *)log_text, deepest);
}

int main(void)
{
	run(0, 0);
	run(0, 1);
	run(SA_NODEFER, 0);
	return 0;
}
