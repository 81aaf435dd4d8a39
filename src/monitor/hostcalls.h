/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the hostcall server: one function per call, and how they read what the kernel sent.
 *
 * Everything from the kernel is hostile: the arguments were copied out of the mailbox once, every buffer
 * is checked to lie in the arena behind the boot area, every path is relative, free of ".." and resolved beneath its
 * root. Functions return >= 0 or a negative Linux errno.
 */
#pragma once

#include <sys/stat.h>

#include "monitor/monitor.h"

struct hostcall {
	struct monitor *m;
	u32 cpu;
	bool leave; /* the CPU must not go on */
	u64 nr;
	u64 arg[HOSTCALL_ARGS];
};
typedef s64 hostcall_fn(struct hostcall *c);

/*
 * Memory to read from (behind the boot area) or to write to (the kernel's text excluded), or NULL. It changes at any time: only
 * for system calls that take it as a buffer of bytes.
 */
const void *hc_in(struct hostcall *c, u64 addr, u64 len);
void *hc_out(struct hostcall *c, u64 addr, u64 len);
/* Copies @len bytes out of the arena, each read once. False: they are not all in it. */
bool hc_copy_in(struct hostcall *c, void *ret, u64 addr, u64 len) __must_check;
/* The same for a structure, which must be aligned. */
#define HC_COPY_IN(c, ret, addr) \
	(!((addr) % _Alignof(__typeof__(*(ret)))) && hc_copy_in((c), (ret), (addr), sizeof(*(ret))))
/* Where to write a structure to, which must be aligned; write it whole, read nothing back. */
#define HC_OUT(c, addr, type) \
	((type *)((addr) % _Alignof(type) ? NULL : hc_out((c), (addr), sizeof(type))))

/* A path argument, copied. */
struct hc_path {
	size_t len;
	char text[HC_PATH_MAX];
};
int hc_path_get(struct hostcall *c, u64 addr, u64 len, struct hc_path *ret);

/* hc_stat of what @fd (may be O_PATH) is, or of @name below it. */
int hc_stat_fill(int fd, const char *name, struct hc_stat *ret);

/* table */
struct hostcall_entry {
	hostcall_fn *fn;
	const char *name;
	bool host_only; /* residency host */
	enum rate rate;
};
const struct hostcall_entry *hostcall_lookup(u64 nr);
/* Waits until the sandbox may make one more call of this kind, or has ended. */
void hc_throttle(struct hostcall *c, enum rate rate);
/* The kernel did what ours never does: says so once, slows down who goes on with it. Returns @error. */
s64 hc_distrust(struct hostcall *c, s64 error);
/* Runs one call with arguments already copied; monitor_serve() without the mailbox. */
s64 hostcall_run(struct hostcall *c, u64 nr);

hostcall_fn hc_exit, hc_panic, hc_log, hc_idle, hc_kick, hc_clock, hc_random, hc_discard,
	hc_populate, hc_guard, hc_yield, hc_cpu_exit, hc_stop;
hostcall_fn hc_stat_call, hc_open, hc_readlink, hc_mkdir, hc_unlink, hc_rename, hc_link, hc_symlink,
	hc_setattr_call, hc_statfs_call, hc_mknod;
hostcall_fn hc_close, hc_fstat, hc_pread, hc_pwrite, hc_truncate, hc_fsync, hc_fallocate,
	hc_getdents, hc_rewind, hc_fsetattr;
hostcall_fn hc_read, hc_write, hc_seek, hc_poll, hc_watch, hc_ioctl;
hostcall_fn hc_plat_as_new, hc_plat_as_free, hc_plat_as_map, hc_plat_as_unmap, hc_plat_as_protect,
	hc_plat_as_next, hc_plat_as_flush, hc_plat_copy_in, hc_plat_copy_out, hc_plat_zero_out,
	hc_plat_cas_u32, hc_plat_ctx_new, hc_plat_ctx_free, hc_plat_switch, hc_plat_fpu_get,
	hc_plat_fpu_set, hc_plat_fpu_reset;

/*
 * May the sandbox open the object behind @fd (may be O_PATH), or change it? @st is what it is. The host kernel's own interfaces
 * (procfs and the like) look like files and are none. Returns 0 or -EACCES.
 */
int hc_check_filesystem(int fd, const struct stat *st, bool change);
/* Applies @attr to the object behind @fd (may be O_PATH); files.c. */
int hc_apply_attr(struct monitor *m, int fd, const struct hc_setattr *attr);
/* Opens the object behind the O_PATH descriptor @fd anew with @flags. Returns a descriptor or -errno. */
int hc_reopen(struct monitor *m, int fd, int flags);
