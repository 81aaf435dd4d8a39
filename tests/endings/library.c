/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The library as another program uses it: one sandbox after another, several at a time, and a caller that is afterwards as it was.
 * Environment: RF_RESIDENCY=auto, guest or host.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ringfence/ringfence.h>

#include "harness/test.h"

extern const char kernel_image_start[], kernel_image_end[];

static const char *const environment[] = { "PATH=/usr/bin:/bin", NULL };

static void configure(struct rf_config *c)
{
	const char *residency = getenv("RF_RESIDENCY");

	rf_config_init(c);
	c->kernel = kernel_image_start;
	c->kernel_size = (size_t)(kernel_image_end - kernel_image_start);
	c->envp = environment;
	c->cpus = 2;
	if (residency && strcmp(residency, "guest") == 0)
		c->residency = RF_CHOOSE_GUEST;
	if (residency && strcmp(residency, "host") == 0)
		c->residency = RF_CHOOSE_HOST;
}

/* Runs a shell script; the return value of rf_run(). */
static int run_with(struct rf_config *c, const char *script, struct rf_result *ret)
{
	const char *const argv[] = { "/bin/sh", "-c", script, NULL };
	struct rf_error err = { 0 };
	int r;

	c->argv = argv;
	r = rf_run(c, ret, &err);
	if (r < 0)
		fprintf(stderr, "# %s\n", err.text);
	return r;
}

static int run(const char *script, struct rf_result *ret)
{
	struct rf_config c;

	configure(&c);
	return run_with(&c, script, ret);
}

TEST(runs_follow_each_other)
{
	struct rf_result result;

	for (int i = 0; i < 5; i++) {
		char script[32];

		snprintf(script, sizeof(script), "exit %d", i * 50);
		ASSERT_EQ(run(script, &result), 0);
		EXPECT_EQ(result.exit_code, i * 50);
		EXPECT_EQ(result.signal, 0);
		EXPECT_EQ(result.failure, RF_FAILURE_NONE);
		EXPECT_GT(result.totals.syscalls, 0);
	}
}

TEST(program_dies_of_signal)
{
	struct rf_result result;

	ASSERT_EQ(run("kill -KILL $$", &result), 0);
	EXPECT_EQ(result.signal, SIGKILL);
	EXPECT_EQ(result.exit_code, 0);
}

#define RUNNERS 3
#define ROUNDS  4

struct runner {
	pthread_t thread;
	int number;
	int good;
};

static void *runner_main(void *arg)
{
	struct runner *r = arg;

	for (int i = 0; i < ROUNDS; i++) {
		struct rf_result result;
		char script[64];
		int code = r->number * 10 + i;

		snprintf(script, sizeof(script), "sleep 0.02; exit %d", code);
		if (run(script, &result) == 0 && result.exit_code == code && !result.signal)
			r->good++;
	}
	return NULL;
}

TEST(runs_at_the_same_time)
{
	struct runner r[RUNNERS];

	for (int i = 0; i < RUNNERS; i++) {
		r[i] = (struct runner){ .number = i + 1 };
		ASSERT_EQ(pthread_create(&r[i].thread, NULL, runner_main, &r[i]), 0);
	}
	for (int i = 0; i < RUNNERS; i++) {
		pthread_join(r[i].thread, NULL);
		EXPECT_EQ(r[i].good, ROUNDS);
	}
}

static atomic_bool busy_end;

/* Holds the locks of the C library as often as it can: a fork must not find them held. */
static void *busy_main(void *arg)
{
	(void)arg;
	while (!atomic_load(&busy_end)) {
		char *text = NULL;

		if (asprintf(&text, "%d", 1) > 0)
			free(text);
		if (getenv("NOTHING"))
			abort();
	}
	return NULL;
}

