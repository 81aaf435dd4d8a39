/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cgroup of its own for a sandbox's processes, where this process may make one (cgroups(7), version 2): a second wall behind
 * limits that are kept without it. Never necessary, so nothing here is an error for who runs the sandbox.
 *
 * The leaf is called ringfence-PID-START after the process that made it and that process's start time; whoever makes one next to it
 * removes those whose process is gone, so one that a SIGKILL left behind does not stay.
 */
#pragma once

#include <limits.h>
#include <sys/types.h>

#include "base/types.h"

/* Where cgroups are. For tests also a plain directory. */
struct cgroup_host {
	char mount[PATH_MAX]; /* of the cgroup2 file system */
	char self[PATH_MAX];  /* our cgroup, from there: "/..." */
	bool plain;           /* not a cgroup file system: its files are made by writing them */
};

struct cgroup {
	char path[PATH_MAX]; /* "": none */
};

struct cgroup_limits {
	u64 memory; /* bytes */
	u32 pids;
};

/* From mountinfo and cgroup files as in /proc/self. -ENOENT with a reason in @why: none is mounted. */
int cgroup_find(const char *mountinfo, const char *cgroup, struct cgroup_host *ret, char *why,
		size_t size) __must_check;
/*
 * Makes a leaf with limits below our own cgroup or beside it. Returns 0, or a negative errno with a reason in @why and
 * ret->path empty.
 */
int cgroup_make(const struct cgroup_host *h, const struct cgroup_limits *l, struct cgroup *ret,
		char *why, size_t size) __must_check;
/* Both, of this process. */
int cgroup_make_own(const struct cgroup_limits *l, struct cgroup *ret, char *why,
		    size_t size) __must_check;
/* Whether all of it works here: makes one, moves a child there, removes it. @text gets its parent's path or the reason. */
bool cgroup_try(char *text, size_t size);
/* Moves a process there (0: this one), with what it will fork. */
int cgroup_enter(const struct cgroup *c, pid_t pid) __must_check;
/* Removes it; its processes must be gone. */
void cgroup_remove(struct cgroup *c);
