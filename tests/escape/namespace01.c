/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unshares and joins namespaces: unshare(2), setns(2) with files of /proc/PID/ns, clone(2) and clone3(2) with new ones.
 * Stopped by: our kernel has one namespace of each kind, and no files that name others.
 * Escape-Expect: stopped: EPERM from unshare(NEWUSER)
 * Escape-Expect: stopped: EPERM from clone(NEWUSER)
 * Escape-Expect: stopped: EPERM from unshare(NEWNS)
 * Escape-Expect: stopped: EPERM from clone(NEWNS)
 * Escape-Expect: stopped: EPERM from unshare(NEWPID)
 * Escape-Expect: stopped: EPERM from clone(NEWPID)
 * Escape-Expect: stopped: EPERM from unshare(NEWNET)
 * Escape-Expect: stopped: EPERM from clone(NEWNET)
 * Escape-Expect: stopped: EPERM from unshare(NEWIPC)
 * Escape-Expect: stopped: EPERM from clone(NEWIPC)
 * Escape-Expect: stopped: EPERM from unshare(NEWUTS)
 * Escape-Expect: stopped: EPERM from clone(NEWUTS)
 * Escape-Expect: stopped: EPERM from unshare(NEWCGROUP)
 * Escape-Expect: stopped: EPERM from clone(NEWCGROUP)
 * Escape-Expect: stopped: EPERM from unshare(NEWTIME)
 * Escape-Expect: stopped: EPERM from clone3(NEWUSER)
 * Escape-Expect: stopped: ENOENT from the namespaces of a process outside
 * Escape-Expect: stopped: EPERM from setns of a directory
 * Escape-Expect: stopped: EPERM from setns of a bad descriptor
 */
#include <linux/sched.h>

#include "escape/escape.h"

static void try_unshare(const char *name, int flag)
{
	char what[64];

	snprintf(what, sizeof(what), "unshare(%s)", name);
	REFUSED(what, unshare(flag));
	snprintf(what, sizeof(what), "clone(%s)", name);
	REFUSED(what, syscall(SYS_clone, flag | SIGCHLD, 0, 0, 0, 0));
}

void attempt(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS, .exit_signal = SIGCHLD };
	char path[64];

	try_unshare("NEWUSER", CLONE_NEWUSER);
	try_unshare("NEWNS", CLONE_NEWNS);
	try_unshare("NEWPID", CLONE_NEWPID);
	try_unshare("NEWNET", CLONE_NEWNET);
	try_unshare("NEWIPC", CLONE_NEWIPC);
	try_unshare("NEWUTS", CLONE_NEWUTS);
	try_unshare("NEWCGROUP", CLONE_NEWCGROUP);
	REFUSED("unshare(NEWTIME)", unshare(0x80 /* CLONE_NEWTIME */));
	REFUSED("clone3(NEWUSER)", syscall(SYS_clone3, &args, sizeof(args)));
	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", told("ESCAPE_VICTIM"));
	REFUSED("the namespaces of a process outside", open(path, O_RDONLY));
	REFUSED("setns of a directory", setns(OK(open("/proc/self", O_RDONLY)), CLONE_NEWNS));
	REFUSED("setns of a bad descriptor", setns(99, 0));
}
