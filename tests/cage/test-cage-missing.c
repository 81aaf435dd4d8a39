/* SPDX-License-Identifier: Apache-2.0 */
/* What happens when walls cannot be had, paths are wrong, or processes die. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage/fixture.h"
#include "harness/test.h"

static int nothing(struct cage *c, struct cage_view *v, void *arg)
{
	return 0;
}

/* Bits of what is left without namespaces. */
static int what_is_left(struct cage *c, struct cage_view *v, void *arg)
{
	return (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) |
	       (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0) << 1 | (geteuid() != 0) << 2 |
	       (prctl(PR_CAPBSET_READ, 0, 0, 0, 0) == 0) << 3;
}

TEST(full_isolation_is_refused_without_namespaces)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };

	h->denied_call = SYS_unshare;
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), -EPERM);
	EXPECT_TRUE(h->cage->refused);
	EXPECT_NOT_NULL(strstr(err.text, "user-namespace"));
	EXPECT_NOT_NULL(strstr(err.text, "Operation not permitted"));
	EXPECT_NOT_NULL(strstr(err.text, "--isolation=reduced"));
	EXPECT_NOT_NULL(strstr(h->cage->wall[CAGE_USER].remedy, "allow unshare"));
	host_free(h);
}

TEST(reduced_isolation_takes_what_there_is)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };
	int r;

	h->denied_call = SYS_unshare;
	r = host_trial(h, CALLER_SELF, RF_ISOLATION_REDUCED, what_is_left, NULL, &err);
	EXPECT_EQ(r, h->root ? 15 : 7);
	EXPECT_EQ(h->cage->wall[CAGE_USER].state, CAGE_MISSING);
	EXPECT_EQ(h->cage->wall[CAGE_NET].state, CAGE_MISSING);
	EXPECT_EQ(h->cage->wall[CAGE_ROOT].state, CAGE_MISSING);
	EXPECT_EQ(h->cage->wall[CAGE_NO_NEW_PRIVS].state, CAGE_STANDS);
	EXPECT_FALSE(h->cage->refused);
	host_free(h);
}

TEST(no_isolation_tries_nothing)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };

	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_NONE, what_is_left, NULL, &err),
		  h->root ? 0 : 4);
	for (int i = 0; i < CAGE_WALLS; i++)
		EXPECT_EQ(h->cage->wall[i].state, CAGE_UNTRIED);
	host_free(h);
}

TEST(old_kernels_are_refused_by_name)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };

	h->denied_call = SYS_mount_setattr;
	EXPECT_LT(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), 0);
	EXPECT_NOT_NULL(strstr(err.text, "no views"));
	host_free(h);
}

TEST(wrong_paths_are_errors_of_their_own)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };

	h->views[VIEW_RW].path = h->absent;
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), -ENOENT);
	EXPECT_FALSE(h->cage->refused);
	EXPECT_NOT_NULL(strstr(err.text, h->absent));
	h->views[VIEW_RW].path = "/dev/null";
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), -EINVAL);
	EXPECT_NOT_NULL(strstr(err.text, "only directories and regular files"));
	host_free(h);
}

/* What is hidden was found out by the path without symlinks: one that somebody puts there later must not lead elsewhere. */
TEST(views_follow_no_symlink)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };
	char link[128], below[160];

	snprintf(link, sizeof(link), "%s/link", h->rw);
	snprintf(below, sizeof(below), "%s/rw", link);
	ASSERT_OK(symlink("..", link));
	h->views[VIEW_RW].path = link;
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), -ELOOP);
	h->views[VIEW_RW].path = below;
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), -ELOOP);
	host_free(h);
}

/* Never weaker silently: what should be hidden and cannot be is an error. */
TEST(what_cannot_be_hidden_is_an_error)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };

	h->views[VIEW_RW].hidden = h->hide; /* not below it */
	h->views[VIEW_RW].hidden_count = 1;
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, nothing, NULL, &err), -EINVAL);
	EXPECT_NOT_NULL(strstr(err.text, "cannot hide"));
	host_free(h);
}

/* A symlink that leads out of the view hides nothing outside, and nothing in it. */
static int outside_is_untouched(struct cage *c, struct cage_view *v, void *arg)
{
	const struct host *h = arg;
	struct stat st;

	return fstatat(v[VIEW_ROOT].fd, h->mine + 1, &st, 0) == 0 && st.st_size == 4 ? 1 : 0;
}

