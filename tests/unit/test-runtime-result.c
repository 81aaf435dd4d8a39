/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor leaves is checked before it is believed; its end is explained when it leaves nothing. Messages between processes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"
#include "monitor/channel.h"
#include "runtime/descriptors.h"
#include "runtime/sandbox.h"

static struct sandbox_shared page;
static struct rf_result result;
static struct rf_error err;

/* result_take() on a page with this; its return value. */
static int take(s32 error, enum rf_failure failure, int exit_code, int signo)
{
	struct sandbox s = { .shared = &page, .ended = true };

	memset(&err, 0, sizeof(err));
	memset(&result, 0, sizeof(result));
	result.platform = "kvm";
	result.residency = RF_RESIDENCY_HOST;
	page.finished = 1;
	page.error = error;
	page.result = (struct rf_result){ .failure = failure,
					  .exit_code = exit_code,
					  .signal = signo,
					  .platform = (const char *)8,
					  .residency = (enum rf_residency)77 };
	return result_take(&s, &result, &err);
}

TEST(results_are_taken)
{
	EXPECT_EQ(take(0, RF_FAILURE_NONE, 255, 0), 0);
	EXPECT_EQ(result.exit_code, 255);
	EXPECT_EQ(take(0, RF_FAILURE_NONE, 0, 64), 0);
	EXPECT_EQ(result.signal, 64);
	strcpy(page.message, "no such thing");
	EXPECT_EQ(take(-ENOENT, RF_FAILURE_SETUP, 0, 0), -ENOENT);
	EXPECT_EQ(result.failure, RF_FAILURE_SETUP);
	EXPECT_EQ(err.code, -ENOENT);
	EXPECT_EQ(strcmp(err.text, "no such thing"), 0);
	/* What the caller knows by itself is not asked of the monitor. */
	EXPECT_EQ(strcmp(result.platform, "kvm"), 0);
	EXPECT_EQ(result.residency, RF_RESIDENCY_HOST);
}

