/* SPDX-License-Identifier: Apache-2.0 */
/* Inside only: no key, interface, socket, device or process of the host; /tmp is fresh; what hides stays. */
#include <dirent.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/un.h>

#include "guest/inside.h"

static int entries(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	int n = 0;

	CHECK(d != NULL);
	while ((e = readdir(d)))
		n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
	closedir(d);
	return n;
}

static void no_keys(void)
{
	FAILS(syscall(SYS_add_key, "user", "name", "x", 1, -3), ENOSYS);
	FAILS(syscall(SYS_request_key, "user", "name", NULL, 0), ENOSYS);
	FAILS(syscall(SYS_keyctl, 0, -3, 0), ENOSYS);
}

static void no_host_files_in_proc(void)
{
	static const char *const names[] = {
		"/proc/keys",      "/proc/key-users",   "/proc/kallsyms",      "/proc/kcore",
		"/proc/kmsg",      "/proc/net",         "/proc/iomem",         "/proc/interrupts",
		"/proc/config.gz", "/proc/sched_debug", "/proc/sysrq-trigger", "/proc/timer_list",
		"/proc/bus",       "/proc/acpi",        "/proc/driver",        "/proc/scsi"
	};
	struct sysinfo info;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		FAILS(access(names[i], F_OK), ENOENT);
	CHECK_EQ(entries("/sys"), 0);
	CHECK(sysinfo(&info) == 0);
	CHECK(info.uptime < 3600);
	CHECK(getppid() < 10);
}

static void no_interfaces(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ifconf conf = { 0 };
	int s;

	CHECK(socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE) < 0);
	CHECK(socket(AF_PACKET, SOCK_RAW, 0) < 0);
	s = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(s >= 0);
	CHECK(ioctl(s, SIOCGIFCONF, &conf) < 0 || conf.ifc_len == 0);
	/* X11, systemd: abstract names that many hosts have. */
	strcpy(a.sun_path + 1, "/tmp/.X11-unix/X0");
	FAILS(connect(s, (struct sockaddr *)&a,
		      offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a.sun_path + 1)),
	      ECONNREFUSED);
	strcpy(a.sun_path, "/run/systemd/private");
	FAILS(connect(s, (struct sockaddr *)&a, sizeof(a)), ENOENT);
	close(s);
}

static void no_devices(void)
{
	static const char *const names[] = { "/dev/kvm", "/dev/mem",  "/dev/sda",
					     "/dev/vda", "/dev/kmsg", "/dev/net" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		FAILS(access(names[i], F_OK), ENOENT);
}

/* Neither mounting the root a second time nor taking mounts away shows what the host has in hidden places. */
static void no_way_around(void)
{
	if (geteuid() != 0)
		return;
	CHECK(mkdir("/tmp/again", 0700) == 0);
	/* mount_namespaces(7): the mounts of the start are locked. */
	FAILS(mount("/", "/tmp/again", NULL, MS_BIND, NULL), EINVAL);
	FAILS(mount("/", "/tmp/again", NULL, MS_BIND | MS_REC, NULL), EINVAL);
	FAILS(umount2("/proc", MNT_DETACH), EINVAL);
	CHECK(entries("/proc") > 0);
	CHECK(mount("/etc", "/tmp/again", NULL, MS_BIND, NULL) == 0);
	FAILS(access("/tmp/again/shadow", F_OK), ENOENT);
	CHECK(umount2("/tmp/again", MNT_DETACH) == 0);
}

static void tmp_is_fresh(void)
{
	static const char *const names[] = { "/tmp", "/var/tmp", "/dev/shm" };
	struct stat st;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(stat(names[i], &st) == 0);
		CHECK_EQ(st.st_mode, S_IFDIR | 01777);
	}
	CHECK_EQ(entries("/var/tmp"), 0);
	CHECK_EQ(entries("/dev/shm"), 0);
}

int main(void)
{
	inside_only();
	tmp_is_fresh();
	no_keys();
	no_host_files_in_proc();
	no_interfaces();
	no_devices();
	no_way_around();
	return 0;
}
