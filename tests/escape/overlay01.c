/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes, removes and replaces system files: all that is the host's under the writable layer.
 * Stopped by: the changes are in the sandbox's memory; the runner compares the host's files.
 * Escape-Expect: stopped: the writable layer took all changes
 */
#include "escape/escape.h"

void attempt(void)
{
	write_file("/etc/ringfence-escaped", "x");
	write_file("/etc/hostname", "escaped\n");
	write_file("/etc/passwd", "escaped::0:0::/:/bin/sh\n");
	OK(rename("/etc/group", "/etc/group2"));
	OK(unlink("/etc/group2"));
	OK(chmod("/etc", 0777));
	OK(chown("/etc/hosts", 12345, 12345));
	write_file("/usr/bin/ringfence-escaped", "#!/bin/sh\n");
	OK(chmod("/usr/bin/ringfence-escaped", 04755));
	OK(rename("/usr/share", "/usr/shared"));
	stopped("the writable layer took all changes");
}
