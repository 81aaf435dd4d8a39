/* SPDX-License-Identifier: Apache-2.0 */
/* The program's own arguments and descriptors at start; exit handlers and stdio flush in order. */
#include "guest/guest.h"

static void first(void)
{
	printf("first registered\n");
}

static void second(void)
{
	printf("second registered\n");
}

int main(int argc, char **argv)
{
	CHECK_EQ(argc, 1);
	CHECK(strstr(argv[0], "args01") != NULL);
	for (int fd = 0; fd < 3; fd++)
		OK(fcntl(fd, F_GETFD));
	say("GUEST_TEST=%s\n",
	    getenv("GUEST_TEST") ? getenv("GUEST_TEST") : "a value = with spaces");
	atexit(first);
	atexit(second);
	printf("buffered ");
	return 0;
}
