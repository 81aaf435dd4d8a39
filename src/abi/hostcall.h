/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hostcall.h: the typed requests from kernel to monitor; the only way out of the sandbox.
 *
 * A call is a number and up to 8 u64 arguments in the CPU's mailbox; the result is >= 0 or a negative Linux errno.
 * Buffers are given as arena address and length and must lie wholly inside the arena past the boot area (`buf`); a path is a
 * buffer of `len` bytes without NUL, relative, less than HC_PATH_MAX bytes, empty = the handle itself. Handles are opaque
 * (index and generation); roots are handles too. Every path is resolved beneath its root: no symlink is followed on the host.
 *
 * HOSTCALL(number, NAME, blocking): `blocking` calls may wait for long; the kernel drops its lock around them.
 */
#pragma once

#include "base/types.h"

/* Limits of one call; rates are in monitor/rate.h. What a transfer asks for beyond its limit is cut off, all else is refused. */
#define HC_PATH_MAX    4096u
#define HC_NAME_MAX    255u       /* bytes of one component */
#define HC_IO_MAX      (1u << 20) /* bytes per transfer */
#define HC_LOG_MAX     4096u      /* bytes of a log message */
#define HC_RANDOM_MAX  256u       /* bytes; so many getrandom(2) gives without being interrupted */
#define HC_FRAMES_MAX  (1u << 28) /* bytes of page frames per HC_DISCARD or HC_POPULATE */
#define HC_HANDLES_MAX 4096u      /* open at once */

/* clang-format off */
#define HOSTCALL_TABLE(HOSTCALL)                                                                                       \
	/* control */                                                                                                  \
	HOSTCALL(1, EXIT, 0)	 /* (status): the sandbox ends; bits 0-7 exit code, or 0x100|signal; 0x200: the program was \
				    killed because memory ran out; never returns */                                    \
	HOSTCALL(2, PANIC, 0)	 /* (text buf, len, regs buf): the kernel is lost; never returns */                    \
	HOSTCALL(3, LOG, 0)	 /* (channel, buf, len): 0 = log, 1 = strace */                                        \
	HOSTCALL(4, IDLE, 1)	 /* (deadline_ns CLOCK_MONOTONIC or 0 = none): until this CPU is kicked */            \
	HOSTCALL(5, KICK, 0)	 /* (cpu): sets its kick flag, ends its HC_IDLE or interrupts its user code */         \
	HOSTCALL(6, CLOCK, 0)	 /* (clock id): nanoseconds of host clock 0, 1, 4, 5, 6, 7, or 2 (process CPU) */      \
	HOSTCALL(7, RANDOM, 0)	 /* (buf, len) */                                                                      \
	HOSTCALL(8, DISCARD, 0)	 /* (arena offset, len): give page frames back to the host; they read as zeros */      \
	HOSTCALL(9, POPULATE, 0) /* (arena offset, len): make page frames present */                                   \
	HOSTCALL(10, GUARD, 0)	 /* (arena offset, len): host residency: make pages inaccessible (stack guard) */      \
	HOSTCALL(11, YIELD, 0)	 /* (): give the host CPU away while spinning */                                       \
	HOSTCALL(12, CPU_EXIT, 0) /* (): this CPU is done (shutdown); never returns in residency guest */              \
	HOSTCALL(13, STOP, 0)	 /* (): job control: the sandbox's foreground job stopped; stop the monitor too */    \
	/* files below a root */                                                                                       \
	HOSTCALL(20, STAT, 0)	 /* (root, path, len, struct hc_stat buf) of the object itself, not a link's target */ \
	HOSTCALL(21, OPEN, 0)	 /* (root, path, len, HC_O_* flags, mode, struct hc_stat buf or 0) -> handle */        \
	HOSTCALL(22, READLINK, 0) /* (root, path, len, buf, size) -> length */                                         \
	HOSTCALL(23, MKDIR, 0)	 /* (root, path, len, mode) */                                                         \
	HOSTCALL(24, UNLINK, 0)	 /* (root, path, len, is_dir) */                                                       \
	HOSTCALL(25, RENAME, 0)	 /* (root, path, len, root2, path2, len2, RENAME_* flags) */                           \
	HOSTCALL(26, LINK, 0)	 /* (root, path, len, root2, path2, len2) */                                           \
	HOSTCALL(27, SYMLINK, 0) /* (root, path, len, target buf, target len) */                                       \
	HOSTCALL(28, SETATTR, 0) /* (root, path, len, struct hc_setattr buf) */                                        \
	HOSTCALL(29, STATFS, 0)	 /* (root, struct hc_statfs buf) */                                                    \
	HOSTCALL(30, MKNOD, 0)	 /* (root, path, len, mode): fifo and regular only */                                  \
	/* open handles */                                                                                             \
	HOSTCALL(40, CLOSE, 0)	 /* (handle) */                                                                        \
	HOSTCALL(41, FSTAT, 0)	 /* (handle, struct hc_stat buf) */                                                    \
	HOSTCALL(42, PREAD, 0)	 /* (handle, buf, len, offset) -> bytes */                                             \
	HOSTCALL(43, PWRITE, 0)	 /* (handle, buf, len, offset) -> bytes */                                             \
	HOSTCALL(44, TRUNCATE, 0) /* (handle, size) */                                                                 \
	HOSTCALL(45, FSYNC, 1)	 /* (handle, data_only) */                                                             \
	HOSTCALL(46, FALLOCATE, 0) /* (handle, mode, offset, len) */                                                   \
	HOSTCALL(47, GETDENTS, 0) /* (directory handle, buf, len) -> bytes of struct linux_dirent64 records, 0 = end */\
	HOSTCALL(48, REWIND, 0)	 /* (directory handle): next GETDENTS starts over */                                   \
	HOSTCALL(49, READ, 0)	 /* (stream handle, buf, len): never blocks, -EAGAIN */                                \
	HOSTCALL(50, WRITE, 0)	 /* (stream handle, buf, len): never blocks, -EAGAIN */                                \
	HOSTCALL(51, SEEK, 0)	 /* (stream handle, offset, whence) -> position */                                     \
	HOSTCALL(52, POLL, 0)	 /* (stream handle, POLL* events) -> revents now */                                    \
	HOSTCALL(53, WATCH, 0)	 /* (stream handle, POLL* events, slot): one-shot; sets watch_events[slot]; events 0 = cancel */ \
	HOSTCALL(54, IOCTL, 0)	 /* (stream handle, request, buf, len): terminal requests of a fixed list */           \
	HOSTCALL(55, FSETATTR, 0) /* (handle, struct hc_setattr buf) */                                                \
	/* platform operations, residency host only */                                                                 \
	HOSTCALL(100, PLAT_AS_NEW, 0)	  /* () -> id */                                                               \
	HOSTCALL(101, PLAT_AS_FREE, 0)	  /* (id) */                                                                   \
	HOSTCALL(102, PLAT_AS_MAP, 0)	  /* (id, addr, arena offset, len, prot) */                                    \
	HOSTCALL(103, PLAT_AS_UNMAP, 0)	  /* (id, addr, len) */                                                        \
	HOSTCALL(104, PLAT_AS_PROTECT, 0) /* (id, addr, len, mask) */                                                  \
	HOSTCALL(105, PLAT_AS_NEXT, 0)	  /* (id, addr, end, struct hc_as_entry buf) -> 0/1 */                         \
	HOSTCALL(106, PLAT_AS_FLUSH, 0)	  /* (id) */                                                                   \
	HOSTCALL(107, PLAT_COPY_IN, 0)	  /* (id, kernel buf, user address, len) -> bytes copied */                    \
	HOSTCALL(108, PLAT_COPY_OUT, 0)	  /* (id, user address, kernel buf, len) -> bytes copied */                    \
	HOSTCALL(109, PLAT_ZERO_OUT, 0)	  /* (id, user address, len) -> bytes zeroed */                                \
	HOSTCALL(110, PLAT_CAS_U32, 0)	  /* (id, address, old, new, u32 *ret_old buf) */                              \
	HOSTCALL(111, PLAT_CTX_NEW, 0)	  /* () -> id */                                                               \
	HOSTCALL(112, PLAT_CTX_FREE, 0)	  /* (id) */                                                                   \
	HOSTCALL(113, PLAT_SWITCH, 1)	  /* (context id, address space id, struct rf_regs buf, struct rf_trap buf) */ \
	HOSTCALL(114, PLAT_FPU_GET, 0)	  /* (context id, buf, len) */                                                 \
	HOSTCALL(115, PLAT_FPU_SET, 0)	  /* (context id, buf, len) */                                                 \
	HOSTCALL(116, PLAT_FPU_RESET, 0)  /* (context id) */
