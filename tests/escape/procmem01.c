/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads and writes the memory of a process outside by /proc/PID/mem, maps, environ, fd, and by process_vm_readv and process_vm_writev.
 * Stopped by: pids inside are our kernel's own; there is no such process.
 * Escape-Expect: stopped: ENOENT from open of the victim's mem
 * Escape-Expect: stopped: ENOENT from open of the victim's maps
 * Escape-Expect: stopped: ENOENT from open of the victim's environ
 * Escape-Expect: stopped: ENOENT from open of the victim's fd/0
 * Escape-Expect: stopped: ENOENT from open of the victim's cwd/.
 * Escape-Expect: stopped: ENOENT from open of the victim's exe
 * Escape-Expect: stopped: ESRCH from process_vm_readv
 * Escape-Expect: stopped: ESRCH from process_vm_writev
 * Escape-Expect: stopped: EFAULT from process_vm_readv of ourselves
 */
#include <sys/uio.h>

#include "escape/escape.h"

static void try_proc(const char *name)
{
	char path[64], what[64];

	snprintf(path, sizeof(path), "/proc/%s/%s", told("ESCAPE_VICTIM"), name);
	snprintf(what, sizeof(what), "open of the victim's %s", name);
	try_read(what, path);
}

void attempt(void)
{
	char text[64] = "overwritten";
	struct iovec local = { text, sizeof(text) },
		     remote = { (void *)told_number("ESCAPE_VICTIM_ADDRESS"), sizeof(text) };
	pid_t victim = (pid_t)told_number("ESCAPE_VICTIM");

	try_proc("mem");
	try_proc("maps");
	try_proc("environ");
	try_proc("fd/0");
	try_proc("cwd/.");
	try_proc("exe");
	REFUSED("process_vm_readv", process_vm_readv(victim, &local, 1, &remote, 1, 0));
	REFUSED("process_vm_writev", process_vm_writev(victim, &local, 1, &remote, 1, 0));
	/* The same address in ourselves is not the victim's. */
	REFUSED("process_vm_readv of ourselves",
		process_vm_readv(getpid(), &local, 1, &remote, 1, 0));
}
