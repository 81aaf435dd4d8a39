/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot.h: what the monitor hands to the kernel image, and the memory both share.
 *
 * Arena layout (offsets; address = RF_ARENA_BASE + offset on both sides, GPA = RF_ARENA_GPA + offset):
 *
 *   0x000000  struct boot_info            (written by the monitor, then shared)
 *   0x010000  struct boot_config + blob   (argv, environment, mounts; read once by the kernel)
 *   0x200000  kernel image                (linked here)
 *   image end, rounded up to 2 MiB        boot page tables (residency guest), `tables_start` .. `free_start`
 *   free_start .. stacks_start            struct page array and page frames, the kernel's to arrange
 *   stacks_start .. arena_size            kernel stacks, one slot of KSTACK_SLOT bytes a task, guard page first
 *
 * Trust: the monitor reads these fields as hostile input; the kernel may believe what the monitor wrote before boot.
 */
#pragma once

#include "base/types.h"
#include <ringfence/platform.h>

#define BOOT_MAGIC       0x3145434e46474e52ull /* "RNGFNCE1" */
#define BOOT_VERSION     1u
#define BOOT_INFO_OFF    0x0ull
#define BOOT_CONFIG_OFF  0x10000ull
#define BOOT_CONFIG_MAX  (0x200000ull - BOOT_CONFIG_OFF)
#define KERNEL_IMAGE_OFF 0x200000ull
#define KSTACK_SLOT      0x8000ull /* 32 KiB: one guard page, then the stack */

#define HOSTCALL_ARGS 8
/* One outstanding hostcall of a CPU. The monitor copies nr and args once before it looks at them. */
struct mailbox {
	u64 nr;
	u64 arg[HOSTCALL_ARGS];
	s64 ret;
};

/* Per CPU memory shared by kernel and monitor. */
struct cpu_shared {
	struct mailbox mbox;
	u32 kick; /* set to 1 by whoever wants the CPU's attention; the kernel clears it; futex word of HC_IDLE */
	u32 in_user; /* kernel: 1 between the last check of `kick` and the trap out of user code */
	u64 deadline_ns; /* kernel: CLOCK_MONOTONIC time at which user code must be interrupted, 0 = never */
	u64 hostcalls; /* kernel: count, for statistics */
	u64 syscalls;
	u64 faults;
	u64 switches;
	u64 kicks_taken; /* kernel: times it cleared `kick` and looked; the monitor's watchdog waits for it */
} __attribute__((aligned(256)));

/* TSC to time: ns = base_ns + (((tsc - base_tsc) * mult) >> shift). Guarded by `seq` (odd while written). */
struct time_params {
	u32 seq;
	u32 valid; /* 0: the TSC is no good, ask with HC_CLOCK */
	u64 base_tsc;
	u64 mono_ns; /* CLOCK_MONOTONIC at base_tsc */
	u64 real_ns; /* CLOCK_REALTIME at base_tsc */
	u64 boot_ns; /* CLOCK_BOOTTIME at base_tsc */
	u32 mult, shift;
};

#define WATCH_SLOTS 1024u

struct boot_info {
	u64 magic;
	u32 version;
	u32 residency; /* enum rf_residency */
	u32 cpus;
	u32 boot_features;                          /* RF_BOOT_F_* */
	u64 arena_size;                             /* bytes */
	u64 memory_limit;                           /* bytes of page frames the sandbox may use */
	u64 image_end;                              /* offset */
	u64 tables_start, free_start, stacks_start; /* offsets */
	u64 kernel_root; /* guest residency: GPA of the PML4 whose slot 252 maps the arena */
	u64 host_trap; /* host residency: address of the monitor's entry, called on the CPU thread's stack */
	u64 xcr0;
	u32 xsave_size; /* bytes of an XSAVE area (standard format) for xcr0 */
	u32 host_cpus;
	u64 hwcap, hwcap2; /* AT_HWCAP, AT_HWCAP2 */
	u64 min_sigstack;  /* AT_MINSIGSTKSZ */
	u64 tsc_khz;
	u8 random[64];  /* seed of the kernel's random generator */
	u64 config_len; /* bytes at BOOT_CONFIG_OFF */
	struct time_params time;
	/* Host events: the monitor ors revents and sets the bit, then kicks a CPU; the kernel exchanges both with 0. */
	u64 watch_pending[WATCH_SLOTS / 64];
	u32 watch_events[WATCH_SLOTS];
	u32 kpti; /* residency guest: user roots do not map the kernel */
	u32 reserved;
	u64 signals_pending; /* bit (N-1): host signal N arrived for the sandbox */
	struct cpu_shared cpu[RF_MAX_CPUS];
};

