/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dumps core: in the writable bind, with RLIMIT_CORE unlimited, and by letting the whole sandbox's first process crash.
 * Stopped by: our kernel writes no core files; the runner looks for them.
 * Escape-Exit: 139
 * Escape-Expect: stopped: a crash without a core
 */
#include <sys/resource.h>

#include "escape/escape.h"

static void crash(void)
{
	raise(SIGSEGV);
}

void attempt(void)
{
	struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	int status;

	OK(chdir(base_path("box")));
	OK(setrlimit(RLIMIT_CORE, &most));
	status = in_child(crash);
	if (WCOREDUMP(status) || access("core", F_OK) == 0)
		escaped("a core was dumped");
	stopped("a crash without a core");
	handle(SIGSEGV, SIG_DFL, 0);
	raise(SIGSEGV);
}
