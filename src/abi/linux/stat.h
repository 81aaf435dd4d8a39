/* SPDX-License-Identifier: Apache-2.0 */
/* stat(2), statx(2), statfs(2), utimensat(2). */
#pragma once

#include "base/types.h"

/* file type and mode bits */
#define S_IFMT   0170000
#define S_IFSOCK 0140000
#define S_IFLNK  0120000
#define S_IFREG  0100000
#define S_IFBLK  060000
#define S_IFDIR  040000
#define S_IFCHR  020000
#define S_IFIFO  010000
#define S_ISUID  04000
#define S_ISGID  02000
#define S_ISVTX  01000
#define S_IRWXU  0700
#define S_IRUSR  0400
#define S_IWUSR  0200
#define S_IXUSR  0100
#define S_IRWXG  070
#define S_IRGRP  040
#define S_IWGRP  020
#define S_IXGRP  010
#define S_IRWXO  07
#define S_IROTH  04
#define S_IWOTH  02
#define S_IXOTH  01

#define S_ISLNK(m)  (((m)&S_IFMT) == S_IFLNK)
#define S_ISREG(m)  (((m)&S_IFMT) == S_IFREG)
#define S_ISDIR(m)  (((m)&S_IFMT) == S_IFDIR)
#define S_ISCHR(m)  (((m)&S_IFMT) == S_IFCHR)
#define S_ISBLK(m)  (((m)&S_IFMT) == S_IFBLK)
#define S_ISFIFO(m) (((m)&S_IFMT) == S_IFIFO)
#define S_ISSOCK(m) (((m)&S_IFMT) == S_IFSOCK)

/* The kernel's x86-64 struct stat, filled by stat, fstat, lstat and newfstatat. */
struct linux_stat {
	u64 st_dev;
	u64 st_ino;
	u64 st_nlink;
	u32 st_mode;
	u32 st_uid;
	u32 st_gid;
	u32 pad0;
	u64 st_rdev;
	s64 st_size;
	s64 st_blksize;
	s64 st_blocks; /* units of 512 bytes */
	u64 st_atime;
	u64 st_atime_nsec;
	u64 st_mtime;
	u64 st_mtime_nsec;
	u64 st_ctime;
	u64 st_ctime_nsec;
	s64 unused[3];
};

static_assert(sizeof(struct linux_stat) == 144, "ABI");
static_assert(offsetof(struct linux_stat, st_rdev) == 40, "ABI");
static_assert(offsetof(struct linux_stat, st_atime) == 72, "ABI");

struct linux_statx_timestamp {
	s64 tv_sec;
	u32 tv_nsec;
	s32 reserved;
};

static_assert(sizeof(struct linux_statx_timestamp) == 16, "ABI");

struct linux_statx {
	u32 stx_mask;
	u32 stx_blksize;
	u64 stx_attributes;
	u32 stx_nlink;
	u32 stx_uid;
	u32 stx_gid;
	u16 stx_mode;
	u16 spare0;
	u64 stx_ino;
	u64 stx_size;
	u64 stx_blocks; /* units of 512 bytes */
	u64 stx_attributes_mask;
	struct linux_statx_timestamp stx_atime;
	struct linux_statx_timestamp stx_btime;
	struct linux_statx_timestamp stx_ctime;
	struct linux_statx_timestamp stx_mtime;
	u32 stx_rdev_major;
	u32 stx_rdev_minor;
	u32 stx_dev_major;
	u32 stx_dev_minor;
	u64 stx_mnt_id;
	u32 stx_dio_mem_align;
	u32 stx_dio_offset_align;
	u64 spare3[12];
};

static_assert(sizeof(struct linux_statx) == 256, "ABI");
static_assert(offsetof(struct linux_statx, stx_atime) == 64, "ABI");
static_assert(offsetof(struct linux_statx, stx_mnt_id) == 144, "ABI");

/* statx(2) mask */
#define STATX_TYPE          0x1
#define STATX_MODE          0x2
#define STATX_NLINK         0x4
#define STATX_UID           0x8
#define STATX_GID           0x10
#define STATX_ATIME         0x20
#define STATX_MTIME         0x40
#define STATX_CTIME         0x80
#define STATX_INO           0x100
#define STATX_SIZE          0x200
#define STATX_BLOCKS        0x400
#define STATX_BTIME         0x800
#define STATX_DIOALIGN      0x2000
#define STATX_ALL           0xfff
#define STATX_MNT_ID        0x1000
#define STATX_BASIC_STATS   0x7ff
#define STATX_MNT_ID_UNIQUE 0x4000
#define STATX_SUBVOL        0x8000
#define STATX__RESERVED     0x80000000

/* statx(2) attributes */
#define STATX_ATTR_COMPRESSED 0x4
#define STATX_ATTR_IMMUTABLE  0x10
#define STATX_ATTR_APPEND     0x20
#define STATX_ATTR_NODUMP     0x40
#define STATX_ATTR_ENCRYPTED  0x800
#define STATX_ATTR_AUTOMOUNT  0x1000
#define STATX_ATTR_MOUNT_ROOT 0x2000
#define STATX_ATTR_VERITY     0x100000
#define STATX_ATTR_DAX        0x200000

/* utimensat(2): tv_nsec */
#define UTIME_NOW  0x3fffffff
#define UTIME_OMIT 0x3ffffffe

struct linux_statfs {
	s64 f_type;
	s64 f_bsize;
	s64 f_blocks;
	s64 f_bfree;
	s64 f_bavail;
	s64 f_files;
	s64 f_ffree;
	s32 f_fsid[2];
	s64 f_namelen;
	s64 f_frsize;
	s64 f_flags; /* ST_* */
	s64 f_spare[4];
};

static_assert(sizeof(struct linux_statfs) == 120, "ABI");
static_assert(offsetof(struct linux_statfs, f_namelen) == 64, "ABI");

/* statfs(2) f_flags */
#define ST_RDONLY      1
#define ST_NOSUID      2
#define ST_NODEV       4
#define ST_NOEXEC      8
#define ST_SYNCHRONOUS 16
#define ST_VALID       0x20
#define ST_MANDLOCK    64
#define ST_NOATIME     1024
#define ST_NODIRATIME  2048
#define ST_RELATIME    4096
#define ST_NOSYMFOLLOW 0x2000
