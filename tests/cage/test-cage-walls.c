/* SPDX-License-Identifier: Apache-2.0 */
/* Every wall of the cage from the inside, for each kind of caller; and that each check fails where there is no cage. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cage/fixture.h"
#include "harness/test.h"

struct inside {
	const struct host *h;
	const struct cage *c;
	const struct cage_view *v;
};

/* ---- who it is ---- */

static bool no_capabilities(const struct inside *in)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct d[2];

	if (syscall(SYS_capget, &header, d) < 0)
		return false;
	for (int i = 0; i < 2; i++)
		if (d[i].effective || d[i].permitted || d[i].inheritable)
			return false;
	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) ||
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0))
			return false;
	return true;
}

static bool no_new_privs(const struct inside *in)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool is_nobody(const struct inside *in)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	return getresuid(&r, &e, &s) == 0 && getresgid(&gr, &ge, &gs) == 0 && r && r == e &&
	       e == s && gr && gr == ge && ge == gs;
}

static bool has_no_groups(const struct inside *in)
{
	return getgroups(0, NULL) == 0;
}

static bool no_way_back_to_the_caller(const struct inside *in)
{
	return setresuid((uid_t)-1, in->c->uid, (uid_t)-1) < 0 &&
	       setresgid((gid_t)-1, in->c->gid, (gid_t)-1) < 0 && setgroups(0, NULL) < 0;
}

static bool keeps_the_rights_of_an_owner(const struct inside *in)
{
	int fd = openat(in->v[VIEW_RW].fd, "new", O_RDWR | O_CREAT | O_EXCL, 0600);
	struct stat st = { 0 };
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == in->c->uid &&
		  fchmod(fd, 0640) == 0 && unlinkat(in->v[VIEW_RW].fd, "new", 0) == 0;

	close(fd);
	return ok;
}

static bool leaves_no_core(const struct inside *in)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_CORE, &limit) == 0 && !limit.rlim_max &&
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/* ---- files ---- */

static bool root_is_empty_and_read_only(const struct inside *in)
{
	DIR *d = opendir("/");
	struct stat st;
	int n = 0;

	while (d && readdir(d) != NULL)
		n++;
	if (d)
		closedir(d);
	/* Landlock forbids to list it. */
	if (d ? n != 2 : errno != EACCES || !cage_has(in->c, CAGE_LANDLOCK))
		return false;
	return stat("/", &st) == 0 && st.st_nlink == 2 && mkdir("/x", 0700) < 0 && errno == EROFS;
}

static bool is_in_the_root_directory(const struct inside *in)
{
	char path[64];

	return getcwd(path, sizeof(path)) && strcmp(path, "/") == 0;
}

static bool paths_name_nothing(const struct inside *in)
{
	static const char *const paths[] = { "/proc",     "/proc/self", "/etc",        "/dev",
					     "/tmp",      "/bin/sh",    "/etc/passwd", "/..//etc",
					     "../../etc", "/views",     "/fd" };

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		if (open(paths[i], O_PATH) >= 0 || errno != ENOENT)
			return false;
	return true;
}

/* Only what mounts.c makes; Landlock forbids to list it. */
static bool is_base(const struct inside *in, int dir)
{
	static const char *const names[] = { "empty", "void", "fd", "views", "views/0", "views/2" };
	int list = openat(dir, ".", O_RDONLY | O_DIRECTORY);
	DIR *d = fdopendir(list);
	int n = 0;

	while (d && readdir(d) != NULL)
		n++;
	if (d)
		closedir(d);
	else if (!cage_has(in->c, CAGE_LANDLOCK))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (openat(dir, names[i], O_PATH) < 0)
			return false;
	return !d || n == 6;
}

static bool dots_end_in_the_base(const struct inside *in, int fd)
{
	for (int i = 0; i < 40; i++) {
		int up = openat(fd, "..", O_PATH | O_DIRECTORY);

		if (up < 0)
			return false;
		fd = up;
	}
	return is_base(in, fd) && openat(fd, "etc", O_PATH) < 0 && openat(fd, "proc", O_PATH) < 0;
}

static bool handles_lead_nowhere_else(const struct inside *in)
{
	return dots_end_in_the_base(in, in->v[VIEW_ROOT].fd) &&
	       dots_end_in_the_base(in, in->v[VIEW_RW].fd) && dots_end_in_the_base(in, in->c->proc);
}

static bool proc_handle_opens_again(const struct inside *in)
{
	char name[16], text[8] = "";
	int path = openat(in->v[VIEW_ROOT].fd, in->h->mine + 1, O_PATH), fd;

	snprintf(name, sizeof(name), "%d", path);
	fd = openat(in->c->proc, name, O_RDONLY);
	return fd >= 0 && read(fd, text, sizeof(text)) == 4 && memcmp(text, "mine", 4) == 0;
}

