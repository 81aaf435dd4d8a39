/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's side of the hostcall interface. Buffers given to these functions must be arena memory (any kernel pointer is). */
#pragma once

#include "abi/hostcall.h"
#include "base/types.h"
#include "kernel/core/wait.h"

/* Raw call. Drops the kernel lock around calls that the table marks as blocking. */
s64 hostcall(enum hostcall_nr nr, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5, u64 a6, u64 a7);
#define HC_ARG1_(f, a, b, c, d, e, g, h, i, ...) \
	hostcall(f, (u64)(a), (u64)(b), (u64)(c), (u64)(d), (u64)(e), (u64)(g), (u64)(h), (u64)(i))
/* hc(HC_PREAD, handle, buf, len, off): missing arguments are 0. */
#define hc(...) HC_ARG1_(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0, 0, 0)

/*
 * Readiness of a host stream. host_watch_arm() asks for one notification; when it fires, `wq` is woken with the poll events.
 * The slot is allocated at init (-ENFILE when all are taken) and given back by done.
 */
struct host_watch {
	u32 slot;
	u32 armed;   /* events asked for */
	u32 revents; /* since the last arm */
	u64 handle;
	struct waitq *wq;
};
int host_watch_init(struct host_watch *w, u64 handle, struct waitq *wq);
void host_watch_arm(struct host_watch *w, u32 poll_events);
void host_watch_done(struct host_watch *w);

/* Log to the monitor (--log); printf formats of base/format.h. Level: 0 error … 3 debug. */
void klog(int level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *fmt, ...);
/* Ends the sandbox: exit code, or 0x100 | signal number. */
__attribute__((noreturn)) void sandbox_exit(u32 status);
