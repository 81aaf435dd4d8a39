/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What of the host is visible inside: docs/view.md.
 *
 * A view is a host directory or file that the sandbox gets to see: the root, and each of the caller's binds. It shows everything
 * at and below its source but the hidden paths strictly below it; asking for a hidden path, or for one inside it, shows it. The same
 * rule holds for our kernel (view_write()) and for the monitor's own mounts (view_hidden()), where a path of the list is
 * covered a second time.
 *
 * Host paths in here are absolute and have their symlinks resolved, while the names still mean what the caller meant.
 */
#pragma once

#include <ringfence/ringfence.h>

#include "base/types.h"

struct hidden_path {
	char *path;   /* of the host: exists, no symlinks */
	u32 mode;     /* S_IFMT | permissions of what stands in for it; a file just isn't there */
	u32 uid, gid; /* its owner */
	bool own;     /* our kernel shows something else there anyway: /proc, /sys, /dev, --hide */
};

struct view_mount {
	enum rf_mount_kind kind;
	char *source; /* of the host; NULL: none */
	char *target; /* inside */
};

struct view {
	char *root;    /* host directory that is / inside */
	char *workdir; /* where the first program starts */
	char *home;    /* directory to make inside for the caller; NULL: none is needed */
	u32 home_mode;
	struct hidden_path *hidden; /* sorted by path, none below another */
	size_t hidden_count, hidden_room;
	const char **hidden_paths; /* of the same, in the same order */
	struct view_mount *mounts; /* the caller's, in their order */
	size_t mount_count;
};

/* Looks the host over. -ENOENT and others with a message; then nothing is held. */
int view_init(struct view *v, const struct rf_config *c, struct rf_error *err) __must_check;
void view_done(struct view *v);

/* For the monitor's mounts: what a view of @source must not show. Borrowed. */
const char *const *view_hidden(const struct view *v, const char *source, size_t *ret_count);
/* The first hidden path at or after *@at that a view of @source must not show; *@at is moved past it. NULL: no more. */
const struct hidden_path *view_next_hidden(const struct view *v, const char *source, size_t *at);
/* Why the host's @path is not what is seen inside under that name: a hidden path, a mount's target, a name; NULL: it is. */
const char *view_covers(const struct view *v, const char *path);

/* The root, what our kernel has of its own, and the caller's mounts, for the kernel. */
struct config_writer;
int view_write(const struct view *v, const struct rf_config *c, struct config_writer *w,
	       struct rf_error *err) __must_check;

/* If @path lies at or below @dir, which is absolute. */
bool path_is_below(const char *path, const char *dir);