static bool hidden_paths_are_empty(const struct inside *in)
{
	char path[128];
	int root = in->v[VIEW_ROOT].fd;
	struct stat st;

	snprintf(path, sizeof(path), "%s/key", in->h->secret + 1);
	if (openat(root, path, O_RDONLY) >= 0 || errno != ENOENT)
		return false;
	if (fstatat(root, in->h->secret + 1, &st, 0) < 0 || !S_ISDIR(st.st_mode))
		return false;
	return fstatat(root, in->h->hidden + 1, &st, 0) == 0 && st.st_size == 0 &&
	       unlinkat(root, in->h->hidden + 1, 0) < 0;
}

static bool views_are_read_only(const struct inside *in)
{
	int root = in->v[VIEW_ROOT].fd;
	char name[16], path[128];
	bool ok;

	ok = openat(root, in->h->mine + 1, O_WRONLY) < 0 && errno == EROFS;
	ok = ok && unlinkat(root, in->h->mine + 1, 0) < 0 && errno == EROFS;
	ok = ok && fchmodat(root, in->h->mine + 1, 0600, 0) < 0 && errno == EROFS;
	snprintf(path, sizeof(path), "%s/x", in->h->dir + 1);
	ok = ok && mkdirat(root, path, 0700) < 0 && errno == EROFS;
	snprintf(name, sizeof(name), "%d", in->v[VIEW_FILE].fd);
	ok = ok && openat(in->c->proc, name, O_WRONLY) < 0 && (errno == EROFS || errno == EACCES);
	/* What is writable through one view is not through another. */
	snprintf(path, sizeof(path), "%s/old", in->h->rw + 1);
	ok = ok && openat(root, path, O_WRONLY) < 0 && errno == EROFS;
	return ok && openat(in->v[VIEW_RW].fd, "old", O_WRONLY) >= 0;
}

static bool views_are_inert(const struct inside *in)
{
	const unsigned long want = ST_NOSUID | ST_NODEV | ST_NOEXEC;
	struct statvfs st;

	for (int i = 0; i < VIEWS; i++)
		if (fstatvfs(in->v[i].fd, &st) < 0 || (st.f_flag & want) != want)
			return false;
	return true;
}

static bool devices_do_not_open(const struct inside *in)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/ro/zero", in->h->dir + 1);
	return openat(in->v[VIEW_ROOT].fd, path, O_RDONLY) < 0 && errno == EACCES;
}

static bool programs_do_not_start(const struct inside *in)
{
	int fd = openat(in->v[VIEW_ROOT].fd, "bin/true", O_RDONLY);
	char *const argv[] = { (char *)"true", NULL };
	void *p;

	if (fd < 0)
		return false;
	p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (p != MAP_FAILED || errno != EPERM)
		return false;
	syscall(SYS_execveat, fd, "", argv, NULL, AT_EMPTY_PATH);
	return errno == EACCES;
}

/* A descriptor for reading is not a way to writing: only Landlock stops that. */
static bool descriptors_do_not_gain_rights(const struct inside *in)
{
	char name[16];

	snprintf(name, sizeof(name), "%d", in->h->early);
	return openat(in->c->proc, name, O_RDWR) < 0 && errno == EACCES;
}

static bool mounts_stay(const struct inside *in)
{
	/* Nothing that would change anything where it is allowed: it runs without a cage too. */
	return fsopen("tmpfs", FSOPEN_CLOEXEC) < 0 && errno == EPERM &&
	       open_tree(in->v[VIEW_ROOT].fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE) < 0 &&
	       errno == EPERM && unshare(CLONE_NEWUSER) < 0 && unshare(CLONE_NEWNS) < 0;
}

/* ---- everything else ---- */

static bool no_interface_is_up(const struct inside *in)
{
	struct if_nameindex *list = if_nameindex();
	struct ifreq r = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (!list || list[0].if_index == 0 || strcmp(list[0].if_name, "lo") != 0 ||
	    list[1].if_index != 0)
		return false;
	return ioctl(fd, SIOCGIFFLAGS, &r) == 0 && !(r.ifr_flags & IFF_UP);
}

static bool abstract_sockets_are_out_of_reach(const struct inside *in)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(name.sun_path + 1, in->h->socket);
	return connect(fd, (struct sockaddr *)&name,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				   strlen(in->h->socket))) < 0;
}

static bool shared_memory_is_out_of_reach(const struct inside *in)
{
	return shmat(in->h->shm, NULL, SHM_RDONLY) == (void *)-1;
}

static bool is_process_1(const struct inside *in)
{
	return getpid() == 1 && getppid() == 0;
}

static bool no_process_can_be_named(const struct inside *in)
{
	char byte;
	struct iovec v = { &byte, 1 };

	return kill(in->h->victim, 0) < 0 && errno == ESRCH && kill(-1, 0) < 0 &&
	       syscall(SYS_pidfd_open, in->h->victim, 0) < 0 &&
	       process_vm_readv(in->h->victim, &v, 1, &v, 1, 0) < 0 && errno == ESRCH;
}

