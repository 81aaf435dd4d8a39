/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The monitor's seccomp filter: the system calls, and their arguments, that serving a running sandbox takes. Everything else
 * kills the process. docs/security.md says what the filter is one wall of.
 */
#pragma once

#include <stdbool.h>

#include "base/types.h"
#include <ringfence/platform.h>

/*
 * Before the first thread is made that will live under a filter: the C library is told to do without what would need
 * more system calls later. Of the whole process.
 */
void filter_prepare(void);

/*
 * Installs the filter on every thread of this process (SECCOMP_FILTER_FLAG_TSYNC), for good; sets no_new_privs. To be called when
 * all threads exist and before anything hostile runs. @p: its rf_platform_host_filter() is part of it. Returns 0; a negative
 * errno with a message: -EOPNOTSUPP when the host has no seccomp filters, -ESRCH when a thread has a filter of its own.
 */
int filter_install(const struct rf_platform *p, struct rf_error *err) __must_check;

/*
 * The same filter as BPF instructions (struct sock_filter) written to @fd, or its text form: for tests and to look at.
 */
int filter_export(const struct rf_platform *p, int fd, bool text,
		  struct rf_error *err) __must_check;

/* Whether filters of this kind can be had here, without installing one. Returns 0, or -EOPNOTSUPP with a message. */
int filter_available(struct rf_error *err) __must_check;

/* A wait status (waitpid(2)) that says: killed by its filter. The host's audit log has the call. */
bool filter_killed(int wait_status);
