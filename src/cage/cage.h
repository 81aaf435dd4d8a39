/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's cage: what is left to the monitor if the sandbox's kernel has taken it over.
 *
 *	P  the caller                  cage_init(), fork G, … cage_map_ids()
 *	└─ G  in new namespaces        cage_unshare(), fork M, cage_guardian()
 *	   └─ M  the monitor           cage_views(), …, cage_close(), threads, the system call filter (filter.h)
 *
 * After cage_close() M sees an empty, read-only root directory, holds the handles of its views and has no capability. Each step
 * notes in struct cage which walls stand. With RF_ISOLATION_FULL a required wall that cannot be had is an error; with
 * RF_ISOLATION_REDUCED it is noted; with RF_ISOLATION_NONE nothing is tried. docs/adr/0007-the-monitors-cage.md has the reasons.
 *
 * All steps are for processes with one thread: credentials, capabilities and Landlock belong to threads, and new threads
 * inherit them.
 */
#pragma once

#include <ringfence/ringfence.h>
#include <sys/types.h>

#include "base/types.h"

/* In the order in which they are built. */
enum cage_wall {
	CAGE_USER,
	CAGE_PID,
	CAGE_MOUNT,
	CAGE_NET,
	CAGE_IPC,
	CAGE_UTS,
	CAGE_CGROUP,
	CAGE_VIEWS,
	CAGE_ROOT,
	CAGE_KEYRING,
	CAGE_IDS,
	CAGE_CAPABILITIES,
	CAGE_NO_NEW_PRIVS,
	CAGE_DUMP,
	CAGE_SECCOMP,
	CAGE_LANDLOCK,
	CAGE_WALLS
};

enum cage_state { CAGE_UNTRIED, CAGE_STANDS, CAGE_MISSING };

/* What a step found out; texts are empty when there is nothing to say. */
struct cage_finding {
	enum cage_state state;
	char why[112];    /* missing because; or a remark on one that stands */
	char remedy[208]; /* what would help */
};

struct cage {
	enum rf_isolation isolation;
	uid_t uid; /* the caller's, whose rights to files the monitor keeps */
	gid_t gid;
	bool other_ids; /* the caller is root and has more ids than its own */
	bool refused;   /* a step failed because a required wall cannot be had */
	struct cage_finding wall[CAGE_WALLS];
	int base; /* file system that holds the views, until cage_close(); -1: there is none */
	int proc; /* O_PATH of a mount that is /proc/self/fd and nothing else; the taker's to close */
};

/* A host directory or file that the monitor works on. */
struct cage_view {
	const char *path; /* absolute, without symlinks */
	bool writable;
	const char *const *
		hidden; /* absolute paths below `path`, without symlinks, that an empty file or directory covers */
	size_t hidden_count;
	int fd;       /* set by cage_views(): O_PATH; the taker's to close */
	bool is_file; /* set by cage_views() */
};

/* @isolation for the calling user. */
void cage_init(struct cage *c, enum rf_isolation isolation);

/* In G: new namespaces. The PID namespace is that of the next child. -EPERM and others with a message. */
int cage_unshare(struct cage *c, struct rf_error *err) __must_check;

/*
 * The ids of the new user namespace, if there is one: G tells P which it is in, P tells G whether it could map all ids that P itself
 * has, as themselves; else G maps its own, and nothing else. cage_map_ids() returns 0 or a negative errno: -EPERM for an
 * ordinary user, -ESRCH when P's /proc does not show G.
 */
u32 cage_user_namespace(void);
int cage_map_ids(pid_t guardian, u32 user_namespace) __must_check;
int cage_map_own_ids(const struct cage *c, struct rf_error *err) __must_check;

/* In G, when M is forked: gives up what G does not need. It can still kill M, and have it killed by its own end. */
int cage_guardian(struct cage *c, struct rf_error *err) __must_check;

/*
 * In M: one mount for each of @views, read-only unless writable, without devices, set-user-ID programs and execution, its hidden paths covered;
 * sets their fd. Hidden paths that do not exist are left out. A path that cannot be opened is an error at any isolation. Paths of
 * the host keep their meaning until cage_close(). On failure handles may be left open: the process is expected to end.
 */
int cage_views(struct cage *c, struct cage_view *views, size_t count,
	       struct rf_error *err) __must_check;

/*
 * In M, before it makes threads: an empty root directory, no rights but those to files of the caller, in the views. Clears
 * PR_SET_PDEATHSIG. @views: those of cage_views(), for Landlock.
 */
int cage_close(struct cage *c, const struct cage_view *views, size_t count,
	       struct rf_error *err) __must_check;

/* Short name, and what it is good for. */
const char *cage_wall_name(enum cage_wall wall);
const char *cage_wall_what(enum cage_wall wall);
/* Whether RF_ISOLATION_FULL insists on it. */
bool cage_wall_required(enum cage_wall wall);

/*
 * Runs @inside as M of a cage of its own and waits for it; @c, which is to lie in memory shared with children, tells afterwards
 * what stands. For tests and to find out what this host gives. Returns what @inside returned (0 to 127), or a negative errno with a
 * message.
 */
typedef int cage_inside_fn(struct cage *c, struct cage_view *views, void *arg);
int cage_trial(struct cage *c, struct cage_view *views, size_t count, cage_inside_fn *inside,
	       void *arg, struct rf_error *err) __must_check;
/* Which walls can be had here: fills @c by a trial with RF_ISOLATION_REDUCED. */
int cage_survey(struct cage *c, struct rf_error *err) __must_check;

/* ---- inside this layer ---- */

/* Notes that @wall stands. */
void cage_stands(struct cage *c, enum cage_wall wall);
void cage_remark(struct cage *c, enum cage_wall wall, const char *format, ...) __printf(3, 4);
/*
 * Notes that @wall is missing because @what failed with @error (negative errno). Returns 0 if the cage does without, else
 * @error with the message.
 */
int cage_missing(struct cage *c, enum cage_wall wall, int error, const char *what,
		 struct rf_error *err) __must_check;
static inline bool cage_has(const struct cage *c, enum cage_wall wall)
{
	return c->wall[wall].state == CAGE_STANDS;
}

bool cage_other_ids(void);                                               /* identity.c */
int cage_enter_root(struct cage *c, struct rf_error *err) __must_check;  /* mounts.c */
int cage_drop_rights(struct cage *c, struct rf_error *err) __must_check; /* identity.c */
int cage_landlock(struct cage *c, const struct cage_view *views, size_t count,
		  struct rf_error *err) __must_check; /* landlock.c */