/* clang-format on */

enum hostcall_nr {
#define HOSTCALL_ENUM(nr, name, blocking) HC_##name = (nr),
	HOSTCALL_TABLE(HOSTCALL_ENUM)
#undef HOSTCALL_ENUM
		HC_NR = 128,
};

/* Open flags of HC_OPEN, independent of Linux's numbers. */
#define HC_O_READ      0x1u
#define HC_O_WRITE     0x2u
#define HC_O_CREAT     0x4u
#define HC_O_EXCL      0x8u
#define HC_O_TRUNC     0x10u
#define HC_O_DIRECTORY 0x20u
#define HC_O_PATH      0x40u /* a handle to use as a root or for FSTAT only */
#define HC_O_APPEND    0x80u
#define HC_O_TMPFILE   0x100u
#define HC_O_KNOWN     0x1ffu

struct hc_stat {
	u64 dev, ino, rdev; /* dev and rdev as major << 32 | minor */
	u32 mode, nlink, uid, gid;
	u64 size, blocks, blksize;
	s64 atime_s, mtime_s, ctime_s, btime_s;
	u32 atime_ns, mtime_ns, ctime_ns, btime_ns;
};

#define HC_ATTR_MODE  1u
#define HC_ATTR_UID   2u
#define HC_ATTR_GID   4u
#define HC_ATTR_ATIME 8u
#define HC_ATTR_MTIME 16u
#define HC_ATTR_SIZE  32u
#define HC_ATTR_KNOWN 63u
struct hc_setattr {
	u32 valid; /* HC_ATTR_* */
	u32 mode, uid, gid;
	u64 size;
	s64 atime_s, mtime_s;
	u32 atime_ns, mtime_ns;
};

struct hc_statfs {
	u64 type, bsize, blocks, bfree, bavail, files, ffree, namelen, flags;
};

struct hc_as_entry {
	u64 addr, offset;
	u32 prot, pad;
};