TEST(hiding_follows_no_symlink_out_of_the_view)
{
	struct host *h = host_new(CALLER_SELF);
	struct rf_error err = { 0 };
	char link[128];
	const char *hide[] = { link };

	snprintf(link, sizeof(link), "%s/link", h->rw);
	ASSERT_OK(symlink("../ro/mine", link));
	h->views[VIEW_RW].hidden = hide;
	h->views[VIEW_RW].hidden_count = 1;
	EXPECT_EQ(host_trial(h, CALLER_SELF, RF_ISOLATION_FULL, outside_is_untouched, h, &err),
		  -EXDEV);
	host_free(h);
}

/* ---- ends ---- */

static int wait_forever(struct cage *c, struct cage_view *v, void *arg)
{
	const int *fd = arg;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (write(*fd, "r", 1) != 1)
		return 1;
	for (;;)
		pause();
}

/* The only child of @pid. */
static pid_t child_of(pid_t pid)
{
	char path[64], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		test_skip("this host's /proc does not list children");
	EXPECT_GT(read(fd, text, sizeof(text) - 1), 0);
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

/* The monitor has another user id than the guardian, and yet dies with it. */
TEST(monitor_dies_with_the_guardian)
{
	struct host *h = host_new(CALLER_SELF);
	int p[2];
	char byte;
	pid_t pid;

	ASSERT_OK(pipe2(p, O_CLOEXEC));
	pid = fork();
	if (pid == 0) {
		close(p[0]);
		cage_init(h->cage, RF_ISOLATION_FULL);
		/* The monitor's is the only other end when the guardian is dead: this process closes its own by dying. */
		_exit(cage_trial(h->cage, h->views, VIEWS, wait_forever, &p[1], NULL) < 0 ? 0 : 1);
	}
	close(p[1]);
	ASSERT_EQ(read(p[0], &byte, 1), 1);
	ASSERT_OK(kill(child_of(pid), SIGKILL));
	EXPECT_EQ(read(p[0], &byte, 1), 0); /* all ends are closed: all are dead */
	waitpid(pid, NULL, 0);
	close(p[0]);
	host_free(h);
}

/* Tells the tracer who it is; the tracer's answer is whether it could attach. */
static int ask_to_be_traced(struct cage *c, struct cage_view *v, void *arg)
{
	const int *fd = arg;
	char answer = 0;

	if (write(*fd, "t", 1) != 1 || read(*fd, &answer, 1) != 1)
		return 2;
	return answer;
}

static pid_t receive_pid(int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec v = { &byte, 1 };
	struct msghdr m = { .msg_iov = &v,
			    .msg_iovlen = 1,
			    .msg_control = &control,
			    .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
		return -1;
	return ((struct ucred *)(void *)CMSG_DATA(CMSG_FIRSTHDR(&m)))->pid;
}

/* By another process of the same ordinary user. */
static void trace(int fd)
{
	pid_t pid = receive_pid(fd);
	char path[64], answer = 1;

	if (pid > 0 && ptrace(PTRACE_SEIZE, pid, 0, 0) < 0 && errno == EPERM)
		answer = 0;
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (open(path, O_RDONLY) >= 0)
		answer = 1;
	if (write(fd, &answer, 1) != 1)
		_exit(1);
	_exit(0);
}

static int traced_as_user(struct host *h, enum rf_isolation isolation)
{
	int pair[2], status, on = 1;
	pid_t pid;

	ASSERT_OK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair));
	ASSERT_OK(setsockopt(pair[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	pid = fork();
	if (pid == 0) {
		if (become(h, CALLER_USER) < 0)
			_exit(1);
		trace(pair[1]);
	}
	status = host_trial(h, CALLER_USER, isolation, ask_to_be_traced, &pair[0], NULL);
	waitpid(pid, NULL, 0);
	close(pair[0]);
	close(pair[1]);
	return status;
}

TEST(monitor_cannot_be_traced_by_its_user)
{
	struct host *h = host_new(CALLER_USER);

	EXPECT_EQ(traced_as_user(h, RF_ISOLATION_FULL), 0);
	EXPECT_EQ(traced_as_user(h, RF_ISOLATION_NONE), 1); /* so the cage it was */
	host_free(h);
}