TEST(senseless_results_are_refused)
{
	static const struct {
		s32 error;
		int failure, exit_code, signo;
	} cases[] = {
		{ 1, RF_FAILURE_NONE, 0, 0 },
		{ -4096, RF_FAILURE_SETUP, 0, 0 },
		{ INT32_MIN, RF_FAILURE_SETUP, 0, 0 },
		{ 0, RF_FAILURE_SETUP, 0, 0 },
		{ -EIO, RF_FAILURE_NONE, 0, 0 },
		{ -EIO, -1, 0, 0 },
		{ -EIO, RF_FAILURE_PANIC + 1000, 0, 0 },
		{ 0, RF_FAILURE_NONE, 256, 0 },
		{ 0, RF_FAILURE_NONE, -1, 0 },
		{ 0, RF_FAILURE_NONE, 0, 65 },
		{ 0, RF_FAILURE_NONE, 0, -1 },
		{ 0, RF_FAILURE_NONE, 1, 9 },
		{ -EIO, RF_FAILURE_SETUP, 3, 0 },
		{ -EIO, RF_FAILURE_PANIC, 0, 9 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		EXPECT_EQ(take(cases[i].error, (enum rf_failure)cases[i].failure,
			       cases[i].exit_code, cases[i].signo),
			  -EIO);
		EXPECT_EQ(result.failure, RF_FAILURE_INTERNAL);
		EXPECT_EQ(result.exit_code, 0);
		EXPECT_EQ(result.signal, 0);
	}
}

TEST(messages_are_bounded_and_plain)
{
	memset(page.message, 'x', sizeof(page.message));
	memcpy(page.message, "\033]0;title\007\n\177", 12);
	EXPECT_EQ(take(-EIO, RF_FAILURE_INTERNAL, 0, 0), -EIO);
	EXPECT_EQ(strlen(err.text), RF_ERROR_MAX - 1);
	EXPECT_EQ(strncmp(err.text, "?]0;title???x", 13), 0);
}

static int take_end(int wait_status, bool ended, int end_signal)
{
	struct sandbox s = { .shared = &page,
			     .ended = ended,
			     .wait_status = wait_status,
			     .end_signal = end_signal,
			     .oom_kills = result_oom_kills() };

	memset(&page, 0, sizeof(page));
	memset(&result, 0, sizeof(result));
	memset(&err, 0, sizeof(err));
	return result_take(&s, &result, &err);
}

TEST(ends_without_a_result_are_explained)
{
	EXPECT_EQ(take_end(SIGSYS, true, 0), -EIO);
	EXPECT_EQ(result.failure, RF_FAILURE_INTERNAL);
	EXPECT_EQ(strstr(err.text, "seccomp") != NULL, true);
	EXPECT_LT(take_end(SIGKILL, true, 0), 0);
	EXPECT_EQ(strstr(err.text, "SIGKILL") != NULL, true);
	EXPECT_EQ(take_end(SIGSEGV, true, 0), -EIO);
	EXPECT_EQ(strstr(err.text, "signal 11") != NULL, true);
	EXPECT_EQ(take_end(207 << 8, true, 0), -EIO);
	EXPECT_EQ(result.failure, RF_FAILURE_PANIC);
	EXPECT_EQ(take_end(0, true, 0), -EIO);
	EXPECT_EQ(result.failure, RF_FAILURE_INTERNAL);
	EXPECT_EQ(take_end(0, false, 0), -EIO);
	EXPECT_EQ(strstr(err.text, "guardian") != NULL, true);
	EXPECT_EQ(take_end(SIGKILL, true, SIGTERM), 0);
	EXPECT_EQ(result.signal, SIGTERM);
}

TEST(channel_takes_only_whole_messages)
{
	struct channel_message message;
	char longer[64] = { 0 };
	int pair[2];

	ASSERT_EQ(channel_pair(pair), 0);
	EXPECT_GT(pair[0], 2);
	EXPECT_GT(pair[1], 2);
	EXPECT_EQ(channel_receive(pair[0], &message), -EAGAIN);
	EXPECT_EQ(channel_send(pair[1], CHANNEL_SIGNAL, 15), 0);
	EXPECT_EQ(channel_receive(pair[0], &message), 1);
	EXPECT_EQ(message.type, CHANNEL_SIGNAL);
	EXPECT_EQ(message.value, 15);
	EXPECT_EQ(send(pair[1], longer, 3, 0), 3);
	EXPECT_EQ(channel_receive(pair[0], &message), -EPROTO);
	EXPECT_EQ(send(pair[1], longer, sizeof(longer), 0), sizeof(longer));
	EXPECT_EQ(channel_receive(pair[0], &message), -EPROTO);
	while (channel_send(pair[1], CHANNEL_STOP, 0) == 0)
		;
	EXPECT_EQ(channel_send(pair[1], CHANNEL_STOP, 0), -EAGAIN);
	close(pair[1]);
	while (channel_receive(pair[0], &message) == 1)
		;
	EXPECT_EQ(channel_receive(pair[0], &message), 0);
	EXPECT_EQ(channel_send(pair[0], CHANNEL_SIGNAL, 1), -EPIPE);
	close(pair[0]);
}

/* A descriptor sent along with a message does not arrive. */
TEST(channel_takes_no_descriptors)
{
	struct channel_message message = { CHANNEL_STOP, 0 };
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec iov = { &message, sizeof(message) };
	struct msghdr h = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.space,
			    .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	int pair[2], lowest, after;

	ASSERT_EQ(channel_pair(pair), 0);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &pair[0], sizeof(int));
	lowest = dup(0);
	close(lowest);
	ASSERT_EQ(sendmsg(pair[1], &h, 0), sizeof(message));
	EXPECT_EQ(channel_receive(pair[0], &message), 1);
	after = dup(0);
	EXPECT_EQ(after, lowest);
	close(after);
	close(pair[0]);
	close(pair[1]);
}

TEST(descriptors_close_but_those_to_keep)
{
	/* In a child: the harness has descriptors of its own. */
	int a = fcntl(0, F_DUPFD, 20), b = fcntl(0, F_DUPFD, 40), c = fcntl(0, F_DUPFD, 60);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int keep[] = { b, 2, -1, 0, 1, b };

		descriptors_close_but(keep, 6);
		_exit((fcntl(a, F_GETFD) < 0) | (fcntl(b, F_GETFD) >= 0) << 1 |
		      (fcntl(c, F_GETFD) < 0) << 2 | (fcntl(2, F_GETFD) >= 0) << 3);
	}
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(WEXITSTATUS(status), 15);
	close(a);
	close(b);
	close(c);
}
