/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects to a socket that the host has in the writable bind, which hands a descriptor of the secret directory to whoever connects.
 * Stopped by: the name is there, the host's socket is not: our kernel's sockets know each other only.
 * Escape-Host: give
 * Escape-Expect: stopped: ECONNREFUSED from connect of a stream
 * Escape-Expect: stopped: EOPNOTSUPP from sendto
 * Escape-Expect: stopped: ECONNREFUSED from connect of datagrams
 * Escape-Expect: stopped: ECONNREFUSED from sendto
 * Escape-Expect: stopped: ECONNREFUSED from connect of packets
 * Escape-Expect: stopped: EOPNOTSUPP from sendto
 * Escape-Expect: stopped: ENXIO from open of a socket
 * Escape-Expect: stopped: ENXIO from open by O_PATH
 */
#include <sys/socket.h>
#include <sys/un.h>

#include "escape/escape.h"

static void try_kind(const char *what, int kind)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "give" };
	int fd = OK(socket(AF_UNIX, kind, 0));

	REFUSED(what, connect(fd, (struct sockaddr *)&name, sizeof(name)));
	REFUSED("sendto", sendto(fd, "x", 1, 0, (struct sockaddr *)&name, sizeof(name)));
	close(fd);
}

void attempt(void)
{
	struct stat st;

	OK(chdir(base_path("box")));
	OK(stat("give", &st));
	CHECK(S_ISSOCK(st.st_mode));
	try_kind("connect of a stream", SOCK_STREAM);
	try_kind("connect of datagrams", SOCK_DGRAM);
	try_kind("connect of packets", SOCK_SEQPACKET);
	REFUSED("open of a socket", open("give", O_RDWR));
	try_read_at("open by O_PATH", OK(open(".", O_PATH)), "give", 0);
}