static bool host_name_is_hidden(const struct inside *in)
{
	struct utsname u;

	return uname(&u) == 0 && strcmp(u.nodename, "ringfence") == 0;
}

static bool keys_are_out_of_reach(const struct inside *in)
{
	char text[8];

	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "cage-test",
		       0) < 0 &&
	       syscall(SYS_keyctl, KEYCTL_READ, in->h->key, text, sizeof(text)) < 0;
}

#define ROOT_ONLY 1u /* for ordinary callers it holds without a cage, or cannot be had */
#define ANYWHERE  2u /* a right that is kept: holds without a cage too */
#define LANDLOCK  4u
#define KEYS      8u
#define NOT_NS    16u /* not for root of a namespace with one id, who can be nobody else */

static const struct {
	const char *name;
	bool (*holds)(const struct inside *in);
	unsigned int flags;
} checks[] = {
	{ "no capabilities", no_capabilities, 0 },
	{ "no new privileges", no_new_privs, 0 },
	{ "is nobody", is_nobody, ROOT_ONLY | NOT_NS },
	{ "has no groups", has_no_groups, ROOT_ONLY | NOT_NS },
	{ "no way back to the caller", no_way_back_to_the_caller, ROOT_ONLY | NOT_NS },
	{ "keeps the rights of an owner", keeps_the_rights_of_an_owner, ANYWHERE },
	{ "leaves no core", leaves_no_core, 0 },
	{ "root is empty and read-only", root_is_empty_and_read_only, 0 },
	{ "is in the root directory", is_in_the_root_directory, 0 },
	{ "paths name nothing", paths_name_nothing, 0 },
	{ "handles lead nowhere else", handles_lead_nowhere_else, 0 },
	{ "proc handle opens again", proc_handle_opens_again, ANYWHERE },
	{ "hidden paths are empty", hidden_paths_are_empty, 0 },
	{ "views are read-only", views_are_read_only, 0 },
	{ "views are inert", views_are_inert, 0 },
	{ "devices do not open", devices_do_not_open, ROOT_ONLY | NOT_NS },
	{ "programs do not start", programs_do_not_start, 0 },
	{ "descriptors do not gain rights", descriptors_do_not_gain_rights, LANDLOCK },
	{ "mounts stay", mounts_stay, 0 },
	{ "no interface is up", no_interface_is_up, 0 },
	{ "abstract sockets are out of reach", abstract_sockets_are_out_of_reach, 0 },
	{ "shared memory is out of reach", shared_memory_is_out_of_reach, 0 },
	{ "is process 1", is_process_1, 0 },
	{ "no process can be named", no_process_can_be_named, 0 },
	{ "host name is hidden", host_name_is_hidden, 0 },
	{ "keys are out of reach", keys_are_out_of_reach, KEYS },
};

struct one {
	const struct host *h;
	size_t number;
};

static int check_inside(struct cage *c, struct cage_view *v, void *arg)
{
	const struct one *o = arg;
	struct inside in = { o->h, c, v };

	return checks[o->number].holds(&in) ? 1 : 0;
}

static bool applies(const struct host *h, enum caller caller, size_t i)
{
	unsigned int flags = checks[i].flags;

	if ((flags & ROOT_ONLY) && (!h->root || caller == CALLER_USER))
		return false;
	if ((flags & NOT_NS) && caller == CALLER_NAMESPACE)
		return false;
	return !(flags & LANDLOCK) || cage_has(h->cage, CAGE_LANDLOCK);
}

/* In the cage it holds; without it, it must not, or the check would show nothing. */
static void try_check(struct host *h, enum caller caller, size_t i)
{
	struct one o = { h, i };
	struct rf_error err = { 0 };
	int r = host_trial(h, caller, RF_ISOLATION_FULL, check_inside, &o, &err);
	int bare;

	if (r < 0)
		test_note("no cage: %s", err.text);
	ASSERT_GE(r, 0);
	if (!applies(h, caller, i))
		return;
	if (r != 1)
		test_note("does not hold in the cage: %s", checks[i].name);
	EXPECT_EQ(r, 1);
	if (checks[i].flags & ANYWHERE)
		return;
	bare = host_bare(h, caller, check_inside, &o);
	if (bare != 0)
		test_note("holds without a cage, so it shows nothing: %s", checks[i].name);
	EXPECT_EQ(bare, 0);
}

static void try_all(enum caller caller, int denied_call)
{
	struct host *h = host_new(caller);

	h->denied_call = denied_call;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		try_check(h, caller, i);
	host_free(h);
}

TEST(walls_hold_for_the_caller)
{
	try_all(CALLER_SELF, 0);
}

TEST(walls_hold_for_an_ordinary_user)
{
	try_all(CALLER_USER, 0);
}

TEST(walls_hold_inside_a_container_without_privileges)
{
	try_all(CALLER_NAMESPACE, 0);
}

TEST(walls_hold_without_landlock)
{
	try_all(CALLER_SELF, SYS_landlock_create_ruleset);
}
