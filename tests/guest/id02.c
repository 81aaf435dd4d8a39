/* SPDX-License-Identifier: Apache-2.0 */
/* root can drop its rights, and then neither regain them nor open what is root's. */
#include <grp.h>

#include "guest/guest.h"

static int drop(void *arg)
{
	const gid_t groups[2] = { 1001, 1002 };
	gid_t back[4];

	OK(setgroups(2, groups));
	CHECK_EQ(getgroups(4, back), 2);
	OK(setresgid(1000, 1000, 1000));
	OK(setresuid(1000, 1000, 1000));
	say("%d %d\n", getuid(), getegid());
	FAILS(setuid(0), EPERM);
	FAILS(setresuid(0, 0, 0), EPERM);
	FAILS(setgroups(1, groups), EPERM);
	FAILS(open("secret", O_RDONLY), EACCES);
	FAILS(open("open", O_WRONLY), EACCES);
	FAILS(open("new", O_WRONLY | O_CREAT, 0644), EACCES);
	FAILS(unlink("open"), EACCES);
	FAILS(chmod("open", 0777), EPERM);
	FAILS(access("closed/file", F_OK), EACCES);
	FAILS(kill(getppid(), 0), EPERM);
	OK(open("open", O_RDONLY));
	OK(access("group", R_OK));
	return 0;
}

int main(void)
{
	if (getuid() != 0) {
		say("not root\n");
		return 0;
	}
	scratch();
	OK(chmod(".", 0755));
	write_file("secret", "");
	write_file("open", "");
	write_file("group", "");
	OK(mkdir("closed", 0700));
	write_file("closed/file", "");
	OK(chmod("secret", 0600));
	OK(chmod("group", 0640));
	OK(chown("group", 0, 1002));
	wait_ok(spawn(drop, NULL));
	return 0;
}
