/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connects to unix sockets of the host: one beside the bind, one in it, an abstract one, those that systems usually have.
 * Stopped by: our kernel's sockets know each other only; the runner sees no connection.
 * Escape-Expect: stopped: ECONNREFUSED from the socket beside
 * Escape-Expect: stopped: EOPNOTSUPP from the socket beside
 * Escape-Expect: stopped: ECONNREFUSED from the socket beside
 * Escape-Expect: stopped: ECONNREFUSED from the socket beside
 * Escape-Expect: stopped: ECONNREFUSED from the socket in the bind
 * Escape-Expect: stopped: EOPNOTSUPP from the socket in the bind
 * Escape-Expect: stopped: ECONNREFUSED from the socket in the bind
 * Escape-Expect: stopped: ECONNREFUSED from the socket in the bind
 * Escape-Expect: stopped: ECONNREFUSED from the abstract socket
 * Escape-Expect: stopped: EOPNOTSUPP from the abstract socket
 * Escape-Expect: stopped: ECONNREFUSED from the abstract socket
 * Escape-Expect: stopped: ECONNREFUSED from the abstract socket
 * Escape-Expect: stopped: ECONNREFUSED from X11
 * Escape-Expect: stopped: EOPNOTSUPP from X11
 * Escape-Expect: stopped: ECONNREFUSED from X11
 * Escape-Expect: stopped: ECONNREFUSED from X11
 * Escape-Expect: stopped: ENOENT from D-Bus
 * Escape-Expect: stopped: EOPNOTSUPP from D-Bus
 * Escape-Expect: stopped: ENOENT from D-Bus
 * Escape-Expect: stopped: ENOENT from D-Bus
 * Escape-Expect: stopped: ENOENT from Docker
 * Escape-Expect: stopped: EOPNOTSUPP from Docker
 * Escape-Expect: stopped: ENOENT from Docker
 * Escape-Expect: stopped: ENOENT from Docker
 * Escape-Expect: stopped: ENOENT from the log
 * Escape-Expect: stopped: EOPNOTSUPP from the log
 * Escape-Expect: stopped: ENOENT from the log
 * Escape-Expect: stopped: ENOENT from the log
 * Escape-Expect: stopped: ENOENT from /proc/net/unix
 * Escape-Expect: stopped: ENOENT from /proc/net/tcp
 */
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "escape/escape.h"

static void try_name(const char *what, const char *path, bool abstract)
{
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM };

	for (int k = 0; k < 2; k++) {
		struct sockaddr_un name = { .sun_family = AF_UNIX };
		socklen_t length;
		int fd = OK(socket(AF_UNIX, kinds[k], 0));

		strncpy(name.sun_path + abstract, path, sizeof(name.sun_path) - 2);
		length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + abstract +
				     strlen(path));
		REFUSED(what, connect(fd, (struct sockaddr *)&name, length + !abstract));
		REFUSED(what, sendto(fd, "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&name,
				     length + !abstract));
		close(fd);
	}
}

void attempt(void)
{
	OK(chdir(told("ESCAPE_BASE")));
	try_name("the socket beside", "socket", false);
	try_name("the socket in the bind", "box/socket", false);
	try_name("the abstract socket", told("ESCAPE_ABSTRACT"), true);
	try_name("X11", "/tmp/.X11-unix/X0", true);
	try_name("D-Bus", "/run/dbus/system_bus_socket", false);
	try_name("Docker", "/var/run/docker.sock", false);
	try_name("the log", "/dev/log", false);
	try_read("/proc/net/unix", "/proc/net/unix");
	try_read("/proc/net/tcp", "/proc/net/tcp");
}
