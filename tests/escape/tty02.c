/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the caller's terminal over: controlling terminal of another session, console redirection, line discipline, exclusive use, packet mode, hang-up, peer, lock.
 * Stopped by: our kernel has sessions of its own and does not pass these requests on.
 * Escape-Host: terminal
 * Escape-Expect: stopped: ENOTTY from TIOCCONS
 * Escape-Expect: stopped: ENOTTY from TIOCSETD
 * Escape-Expect: stopped: ENOTTY from TIOCPKT
 * Escape-Expect: stopped: ENOTTY from TIOCVHANGUP
 * Escape-Expect: stopped: ENOTTY from TIOCGPTPEER
 * Escape-Expect: stopped: ENOTTY from TIOCSPTLCK
 * Escape-Expect: stopped: ENOTTY from TIOCSLCKTRMIOS
 * Escape-Expect: stopped: ENOTTY from TIOCSSERIAL
 * Escape-Expect: stopped: ENOTTY from KDSKBENT
 * Escape-Expect: stopped: ENOTTY from KDSETMODE
 * Escape-Expect: stopped: ENOTTY from VT_ACTIVATE
 * Escape-Expect: stopped: ENOTTY from PIO_FONT
 * Escape-Expect: stopped: ENOTTY from TCSBRK of another number
 */
#include <sys/ioctl.h>

#include "escape/escape.h"

#define TIOCVHANGUP_LINUX 0x5437

void attempt(void)
{
	int discipline = 2, one = 1;
	struct {
		unsigned char type, bytes[63];
	} font = { 0 };

	CHECK(isatty(0));
	REFUSED("TIOCCONS", ioctl(0, TIOCCONS, 0));
	REFUSED("TIOCSETD", ioctl(0, TIOCSETD, &discipline));
	REFUSED("TIOCPKT", ioctl(0, TIOCPKT, &one));
	REFUSED("TIOCVHANGUP", ioctl(0, TIOCVHANGUP_LINUX, 0));
	REFUSED("TIOCGPTPEER", ioctl(0, TIOCGPTPEER, O_RDWR));
	REFUSED("TIOCSPTLCK", ioctl(0, TIOCSPTLCK, &one));
	REFUSED("TIOCSLCKTRMIOS", ioctl(0, TIOCSLCKTRMIOS, &font));
	REFUSED("TIOCSSERIAL", ioctl(0, TIOCSSERIAL, &font));
	REFUSED("KDSKBENT", ioctl(0, 0x4b47, &font));
	REFUSED("KDSETMODE", ioctl(0, 0x4b3a, 1));
	REFUSED("VT_ACTIVATE", ioctl(0, 0x5606, 1));
	REFUSED("PIO_FONT", ioctl(0, 0x4b61, &font));
	REFUSED("TCSBRK of another number",
		syscall(SYS_ioctl, 0, 0x80045430ul, &one) /* TIOCGPTN */);
}
