/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the home directories and credentials of the host's users.
 * Stopped by: the default view.
 * Escape-Expect: stopped: no names in /root
 * Escape-Expect: stopped: no names in /home
 * Escape-Expect: stopped: no names in /run
 * Escape-Expect: stopped: no names in /var/run
 * Escape-Expect: stopped: no names in /root/.ssh
 * Escape-Expect: stopped: no names in /var/spool/cron
 * Escape-Expect: stopped: no names in /etc/ssl/private
 * Escape-Expect: stopped: no names in /var/lib/docker
 * Escape-Expect: stopped: no names in /var/tmp
 */
#include <dirent.h>

#include "escape/escape.h"

static void try_list(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	int n = 0;

	while (dir && (d = readdir(dir)))
		n += strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
	if (n)
		escaped("%d names in %s", n, path);
	stopped("no names in %s", path);
	if (dir)
		closedir(dir);
}

void attempt(void)
{
	try_list("/root");
	try_list("/home");
	try_list("/run");
	try_list("/var/run");
	try_list("/root/.ssh");
	try_list("/var/spool/cron");
	try_list("/etc/ssl/private");
	try_list("/var/lib/docker");
	try_list("/var/tmp");
}
