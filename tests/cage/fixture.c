/* SPDX-License-Identifier: Apache-2.0 */
#include "cage/fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <grp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"

#define USER_ID 54321u

const char *caller_name(enum caller caller)
{
	static const char *const names[] = { "self", "user", "namespace" };

	return names[caller];
}

static void in_dir(const struct host *h, char path[96], const char *name)
{
	snprintf(path, 96, "%s/%s", h->dir, name);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	ASSERT_GE(fd, 0);
	ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void make_files(struct host *h)
{
	char path[96];

	strcpy(h->dir, "/tmp/cage-test-XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(h->dir));
	in_dir(h, path, "ro");
	ASSERT_OK(mkdir(path, 0700));
	in_dir(h, h->rw, "rw");
	ASSERT_OK(mkdir(h->rw, 0700));
	in_dir(h, h->secret, "ro/secret");
	ASSERT_OK(mkdir(h->secret, 0700));
	in_dir(h, path, "ro/secret/key");
	write_file(path, "secret");
	in_dir(h, h->hidden, "ro/hidden");
	write_file(h->hidden, "hidden");
	in_dir(h, h->absent, "ro/absent");
	in_dir(h, h->mine, "ro/mine");
	write_file(h->mine, "mine");
	in_dir(h, path, "rw/old");
	write_file(path, "old");
	in_dir(h, path, "ro/zero");
	if (h->root)
		ASSERT_OK(mknod(path, S_IFCHR | 0666, makedev(1, 5)));
	h->hide[0] = h->secret;
	h->hide[1] = h->hidden;
	h->hide[2] = h->absent;
}

static void chown_files(const struct host *h, uid_t uid)
{
	static const char *const names[] = {
		"",           "/ro",      "/rw",    "/ro/secret", "/ro/secret/key",
		"/ro/hidden", "/ro/mine", "/rw/old"
	};
	char path[96];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s%s", h->dir, names[i]);
		ASSERT_OK(chown(path, uid, uid));
	}
}

static socklen_t abstract_name(const struct host *h, struct sockaddr_un *name)
{
	memset(name, 0, sizeof(*name));
	name->sun_family = AF_UNIX;
	strcpy(name->sun_path + 1, h->socket);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(h->socket));
}

static void make_objects(struct host *h)
{
	static int number;
	struct sockaddr_un name;
	socklen_t len;

	snprintf(h->socket, sizeof(h->socket), "cage-test-%d-%d", getpid(), number++);
	len = abstract_name(h, &name);
	h->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ASSERT_OK(bind(h->listener, (struct sockaddr *)&name, len));
	ASSERT_OK(listen(h->listener, 8));
	h->shm = shmget(IPC_PRIVATE, 4096, 0666 | IPC_CREAT);
	ASSERT_GE(h->shm, 0);
	h->victim = fork();
	if (h->victim == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	ASSERT_GT(h->victim, 0);
}

struct host *host_new(enum caller caller)
{
	struct host *h = calloc(1, sizeof(*h));

	ASSERT_NOT_NULL(h);
	h->root = geteuid() == 0;
	if (caller == CALLER_USER && !h->root)
		test_skip("already an ordinary user: see the case for the caller itself");
	h->uid = caller == CALLER_USER ? USER_ID : geteuid();
	h->cage = mmap(NULL, sizeof(*h->cage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	ASSERT_TRUE(h->cage != MAP_FAILED);
	make_files(h);
	make_objects(h);
	if (caller == CALLER_USER)
		chown_files(h, USER_ID);
	h->views[VIEW_ROOT] =
		(struct cage_view){ .path = "/", .hidden = h->hide, .hidden_count = 3 };
	h->views[VIEW_RW] = (struct cage_view){ .path = h->rw, .writable = true };
	h->views[VIEW_FILE] = (struct cage_view){ .path = h->mine };
	return h;
}

void host_free(struct host *h)
{
	char command[128];

	kill(h->victim, SIGKILL);
	waitpid(h->victim, NULL, 0);
	shmctl(h->shm, IPC_RMID, NULL);
	close(h->listener);
	munmap(h->cage, sizeof(*h->cage));
	snprintf(command, sizeof(command), "rm -rf -- '%s'", h->dir);
	EXPECT_EQ(system(command), 0); /* a directory of ours: mkdtemp() */
	free(h);
}

static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	if (fd < 0)
		return -1;
	r = write(fd, text, strlen(text)) < 0 ? -1 : 0;
	close(fd);
	return r;
}

static int enter_namespace(void)
{
	char map[40];
	uid_t uid = geteuid();
	gid_t gid = getegid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 ||
	    write_text("/proc/self/setgroups", "deny") < 0)
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", gid);
	if (write_text("/proc/self/gid_map", map) < 0)
		return -1;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	return write_text("/proc/self/uid_map", map);
}

int become(const struct host *h, enum caller caller)
{
	switch (caller) {
	case CALLER_USER:
		if (setgroups(0, NULL) < 0 || setresgid(USER_ID, USER_ID, USER_ID) < 0 ||
		    setresuid(USER_ID, USER_ID, USER_ID) < 0)
			return -1;
		/* As after an execve(2): else /proc/self is not the user's. */
		return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	case CALLER_NAMESPACE:
		return enter_namespace();
	default:
		return 0;
	}
}

static int deny(int call)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), call, 0) : -ENOMEM;

	/* Without no_new_privs where that is possible: it is one of the walls. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, geteuid() != 0);
	if (r == 0)
		r = seccomp_load(ctx);
	seccomp_release(ctx);
	return r;
}

/* What only the child can have: a key in its session, a descriptor. */
static void make_childs_objects(struct host *h)
{
	gid_t group = 4321;

	if (geteuid() == 0)
		(void)setgroups(1, &group);
	h->key = -1;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0)
		h->key = syscall(SYS_add_key, "user", "cage-test", "key", 3,
				 KEY_SPEC_SESSION_KEYRING);
	h->early = open(h->mine, O_RDONLY | O_CLOEXEC);
}

struct childs_result {
	int r;
	struct rf_error err;
};

int host_trial(struct host *h, enum caller caller, enum rf_isolation isolation,
	       cage_inside_fn *inside, void *arg, struct rf_error *err)
{
	struct childs_result *result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status, r;
	pid_t pid;

	ASSERT_TRUE(result != MAP_FAILED);
	result->r = -ECHILD;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (become(h, caller) < 0)
			_exit(1);
		make_childs_objects(h);
		if (h->denied_call && deny(h->denied_call) < 0)
			_exit(1);
		cage_init(h->cage, isolation);
		result->r = cage_trial(h->cage, h->views, VIEWS, inside, arg, &result->err);
		_exit(0);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	if (status != 0)
		test_skip("this host gives no user namespace to start from");
	r = result->r;
	if (err)
		*err = result->err;
	munmap(result, sizeof(*result));
	return r;
}

int host_bare(struct host *h, enum caller caller, cage_inside_fn *inside, void *arg)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (become(h, caller) < 0)
			_exit(127);
		make_childs_objects(h);
		cage_init(h->cage, RF_ISOLATION_NONE);
		if (cage_views(h->cage, h->views, VIEWS, NULL) < 0)
			_exit(126);
		_exit(inside(h->cage, h->views, arg));
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	ASSERT_TRUE(WIFEXITED(status));
	return WEXITSTATUS(status);
}
