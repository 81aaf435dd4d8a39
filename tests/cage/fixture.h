/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cage with checks in it.
 *
 * The host side is a directory of mode 0700 and some objects that a caged process must not reach. Each check runs twice: in the cage,
 * where it must hold, and without one, where it must not: a check that holds anyway shows nothing.
 */
#pragma once

#include <sys/types.h>

#include "cage/cage.h"

/* Who asks for a cage. */
enum caller {
	CALLER_SELF,      /* whoever runs the tests; root, usually */
	CALLER_USER,      /* an ordinary user */
	CALLER_NAMESPACE, /* root of a user namespace with one id: a container without privileges */
	CALLERS
};

#define VIEW_ROOT 0 /* "/", read-only */
#define VIEW_RW   1 /* DIR/rw, writable */
#define VIEW_FILE 2 /* DIR/ro/mine, read-only */
#define VIEWS     3

struct host {
	char dir[64];
	char secret[96], hidden[96], absent[96], rw[96], mine[96];
	const char *hide[3];
	bool root;       /* the tests run as root */
	char socket[32]; /* abstract, listening */
	int listener;
	int shm;  /* System V shared memory */
	long key; /* in the session keyring; -1: this kernel has none, or refuses */
	pid_t victim;
	uid_t uid;         /* of the caller */
	struct cage *cage; /* shared */
	struct cage_view views[VIEWS];
	int denied_call; /* system call that fails in the child with EPERM; 0: none */
	int early;       /* descriptor of `mine`, read-only, from before */
};

struct host *host_new(enum caller caller);
void host_free(struct host *h);

/* In a child that is @caller: builds a cage and runs @inside in it. Like cage_trial(). */
int host_trial(struct host *h, enum caller caller, enum rf_isolation isolation,
	       cage_inside_fn *inside, void *arg, struct rf_error *err);
/* In a child that is @caller: fills in views without a cage and runs @inside. */
int host_bare(struct host *h, enum caller caller, cage_inside_fn *inside, void *arg);
/* In the child: becomes @caller. -1: cannot here. */
int become(const struct host *h, enum caller caller);
const char *caller_name(enum caller caller);
