/* SPDX-License-Identifier: Apache-2.0 */
/* sigaltstack: handlers run there, SS_ONSTACK shows it, changing it then is EPERM, AUTODISARM. */
#include "guest/guest.h"

static char stack[65536];
static volatile int on_it, flags, again;

static void handler(int sig)
{
	char here;
	stack_t ss;

	on_it = &here >= stack && &here < stack + sizeof(stack);
	OK(sigaltstack(NULL, &ss));
	flags = ss.ss_flags;
	again = sigaltstack(&ss, NULL) < 0 ? errno : 0;
}

static void show(const char *what)
{
	stack_t ss;

	OK(sigaltstack(NULL, &ss));
	say("%s: on it %d, flags inside %#x, change %d, flags after %#x\n", what, on_it, flags,
	    again, ss.ss_flags);
}

int main(void)
{
	stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };

	handle(SIGUSR1, handler, SA_ONSTACK);
	raise(SIGUSR1);
	show("none");
	OK(sigaltstack(&ss, NULL));
	raise(SIGUSR1);
	show("set");
	handle(SIGUSR1, handler, 0);
	raise(SIGUSR1);
	show("not asked for");
	ss.ss_flags = (int)(1u << 31); /* SS_AUTODISARM */
	OK(sigaltstack(&ss, NULL));
	handle(SIGUSR1, handler, SA_ONSTACK);
	raise(SIGUSR1);
	show("autodisarm");
	ss.ss_flags = 0;
	ss.ss_size = 100;
	FAILS(sigaltstack(&ss, NULL), ENOMEM);
	ss.ss_flags = 12;
	FAILS(sigaltstack(&ss, NULL), EINVAL);
	ss.ss_flags = SS_DISABLE;
	OK(sigaltstack(&ss, NULL));
	show("disabled");
	return 0;
}
