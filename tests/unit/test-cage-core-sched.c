/* SPDX-License-Identifier: Apache-2.0 */
#include "cage/core_sched.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/test.h"

static void *cookie_of_thread(void *ret)
{
	if (core_sched_cookie(ret) < 0)
		*(u64 *)ret = 0;
	return NULL;
}

/* 0: a cookie of its own, which a thread made later has too. */
static int enter_in_child(void)
{
	u64 before = 0, mine = 0, threads = 0;
	pthread_t thread;

	if (core_sched_cookie(&before) < 0 || core_sched_enter(NULL) < 0 ||
	    core_sched_cookie(&mine) < 0)
		return 1;
	if (!mine || mine == before)
		return 2;
	if (pthread_create(&thread, NULL, cookie_of_thread, &threads) || pthread_join(thread, NULL))
		return 3;
	return threads == mine ? 0 : 4;
}

TEST(process_gets_a_cookie_or_is_told_why_not)
{
	struct rf_error err = { 0 }, again = { 0 };
	int r = core_sched_available(&err), status;
	pid_t pid;

	if (r < 0) {
		EXPECT_TRUE(r == -EOPNOTSUPP || r == -ENODEV);
		EXPECT_NOT_NULL(strstr(err.text, "no core scheduling"));
		EXPECT_EQ(core_sched_enter(&again), r);
		EXPECT_STR_EQ(again.text, err.text);
		test_note("refused: %s", err.text);
		return;
	}
	pid = fork();
	ASSERT_GE(pid, 0);
	if (pid == 0)
		_exit(enter_in_child());
	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	EXPECT_EQ(status, 0);
}