TEST(caller_has_threads)
{
	struct rf_result result;
	pthread_t busy[3];

	for (int i = 0; i < 3; i++)
		ASSERT_EQ(pthread_create(&busy[i], NULL, busy_main, NULL), 0);
	for (int i = 0; i < 10; i++) {
		ASSERT_EQ(run("exit 7", &result), 0);
		EXPECT_EQ(result.exit_code, 7);
	}
	atomic_store(&busy_end, true);
	for (int i = 0; i < 3; i++)
		pthread_join(busy[i], NULL);
}

#define SIGNALS 32 /* not the real-time ones */

/* What a caller has that a sandbox could change. */
struct state {
	int descriptors;
	struct stat stream[3];
	int flags[3];
	sigset_t mask;
	mode_t umask;
	struct rlimit files;
	char cwd[256];
	struct sigaction action[SIGNALS];
};

static int count_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void state_take(struct state *s)
{
	memset(s, 0, sizeof(*s));
	s->descriptors = count_descriptors();
	for (int fd = 0; fd < 3; fd++) {
		fstat(fd, &s->stream[fd]);
		s->flags[fd] = fcntl(fd, F_GETFL);
	}
	pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
	s->umask = umask(0);
	umask(s->umask);
	getrlimit(RLIMIT_NOFILE, &s->files);
	if (!getcwd(s->cwd, sizeof(s->cwd)))
		abort();
	for (int i = 1; i < SIGNALS; i++)
		sigaction(i, NULL, &s->action[i]);
}

static void expect_same(const struct state *a, const struct state *b)
{
	EXPECT_EQ(a->descriptors, b->descriptors);
	for (int fd = 0; fd < 3; fd++) {
		EXPECT_EQ(a->stream[fd].st_ino, b->stream[fd].st_ino);
		EXPECT_EQ(a->stream[fd].st_dev, b->stream[fd].st_dev);
		EXPECT_EQ(a->flags[fd], b->flags[fd]);
	}
	for (int i = 1; i < SIGNALS; i++) {
		EXPECT_EQ(sigismember(&a->mask, i), sigismember(&b->mask, i));
		if (i != SIGBUS) /* the platform's, for good (platform.h) */
			EXPECT_EQ(a->action[i].sa_handler == b->action[i].sa_handler, true);
	}
	EXPECT_EQ(a->umask, b->umask);
	EXPECT_EQ(a->files.rlim_cur, b->files.rlim_cur);
	EXPECT_EQ(a->files.rlim_max, b->files.rlim_max);
	EXPECT_EQ(strcmp(a->cwd, b->cwd), 0);
}

TEST(caller_is_as_before)
{
	static const char *const scripts[] = { "exit 3", "kill -SEGV $$",
					       "cd /; umask 0; exec >&-" };
	struct rf_result result;
	struct state before, after;
	struct rf_config c;

	umask(027);
	for (size_t i = 0; i < 6; i++) {
		configure(&c);
		c.forward_signals = i >= 3;
		state_take(&before);
		EXPECT_EQ(run_with(&c, scripts[i % 3], &result), 0);
		state_take(&after);
		expect_same(&before, &after);
		EXPECT_EQ(waitpid(-1, NULL, WNOHANG), -1);
		EXPECT_EQ(errno, ECHILD);
	}
	configure(&c);
	c.root = "/nonexistent"; /* fails in the monitor's process */
	state_take(&before);
	EXPECT_LT(run_with(&c, "true", &result), 0);
	state_take(&after);
	expect_same(&before, &after);
	EXPECT_EQ(waitpid(-1, NULL, WNOHANG), -1);
}

