/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Binds a socket in the writable bind and waits for the host, which tries to connect and to hand over a descriptor.
 * Stopped by: what is made in the bind is a name of our kernel's own, or nothing; the host finds no socket that listens.
 * Escape-Host: take
 * Escape-Expect: stopped: EPERM from bind in the bind
 */
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "escape/escape.h"

void attempt(void)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "take" };
	struct pollfd p = { .events = POLLIN };

	OK(chdir(base_path("box")));
	p.fd = OK(socket(AF_UNIX, SOCK_STREAM, 0));
	if (bind(p.fd, (struct sockaddr *)&name, sizeof(name)) < 0) {
		judge_call("bind in the bind", -1);
		return;
	}
	OK(listen(p.fd, 5));
	write_file("ready", "x");
	/* The host has tried when it takes the file away. */
	while (access("ready", F_OK) == 0)
		if (poll(&p, 1, 5) > 0)
			escaped("somebody connected");
	stopped("nobody connected");
}
