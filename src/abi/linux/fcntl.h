/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open(2), fcntl(2), the *at(2) family, flock(2), fallocate(2), posix_fadvise(2), renameat2(2),
 * lseek(2).
 */
#pragma once

#include "base/types.h"

/* open(2) flags */
#define O_ACCMODE   03
#define O_RDONLY    0
#define O_WRONLY    01
#define O_RDWR      02
#define O_CREAT     0100
#define O_EXCL      0200
#define O_NOCTTY    0400
#define O_TRUNC     01000
#define O_APPEND    02000
#define O_NONBLOCK  04000
#define O_DSYNC     010000
#define O_DIRECT    040000
#define O_LARGEFILE 0100000
#define O_DIRECTORY 0200000
#define O_NOFOLLOW  0400000
#define O_NOATIME   01000000
#define O_CLOEXEC   02000000
#define __O_SYNC    04000000
#define O_SYNC      04010000
#define O_PATH      010000000
#define __O_TMPFILE 020000000
#define O_TMPFILE   020200000
#define O_NDELAY    04000
#define FASYNC      020000

/* openat2(2): struct open_how resolve */
#define RESOLVE_NO_XDEV       0x1
#define RESOLVE_NO_MAGICLINKS 0x2
#define RESOLVE_NO_SYMLINKS   0x4
#define RESOLVE_BENEATH       0x8
#define RESOLVE_IN_ROOT       0x10
#define RESOLVE_CACHED        0x20

struct linux_open_how {
	u64 flags;
	u64 mode;
	u64 resolve;
};

static_assert(sizeof(struct linux_open_how) == 24, "ABI");
#define OPEN_HOW_SIZE_VER0 24

/* fcntl(2) commands */
#define F_DUPFD            0
#define F_GETFD            1
#define F_SETFD            2
#define F_GETFL            3
#define F_SETFL            4
#define F_GETLK            5
#define F_SETLK            6
#define F_SETLKW           7
#define F_SETOWN           8
#define F_GETOWN           9
#define F_SETSIG           10
#define F_GETSIG           11
#define F_SETOWN_EX        15
#define F_GETOWN_EX        16
#define F_GETOWNER_UIDS    17
#define F_OFD_GETLK        36
#define F_OFD_SETLK        37
#define F_OFD_SETLKW       38
#define F_SETLEASE         1024
#define F_GETLEASE         1025
#define F_NOTIFY           1026
#define F_DUPFD_QUERY      1027
#define F_CREATED_QUERY    1028
#define F_CANCELLK         1029
#define F_DUPFD_CLOEXEC    1030
#define F_SETPIPE_SZ       1031
#define F_GETPIPE_SZ       1032
#define F_ADD_SEALS        1033
#define F_GET_SEALS        1034
#define F_GET_RW_HINT      1035
#define F_SET_RW_HINT      1036
#define F_GET_FILE_RW_HINT 1037
#define F_SET_FILE_RW_HINT 1038

/* file descriptor flags */
#define FD_CLOEXEC 1

/* struct f_owner_ex type */
#define F_OWNER_TID  0
#define F_OWNER_PID  1
#define F_OWNER_PGRP 2

/* struct flock l_type */
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
#define F_EXLCK 4
#define F_SHLCK 8

/* flock(2) */
#define LOCK_SH    1
#define LOCK_EX    2
#define LOCK_NB    4
#define LOCK_UN    8
#define LOCK_MAND  32
#define LOCK_READ  64
#define LOCK_WRITE 128
#define LOCK_RW    192

/* memfd seals */
#define F_SEAL_SEAL         0x1
#define F_SEAL_SHRINK       0x2
#define F_SEAL_GROW         0x4
#define F_SEAL_WRITE        0x8
#define F_SEAL_FUTURE_WRITE 0x10
#define F_SEAL_EXEC         0x0020

/* directory notification, F_NOTIFY */
#define DN_ACCESS    0x1
#define DN_MODIFY    0x2
#define DN_CREATE    0x4
#define DN_DELETE    0x8
#define DN_RENAME    0x10
#define DN_ATTRIB    0x20
#define DN_MULTISHOT 0x80000000

/* write life time hints */
#define RWH_WRITE_LIFE_NOT_SET 0
#define RWH_WRITE_LIFE_NONE    1
#define RWH_WRITE_LIFE_SHORT   2
#define RWH_WRITE_LIFE_MEDIUM  3
#define RWH_WRITE_LIFE_LONG    4
#define RWH_WRITE_LIFE_EXTREME 5

struct linux_flock {
	s16 l_type;
	s16 l_whence;
	s64 l_start;
	s64 l_len;
	s32 l_pid;
};

static_assert(sizeof(struct linux_flock) == 32, "ABI");
static_assert(offsetof(struct linux_flock, l_start) == 8, "ABI");

struct linux_f_owner_ex {
	s32 type;
	s32 pid;
};

static_assert(sizeof(struct linux_f_owner_ex) == 8, "ABI");

/* *at(2) */
#define AT_FDCWD              (-100)
#define AT_SYMLINK_NOFOLLOW   0x100
#define AT_EACCESS            0x200
#define AT_REMOVEDIR          0x200
#define AT_SYMLINK_FOLLOW     0x400
#define AT_NO_AUTOMOUNT       0x800
#define AT_EMPTY_PATH         0x1000
#define AT_STATX_SYNC_TYPE    0x6000
#define AT_STATX_SYNC_AS_STAT 0x0
#define AT_STATX_FORCE_SYNC   0x2000
#define AT_STATX_DONT_SYNC    0x4000
#define AT_RECURSIVE          0x8000
#define AT_HANDLE_FID         0x200

/* access(2) */
#define R_OK 4
#define W_OK 2
#define X_OK 1
#define F_OK 0

/* lseek(2) */
#define SEEK_SET  0
#define SEEK_CUR  1
#define SEEK_END  2
#define SEEK_DATA 3
#define SEEK_HOLE 4
#define SEEK_MAX  4

/* renameat2(2) */
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE  2
#define RENAME_WHITEOUT  4

/* fallocate(2) */
#define FALLOC_FL_KEEP_SIZE      0x1
#define FALLOC_FL_PUNCH_HOLE     0x2
#define FALLOC_FL_NO_HIDE_STALE  0x4
#define FALLOC_FL_COLLAPSE_RANGE 0x8
#define FALLOC_FL_ZERO_RANGE     0x10
#define FALLOC_FL_INSERT_RANGE   0x20
#define FALLOC_FL_UNSHARE_RANGE  0x40

/* posix_fadvise(2) */
#define POSIX_FADV_NORMAL     0
#define POSIX_FADV_RANDOM     1
#define POSIX_FADV_SEQUENTIAL 2
#define POSIX_FADV_WILLNEED   3
#define POSIX_FADV_DONTNEED   4
#define POSIX_FADV_NOREUSE    5
