/* SPDX-License-Identifier: Apache-2.0 */
/* A cage with something else than a monitor in it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/filter.h"
#include "platform/platform.h"

#define TRIAL_FAILED \
	128 /* exit status of a process that could not do its part; the message is in shared memory */

struct trial {
	struct cage *c;
	struct cage_view *views;
	size_t count;
	cage_inside_fn *inside;
	void *arg;
	struct rf_error *err; /* shared */
	int to_guardian[2], to_caller[2];
};

static int be_monitor(struct trial *t)
{
	int r = cage_views(t->c, t->views, t->count, t->err);

	if (r == 0)
		r = cage_close(t->c, t->views, t->count, t->err);
	return r < 0 ? TRIAL_FAILED : t->inside(t->c, t->views, t->arg);
}

/* The exit status to pass on; a signal as shells do. */
static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return TRIAL_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* As the caller could, or else only its own. */
static int get_maps(struct trial *t)
{
	u32 in = cage_user_namespace(), mapped = 0;

	if (!cage_has(t->c, CAGE_USER))
		return 0;
	if (write(t->to_caller[1], &in, sizeof(in)) != sizeof(in) ||
	    read(t->to_guardian[0], &mapped, sizeof(mapped)) != sizeof(mapped))
		return rf_error_set(t->err, -EPIPE, "the caller is gone");
	return mapped ? 0 : cage_map_own_ids(t->c, t->err);
}

static int be_guardian(struct trial *t)
{
	pid_t monitor;

	close(t->to_guardian[1]);
	close(t->to_caller[0]);
	if (cage_unshare(t->c, t->err) < 0 || get_maps(t) < 0)
		return TRIAL_FAILED;
	close(t->to_caller[1]);
	monitor = fork();
	if (monitor < 0) {
		rf_error_set(t->err, -errno, "fork: %s", strerror(errno));
		return TRIAL_FAILED;
	}
	if (monitor == 0)
		_exit(be_monitor(t));
	if (cage_guardian(t->c, t->err) < 0) {
		kill(monitor, SIGKILL);
		wait_for(monitor);
		return TRIAL_FAILED;
	}
	return wait_for(monitor);
}

static void be_caller(struct trial *t, pid_t guardian)
{
	u32 in, mapped;

	close(t->to_guardian[0]);
	close(t->to_caller[1]);
	if (read(t->to_caller[0], &in, sizeof(in)) == sizeof(in)) {
		mapped = cage_map_ids(guardian, in) == 0;
		if (write(t->to_guardian[1], &mapped, sizeof(mapped)) < 0)
			rf_error_set(t->err, -errno, "the guardian is gone");
	}
	close(t->to_guardian[1]);
	close(t->to_caller[0]);
}

static int run(struct trial *t)
{
	pid_t guardian;

	if (pipe(t->to_guardian) < 0)
		return -errno;
	if (pipe(t->to_caller) < 0) {
		close(t->to_guardian[0]);
		close(t->to_guardian[1]);
		return -errno;
	}
	guardian = fork();
	if (guardian == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		_exit(be_guardian(t));
	}
	be_caller(t, guardian);
	return guardian < 0 ? -EAGAIN : wait_for(guardian);
}

int cage_trial(struct cage *c, struct cage_view *views, size_t count, cage_inside_fn *inside,
	       void *arg, struct rf_error *err)
{
	struct rf_error *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct trial t = { c, views, count, inside, arg, shared, { -1, -1 }, { -1, -1 } };
	int r;

	if (shared == MAP_FAILED)
		return rf_error_set(err, -errno, "no memory");
	r = run(&t);
	if (r < 0)
		rf_error_set(err, r, "cannot make a process: %s", strerror(-r));
	else if (r >= TRIAL_FAILED)
		r = rf_error_set(err, shared->code < 0 ? shared->code : -EIO, "%s",
				 shared->text[0] ? shared->text : "the process in the cage died");
	munmap(shared, sizeof(*shared));
	return r;
}

static int nothing(struct cage *c, struct cage_view *views, void *arg)
{
	return 0;
}

static int survey_filter(struct cage *c, struct rf_error *err)
{
	int r = filter_available(NULL);

	if (r < 0)
		return cage_missing(c, CAGE_SECCOMP, r, "seccomp", err);
	cage_stands(c, CAGE_SECCOMP);
	return 0;
}

int cage_survey(struct cage *c, struct rf_error *err)
{
	struct cage_view root = { .path = "/" };
	struct cage *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int r;

	if (shared == MAP_FAILED)
		return rf_error_set(err, -errno, "no memory");
	cage_init(shared, RF_ISOLATION_REDUCED);
	r = cage_trial(shared, &root, 1, nothing, NULL, err);
	if (r == 0)
		r = survey_filter(shared, err);
	*c = *shared;
	munmap(shared, sizeof(*shared));
	return r;
}
