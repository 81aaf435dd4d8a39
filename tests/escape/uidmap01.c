/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the id maps and other per-process files that change rights: uid_map, gid_map, setgroups, projid_map, loginuid, attr/current, oom_score_adj, timerslack_ns.
 * Stopped by: they are missing, or change what our kernel alone knows; the runner compares those of a process outside.
 * Escape-Expect: stopped: EIO from uid_map of ourselves
 * Escape-Expect: stopped: EIO from gid_map of ourselves
 * Escape-Expect: stopped: EIO from setgroups of ourselves
 * Escape-Expect: stopped: EIO from projid_map of ourselves
 * Escape-Expect: stopped: EIO from loginuid of ourselves
 * Escape-Expect: stopped: ENOENT from attr/current of ourselves
 * Escape-Expect: stopped: ENOENT from timerslack_ns of ourselves
 * Escape-Expect: stopped: ENOENT from sched of ourselves
 * Escape-Expect: stopped: ENOENT from make-it-fail of ourselves
 * Escape-Expect: stopped: ENOENT from clear_refs of ourselves
 * Escape-Expect: stopped: ENOENT from autogroup of ourselves
 * Escape-Expect: stopped: ENOENT from coredump_filter of ourselves
 * Escape-Expect: stopped: ENOENT from oom_score_adj of a process outside
 * Escape-Expect: stopped: ENOENT from timerslack_ns of a process outside
 * Escape-Expect: stopped: ENOENT from oom_score_adj of a process outside
 */
#include "escape/escape.h"

static void try_one(const char *pid, const char *name)
{
	char path[96], what[96];

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	snprintf(what, sizeof(what), "%s of %s", name,
		 strcmp(pid, "self") == 0 ? "ourselves" : "a process outside");
	try_write(what, path, 0);
}

void attempt(void)
{
	static const char *const names[] = { "uid_map",       "gid_map",   "setgroups",
					     "projid_map",    "loginuid",  "attr/current",
					     "timerslack_ns", "sched",     "make-it-fail",
					     "clear_refs",    "autogroup", "coredump_filter" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		try_one("self", names[i]);
	try_one(told("ESCAPE_VICTIM"), "oom_score_adj");
	try_one(told("ESCAPE_VICTIM"), "timerslack_ns");
	try_one(told("ESCAPE_RUNNER"), "oom_score_adj");
}