TEST(errors_are_told)
{
	const char *const argv[] = { "true", NULL };
	struct rf_error err = { 0 };
	struct rf_result result;
	struct rf_config c;

	configure(&c);
	EXPECT_EQ(rf_run(&c, &result, &err), -EINVAL);
	EXPECT_EQ(result.failure, RF_FAILURE_USAGE);
	configure(&c);
	c.argv = argv;
	c.root = "/nonexistent/root";
	EXPECT_EQ(rf_run(&c, &result, &err), -ENOENT);
	EXPECT_EQ(result.failure, RF_FAILURE_SETUP);
	EXPECT_EQ(strstr(err.text, "/nonexistent/root") != NULL, true);
	EXPECT_EQ(rf_run(&c, &result, NULL), -ENOENT);
	configure(&c);
	c.argv = argv;
	c.device = "/nonexistent/device";
	EXPECT_LT(rf_run(&c, &result, &err), 0);
	EXPECT_EQ(result.failure, RF_FAILURE_NO_PLATFORM);
	EXPECT_EQ(strstr(err.text, "/nonexistent/device") != NULL, true);
}

static volatile sig_atomic_t usr1_count;

static void count_usr1(int signo)
{
	(void)signo;
	usr1_count++;
}

struct sender {
	pthread_t thread;
	int pipe[2];
};

/* Sends SIGUSR1 to this process once the program inside has written a line. */
static void *sender_main(void *arg)
{
	struct sender *s = arg;
	char c;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	if (read(s->pipe[0], &c, 1) == 1)
		kill(getpid(), SIGUSR1);
	return NULL;
}

/* Runs a program that says it is ready on standard output, gets SIGUSR1 sent then, and ends with 6 if it arrived, 8 if not. */
static int run_signalled(bool forward)
{
	static const char script[] = "trap 'exit 6' USR1; echo; sleep 0.3; sleep 0.3; exit 8";
	struct rf_result result = { 0 };
	struct sender s;
	struct rf_config c;
	int output;

	configure(&c);
	c.forward_signals = forward;
	ASSERT_EQ(pipe2(s.pipe, O_CLOEXEC), 0);
	fflush(NULL);
	output = dup(STDOUT_FILENO);
	dup2(s.pipe[1], STDOUT_FILENO);
	ASSERT_EQ(pthread_create(&s.thread, NULL, sender_main, &s), 0);
	EXPECT_EQ(run_with(&c, script, &result), 0);
	dup2(output, STDOUT_FILENO);
	close(output);
	close(s.pipe[1]);
	pthread_join(s.thread, NULL);
	close(s.pipe[0]);
	return result.exit_code;
}

TEST(signals_are_the_callers_by_default)
{
	struct sigaction sa = { .sa_handler = count_usr1 };

	sigaction(SIGUSR1, &sa, NULL);
	EXPECT_EQ(run_signalled(false), 8);
	EXPECT_EQ(usr1_count, 1);
}

TEST(signals_are_forwarded_if_asked)
{
	struct sigaction sa = { .sa_handler = count_usr1 };

	sigaction(SIGUSR1, &sa, NULL);
	usr1_count = 0;
	EXPECT_EQ(run_signalled(true), 6);
	EXPECT_EQ(usr1_count, 0);
}

TEST(children_may_be_ignored)
{
	struct sigaction sa = { .sa_handler = SIG_IGN }, old;
	struct rf_result result;

	sigaction(SIGCHLD, &sa, &old);
	ASSERT_EQ(run("exit 9", &result), 0);
	EXPECT_EQ(result.exit_code, 9);
	sigaction(SIGCHLD, &old, NULL);
}

/* Even one that is not close-on-exec: the other end of a pipe sees its end while a sandbox runs. */
TEST(descriptors_stay_with_the_caller)
{
	struct pollfd p = { .events = POLLIN };
	struct runner r = { .number = 1 };
	int mine[2];

	ASSERT_EQ(pipe(mine), 0);
	ASSERT_EQ(pthread_create(&r.thread, NULL, runner_main, &r), 0);
	for (int i = 0; i < 200; i++)
		sched_yield();
	close(mine[1]);
	p.fd = mine[0];
	EXPECT_EQ(poll(&p, 1, 30000), 1);
	EXPECT_EQ(p.revents & POLLHUP, POLLHUP);
	pthread_join(r.thread, NULL);
	EXPECT_EQ(r.good, ROUNDS);
	close(mine[0]);
}
