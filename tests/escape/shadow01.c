/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what only root of the host may: password hashes, its keys.
 * Stopped by: the default view.
 * Escape-Expect: stopped: no content of /etc/shadow
 * Escape-Expect: stopped: no content of /etc/gshadow
 * Escape-Expect: stopped: no content of /etc/shadow-
 * Escape-Expect: stopped: no content of /etc/gshadow-
 * Escape-Expect: stopped: no content of /etc/sudoers
 * Escape-Expect: stopped: no content of /etc/ssh/ssh_host_ed25519_key
 * Escape-Expect: stopped: no content of /etc/ssh/ssh_host_rsa_key
 * Escape-Expect: stopped: no content of /etc/machine-id
 * Escape-Expect: stopped: no content of /var/lib/systemd/random-seed
 */
#include "escape/escape.h"

/* Says whether a file's content could be had; the content itself is never printed. */
static void try_content(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n;

	if (fd < 0) {
		stopped("no content of %s", path);
		return;
	}
	n = read(fd, text, sizeof(text));
	if (n > 0)
		escaped("the content of %s", path);
	stopped("no content of %s", path);
	close(fd);
}

void attempt(void)
{
	try_content("/etc/shadow");
	try_content("/etc/gshadow");
	try_content("/etc/shadow-");
	try_content("/etc/gshadow-");
	try_content("/etc/sudoers");
	try_content("/etc/ssh/ssh_host_ed25519_key");
	try_content("/etc/ssh/ssh_host_rsa_key");
	try_content("/etc/machine-id");
	try_content("/var/lib/systemd/random-seed");
}
