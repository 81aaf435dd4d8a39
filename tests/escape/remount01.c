/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes read-only binds writable by remounting, and by binding them again.
 * Stopped by: what the sandbox was started with keeps its read-only flag, and a bind of it inherits it.
 * Escape-Expect: stopped: EPERM from remount of a read-only bind
 * Escape-Expect: stopped: EROFS from shelf/text
 * Escape-Expect: stopped: EPERM from remount of the superblock
 * Escape-Expect: stopped: EROFS from shelf/text
 * Escape-Expect: stopped: EROFS from a second bind
 * Escape-Expect: stopped: EPERM from remount of a second bind
 * Escape-Expect: stopped: EROFS from a second bind
 * Escape-Expect: stopped: EPERM from remount of a cover
 * Escape-Expect: stopped: EROFS from a cover
 */
#include <sys/mount.h>

#include "escape/escape.h"

void attempt(void)
{
	REFUSED("remount of a read-only bind",
		mount(NULL, base_path("shelf"), NULL, MS_REMOUNT | MS_BIND, NULL));
	try_write("shelf/text", base_path("shelf/text"), 0);
	REFUSED("remount of the superblock",
		mount(NULL, base_path("shelf"), NULL, MS_REMOUNT, NULL));
	try_write("shelf/text", base_path("shelf/text"), 0);
	OK(mkdir("/again", 0755));
	OK(mount(base_path("shelf"), "/again", NULL, MS_BIND, NULL));
	try_write("a second bind", "/again/text", 0);
	REFUSED("remount of a second bind",
		mount(NULL, "/again", NULL, MS_REMOUNT | MS_BIND, NULL));
	try_write("a second bind", "/again/text", 0);
	REFUSED("remount of a cover",
		mount(NULL, base_path("secret"), NULL, MS_REMOUNT | MS_BIND, NULL));
	try_write("a cover", base_path("secret/key"), O_CREAT);
}