/* First bytes of the kernel image (section .header), so that the monitor needs no symbols. */
struct kernel_header {
	u64 magic; /* BOOT_MAGIC */
	u32 version;
	u32 flags;
	u64 entry_guest; /* ring 0: RDI = CPU number, RSP = boot stack inside `boot_stacks` */
	u64 entry_host; /* void entry_host(u64 cpu): called on the CPU thread; returns when the sandbox ends */
	u64 boot_stacks; /* RF_MAX_CPUS stacks of boot_stack_size bytes */
	u64 boot_stack_size;
	u64 text_start, text_end, rodata_start, rodata_end, data_start,
		image_end; /* page aligned addresses */
	u64 thunks, thunks_plain,
		thunks_size; /* retpolines, in the text, and what may replace them */
};

/*
 * Configuration: fixed part, then a blob of NUL-terminated strings addressed by offset from the start of
 * struct boot_config. Offset 0 means absent. String lists are consecutive strings, ended by count.
 */
enum boot_mount_kind {
	BOOT_MOUNT_ROOT_OVERLAY, /* host directory read-only below an in-memory writable layer */
	BOOT_MOUNT_HOST_RW,      /* host directory or file, written through */
	BOOT_MOUNT_HOST_RO,
	BOOT_MOUNT_TMPFS,
	BOOT_MOUNT_HIDE, /* empty directory or empty file over what is there */
	BOOT_MOUNT_PROC,
	BOOT_MOUNT_DEV,
	/*
	 * No mount: in the root overlay, before others cover parts of it, the target is replaced by an empty directory of that
	 * mode and owner, which is made if it is missing; or removed, if the mode is another type's.
	 */
	BOOT_MOUNT_REPLACE,
};
#define BOOT_MOUNTS_MAX 1024u
struct boot_mount {
	u32 kind;
	u32 target; /* absolute path inside */
	u32 handle; /* low 32 bits of the host directory handle (HC handles below 2^32 at boot), kinds with host files */
	u32 is_file;        /* the bound host object is not a directory */
	u64 limit_bytes;    /* tmpfs and overlay: 0 = bounded by memory only */
	u32 mode, uid, gid; /* BOOT_MOUNT_REPLACE: mode with S_IFMT */
	u32 flags;          /* BOOT_MOUNT_F_* */
};
/* Root overlay: nobody inside reads, searches or executes what others on the host may not. */
#define BOOT_MOUNT_F_OTHERS 1u
/* What a standard stream is on the host. */
enum boot_stream_kind {
	BOOT_STREAM_CLOSED,
	BOOT_STREAM_TTY,
	BOOT_STREAM_PIPE,
	BOOT_STREAM_FILE,
	BOOT_STREAM_SOCKET,
	BOOT_STREAM_CHAR
};
struct boot_stream {
	u32 kind;
	u32 flags; /* Linux O_ACCMODE | O_APPEND bits of the host description */
	u64 handle;
};
#define BOOT_F_STRACE 1u
/* A testing aid: how the kernel breaks down when the first program ends. 0: not at all. */
enum boot_debug {
	BOOT_DEBUG_NONE,
	BOOT_DEBUG_BUG,      /* a failed BUG_ON */
	BOOT_DEBUG_FAULT,    /* a read of an unmapped address */
	BOOT_DEBUG_STACK,    /* a kernel stack that runs over */
	BOOT_DEBUG_HANG,     /* a loop with interrupts off */
	BOOT_DEBUG_SHUTDOWN, /* an exception without IDT */
	BOOT_DEBUG_SYSCALL,  /* a system call of the host's (residency host) */
	BOOT_DEBUG_KINDS
};
struct boot_config {
	u32 size;    /* of the whole, bytes */
	u32 flags;   /* BOOT_F_* */
	u32 program; /* path or name as given (searched in the sandbox's PATH if it has no slash) */
	u32 argv, argc;
	u32 envp, envc;
	u32 cwd;
	u32 uid, gid;
	u32 groups, ngroups; /* u32 array, aligned to 4 */
	u32 hostname;
	u32 strace_set; /* comma separated names, 0 = all */
	u32 log_level;
	u32 umask;
	u32 debug_crash; /* enum boot_debug */
	u32 nmounts;
	struct boot_mount mounts[BOOT_MOUNTS_MAX];
	struct boot_stream stream[3];
	u64 rlimits[16][2]; /* soft, hard by RLIMIT_* number */
	u64 pids_max;       /* processes and threads at a time, without the kernel's own */
	u64 files_max;      /* open file descriptions at a time; also the largest RLIMIT_NOFILE */
	u64 file_size;      /* the largest RLIMIT_FSIZE, whoever asks */
	u64 disk_bytes;     /* of data in memory file systems, all together */
	u64 disk_inodes;    /* of inodes and further names in them */
			    /* strings follow */
};

_Static_assert(sizeof(struct boot_info) <= BOOT_CONFIG_OFF,
	       "boot_info fits before the configuration");
