/* SPDX-License-Identifier: Apache-2.0 */
/* Constants and structs of small system calls, one section each. */
#pragma once

#include "base/types.h"

/* eventfd2(2) */
#define EFD_SEMAPHORE 0x1
#define EFD_CLOEXEC   02000000
#define EFD_NONBLOCK  04000
#define EFD_MAX_VALUE 0xfffffffffffffffeULL

/* signalfd4(2) */
#define SFD_CLOEXEC  02000000
#define SFD_NONBLOCK 04000

struct linux_signalfd_siginfo {
	u32 ssi_signo;
	s32 ssi_errno;
	s32 ssi_code;
	u32 ssi_pid;
	u32 ssi_uid;
	s32 ssi_fd;
	u32 ssi_tid;
	u32 ssi_band;
	u32 ssi_overrun;
	u32 ssi_trapno;
	s32 ssi_status;
	s32 ssi_int;
	u64 ssi_ptr;
	u64 ssi_utime;
	u64 ssi_stime;
	u64 ssi_addr;
	u16 ssi_addr_lsb;
	u16 pad2;
	s32 ssi_syscall;
	u64 ssi_call_addr;
	u32 ssi_arch;
	u8 pad[28];
};

static_assert(sizeof(struct linux_signalfd_siginfo) == 128, "ABI");

/* inotify(7) */
#define IN_CLOEXEC       02000000
#define IN_NONBLOCK      04000
#define IN_ACCESS        0x1
#define IN_MODIFY        0x2
#define IN_ATTRIB        0x4
#define IN_CLOSE_WRITE   0x8
#define IN_CLOSE_NOWRITE 0x10
#define IN_OPEN          0x20
#define IN_MOVED_FROM    0x40
#define IN_MOVED_TO      0x80
#define IN_CREATE        0x100
#define IN_DELETE        0x200
#define IN_DELETE_SELF   0x400
#define IN_MOVE_SELF     0x800
#define IN_UNMOUNT       0x2000
#define IN_Q_OVERFLOW    0x4000
#define IN_IGNORED       0x8000
#define IN_CLOSE         0x18
#define IN_MOVE          0xc0
#define IN_ONLYDIR       0x1000000
#define IN_DONT_FOLLOW   0x2000000
#define IN_EXCL_UNLINK   0x4000000
#define IN_MASK_CREATE   0x10000000
#define IN_MASK_ADD      0x20000000
#define IN_ISDIR         0x40000000
#define IN_ONESHOT       0x80000000
#define IN_ALL_EVENTS    0xfff

struct linux_inotify_event {
	s32 wd;
	u32 mask;
	u32 cookie;
	u32 len; /* of the NUL-padded name that follows */
};

static_assert(sizeof(struct linux_inotify_event) == 16, "ABI");

/* getrandom(2) */
#define GRND_NONBLOCK 0x1
#define GRND_RANDOM   0x2
#define GRND_INSECURE 0x4

/* membarrier(2) */
#define MEMBARRIER_CMD_QUERY                                0x0
#define MEMBARRIER_CMD_GLOBAL                               0x1
#define MEMBARRIER_CMD_GLOBAL_EXPEDITED                     0x2
#define MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED            0x4
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED                    0x8
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED           0x10
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE          0x20
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE 0x40
#define MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ               0x80
#define MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ      0x100
#define MEMBARRIER_CMD_GET_REGISTRATIONS                    0x200
#define MEMBARRIER_CMD_FLAG_CPU                             0x1

/* rseq(2). The 32-byte struct of Linux before 6.3; longer ones follow AT_RSEQ_FEATURE_SIZE. */
struct linux_rseq {
	u32 cpu_id_start;
	u32 cpu_id;
	u64 rseq_cs;
	u32 flags;
	u32 node_id;
	u32 mm_cid;
	u32 pad;
} __attribute__((aligned(32)));

static_assert(sizeof(struct linux_rseq) == 32, "ABI");
static_assert(offsetof(struct linux_rseq, node_id) == 20, "ABI");

struct linux_rseq_cs {
	u32 version;
	u32 flags;
	u64 start_ip;
	u64 post_commit_offset;
	u64 abort_ip;
} __attribute__((aligned(32)));

static_assert(sizeof(struct linux_rseq_cs) == 32, "ABI");
#define RSEQ_ORIG_SIZE                     32
#define RSEQ_ORIG_FEATURE_SIZE             20
#define RSEQ_FLAG_UNREGISTER               1
#define RSEQ_CPU_ID_UNINITIALIZED          (-1)
#define RSEQ_CPU_ID_REGISTRATION_FAILED    (-2)
#define RSEQ_CS_FLAG_NO_RESTART_ON_PREEMPT 1
#define RSEQ_CS_FLAG_NO_RESTART_ON_SIGNAL  2
#define RSEQ_CS_FLAG_NO_RESTART_ON_MIGRATE 4

/* close_range(2) */
#define CLOSE_RANGE_UNSHARE 2
#define CLOSE_RANGE_CLOEXEC 4

/* splice(2), vmsplice(2), tee(2) */
#define SPLICE_F_MOVE     0x1
#define SPLICE_F_NONBLOCK 0x2
#define SPLICE_F_MORE     0x4
#define SPLICE_F_GIFT     0x8

/* sync_file_range(2) */
#define SYNC_FILE_RANGE_WAIT_BEFORE 0x1
#define SYNC_FILE_RANGE_WRITE       0x2
#define SYNC_FILE_RANGE_WAIT_AFTER  0x4

/* pidfd_open(2) */
#define PIDFD_NONBLOCK 04000
#define PIDFD_THREAD   0200

/* setxattr(2) */
#define XATTR_CREATE  1
#define XATTR_REPLACE 2

/* kcmp(2) */
#define KCMP_FILE      0
#define KCMP_VM        1
#define KCMP_FILES     2
#define KCMP_FS        3
#define KCMP_SIGHAND   4
#define KCMP_IO        5
#define KCMP_SYSVSEM   6
#define KCMP_EPOLL_TFD 7

/* mbind(2), set_mempolicy(2), get_mempolicy(2) */
#define MPOL_DEFAULT          0
#define MPOL_PREFERRED        1
#define MPOL_BIND             2
#define MPOL_INTERLEAVE       3
#define MPOL_LOCAL            4
#define MPOL_F_STATIC_NODES   0x8000
#define MPOL_F_RELATIVE_NODES 0x4000
#define MPOL_F_NODE           1
#define MPOL_F_ADDR           2
#define MPOL_F_MEMS_ALLOWED   4

/* reboot(2) */
#define LINUX_REBOOT_MAGIC1        0xfee1dead
#define LINUX_REBOOT_MAGIC2        0x28121969
#define LINUX_REBOOT_CMD_RESTART   0x1234567
#define LINUX_REBOOT_CMD_HALT      0xcdef0123
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedc
#define LINUX_REBOOT_CMD_CAD_ON    0x89abcdef
#define LINUX_REBOOT_CMD_CAD_OFF   0x0
