/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the runtime: from a configuration to a running sandbox. */
#pragma once

#include <ringfence/ringfence.h>

#include "base/types.h"

/* Fills in defaults that depend on the host, and refuses what makes no sense. -EINVAL or -ENOMEM with a message. */
int config_complete(struct rf_config *c, enum rf_failure *ret_failure,
		    struct rf_error *err) __must_check;

/* limits.c. Fills in what is 0; then -EINVAL, or -ENOMEM for the memory, with a message for what is out of range. */
void limits_defaults(struct rf_limits *l);
int limits_check(const struct rf_limits *l, struct rf_error *err) __must_check;
/* "limit of ... reached (--option)" for the user. */
void limit_describe(enum rf_limit which, const struct rf_limits *l, char *text, size_t size);
/* How rf_run() says that a limit has ended the sandbox. Returns -EDQUOT. */
int limit_reached(enum rf_limit which, const struct rf_limits *l, struct rf_result *ret,
		  struct rf_error *err);

struct monitor;
struct view;
/* Writes everything the kernel is told; @closed: standard streams that were closed when we started. */
int config_write(const struct rf_config *c, const struct view *v, struct monitor *m,
		 const bool closed[3], struct rf_error *err) __must_check;
/* RF_FAILURE_MEMORY for -ENOMEM, else @otherwise. */
enum rf_failure failure_of(int error, enum rf_failure otherwise);
