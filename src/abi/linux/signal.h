/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals: signal(7), sigaction(2), sigaltstack(2), siginfo, the x86-64 signal context.
 * Guest pointers are u64.
 */
#pragma once

#include "base/types.h"

/* signal numbers */
#define SIGHUP    1
#define SIGINT    2
#define SIGQUIT   3
#define SIGILL    4
#define SIGTRAP   5
#define SIGABRT   6
#define SIGIOT    6
#define SIGBUS    7
#define SIGFPE    8
#define SIGKILL   9
#define SIGUSR1   10
#define SIGSEGV   11
#define SIGUSR2   12
#define SIGPIPE   13
#define SIGALRM   14
#define SIGTERM   15
#define SIGSTKFLT 16
#define SIGCHLD   17
#define SIGCONT   18
#define SIGSTOP   19
#define SIGTSTP   20
#define SIGTTIN   21
#define SIGTTOU   22
#define SIGURG    23
#define SIGXCPU   24
#define SIGXFSZ   25
#define SIGVTALRM 26
#define SIGPROF   27
#define SIGWINCH  28
#define SIGIO     29
#define SIGPOLL   29
#define SIGPWR    30
#define SIGSYS    31
#define SIGRTMIN  32
#define SIGRTMAX  64

/* number of signals; signal n is bit n − 1 of a set */
#define _NSIG 64

typedef u64 linux_sigset_t;

#define SIGSET_BIT(sig) (1UL << ((sig)-1))

/* sigprocmask(2) */
#define SIG_BLOCK   0
#define SIG_UNBLOCK 1
#define SIG_SETMASK 2

/* handlers */
#define SIG_DFL 0UL
#define SIG_IGN 1UL
#define SIG_ERR (~0UL)

/* sigaction(2) sa_flags */
#define SA_NOCLDSTOP      0x1
#define SA_NOCLDWAIT      0x2
#define SA_SIGINFO        0x4
#define SA_UNSUPPORTED    0x400
#define SA_EXPOSE_TAGBITS 0x800
#define SA_RESTORER       0x4000000
#define SA_ONSTACK        0x8000000
#define SA_RESTART        0x10000000
#define SA_NODEFER        0x40000000
#define SA_NOMASK         0x40000000
#define SA_RESETHAND      0x80000000
#define SA_ONESHOT        0x80000000

/* The kernel's layout, not libc's: rt_sigaction(2). */
struct linux_sigaction {
	u64 sa_handler;
	u64 sa_flags;
	u64 sa_restorer;
	linux_sigset_t sa_mask;
};

static_assert(sizeof(struct linux_sigaction) == 32, "ABI");
static_assert(offsetof(struct linux_sigaction, sa_mask) == 24, "ABI");

struct linux_stack {
	u64 ss_sp;
	s32 ss_flags;
	u64 ss_size;
};

static_assert(sizeof(struct linux_stack) == 24, "ABI");
static_assert(offsetof(struct linux_stack, ss_size) == 16, "ABI");

/* sigaltstack(2) */
#define SS_ONSTACK    1
#define SS_DISABLE    2
#define SS_AUTODISARM 0x80000000
#define SS_FLAG_BITS  0x80000000
#define MINSIGSTKSZ   2048
#define SIGSTKSZ      8192

union linux_sigval {
	s32 sival_int;
	u64 sival_ptr;
};

/*
 * The variants of the union share names where they share the place, so that a member is written
 * as in user code (info.si_pid). Clear the whole struct before filling it: all of it is copied
 * to the guest.
 */
struct linux_siginfo {
	s32 si_signo;
	s32 si_errno;
	s32 si_code;
	s32 pad0;
	union {
		/* kill, sigqueue, SIGCHLD */
		struct {
			s32 si_pid;
			u32 si_uid;
			union {
				union linux_sigval si_value;
				s32 si_status;
			};
			s64 si_utime;
			s64 si_stime;
		};
		/* POSIX timers; si_value as above */
		struct {
			s32 si_tid;
			s32 si_overrun;
			u64 pad1;
			s32 si_sys_private;
		};
		/* SIGILL, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP */
		struct {
			u64 si_addr;
			union {
				s32 si_trapno;
				s16 si_addr_lsb;
				u64 si_perf_data;
			};
			union {
				u64 si_lower;
				u32 si_pkey;
				struct {
					u32 si_perf_type;
					u32 si_perf_flags;
				};
			};
			u64 si_upper;
		};
		/* SIGIO, SIGPOLL */
		struct {
			s64 si_band;
			s32 si_fd;
		};
		/* SIGSYS */
		struct {
			u64 si_call_addr;
			s32 si_syscall;
			u32 si_arch;
		};
		s32 si_pad[28];
	};
};

static_assert(sizeof(struct linux_siginfo) == 128, "ABI");
static_assert(offsetof(struct linux_siginfo, si_pid) == 16, "ABI");
static_assert(offsetof(struct linux_siginfo, si_value) == 24, "ABI");
static_assert(offsetof(struct linux_siginfo, si_upper) == 40, "ABI");
#define SI_MAX_SIZE 128

/* si_code of any signal */
#define SI_USER     0
#define SI_KERNEL   0x80
#define SI_QUEUE    (-1)
#define SI_TIMER    (-2)
#define SI_MESGQ    (-3)
#define SI_ASYNCIO  (-4)
#define SI_SIGIO    (-5)
#define SI_TKILL    (-6)
#define SI_DETHREAD (-7)
#define SI_ASYNCNL  (-60)

/* SIGILL */
#define ILL_ILLOPC   1
#define ILL_ILLOPN   2
#define ILL_ILLADR   3
#define ILL_ILLTRP   4
#define ILL_PRVOPC   5
#define ILL_PRVREG   6
#define ILL_COPROC   7
#define ILL_BADSTK   8
#define ILL_BADIADDR 9

/* SIGFPE */
#define FPE_INTDIV   1
#define FPE_INTOVF   2
#define FPE_FLTDIV   3
#define FPE_FLTOVF   4
#define FPE_FLTUND   5
#define FPE_FLTRES   6
#define FPE_FLTINV   7
#define FPE_FLTSUB   8
#define FPE_FLTUNK   14
#define FPE_CONDTRAP 15

/* SIGSEGV */
#define SEGV_MAPERR 1
#define SEGV_ACCERR 2
#define SEGV_BNDERR 3
#define SEGV_PKUERR 4
#define SEGV_CPERR  10

/* SIGBUS */
#define BUS_ADRALN    1
#define BUS_ADRERR    2
#define BUS_OBJERR    3
#define BUS_MCEERR_AR 4
#define BUS_MCEERR_AO 5

/* SIGTRAP */
#define TRAP_BRKPT  1
#define TRAP_TRACE  2
#define TRAP_BRANCH 3
#define TRAP_HWBKPT 4
#define TRAP_UNK    5
#define TRAP_PERF   6

/* SIGCHLD */
#define CLD_EXITED    1
#define CLD_KILLED    2
#define CLD_DUMPED    3
#define CLD_TRAPPED   4
#define CLD_STOPPED   5
#define CLD_CONTINUED 6

/* SIGPOLL */
#define POLL_IN  1
#define POLL_OUT 2
#define POLL_MSG 3
#define POLL_ERR 4
#define POLL_PRI 5
#define POLL_HUP 6

/* SIGSYS */
#define SYS_SECCOMP       1
#define SYS_USER_DISPATCH 2

/* struct sigevent sigev_notify */
#define SIGEV_SIGNAL    0
#define SIGEV_NONE      1
#define SIGEV_THREAD    2
#define SIGEV_THREAD_ID 4
#define SIGEV_MAX_SIZE  64

struct linux_sigevent {
	union linux_sigval sigev_value;
	s32 sigev_signo;
	s32 sigev_notify;
	union {
		s32 sigev_tid; /* SIGEV_THREAD_ID */
		struct {
			u64 sigev_function;
			u64 sigev_attribute;
		};
		s32 sigev_pad[12];
	};
};

static_assert(sizeof(struct linux_sigevent) == 64, "ABI");
static_assert(offsetof(struct linux_sigevent, sigev_tid) == 16, "ABI");

/* The software-defined bytes 464..511 of the FXSAVE image in a signal frame. */
struct linux_fpx_sw_bytes {
	u32 magic1;
	u32 extended_size; /* FXSAVE or XSAVE image plus FP_XSTATE_MAGIC2 */
	u64 xfeatures;
	u32 xstate_size; /* without FP_XSTATE_MAGIC2 */
	u32 padding[7];
};

static_assert(sizeof(struct linux_fpx_sw_bytes) == 48, "ABI");

/* The FXSAVE image, 64-bit form (SDM vol. 1, 10.5.1 "FXSAVE Area"). */
struct linux_fpstate {
	u16 cwd;
	u16 swd;
	u16 twd;
	u16 fop;
	u64 rip;
	u64 rdp;
	u32 mxcsr;
	u32 mxcsr_mask;
	u32 st_space[32];
	u32 xmm_space[64];
	u32 reserved2[12];
	struct linux_fpx_sw_bytes sw_reserved;
};

static_assert(sizeof(struct linux_fpstate) == 512, "ABI");
static_assert(offsetof(struct linux_fpstate, sw_reserved) == 464, "ABI");
#define FP_XSTATE_MAGIC1      0x46505853
#define FP_XSTATE_MAGIC2      0x46505845
#define FP_XSTATE_MAGIC2_SIZE 4

struct linux_sigcontext {
	u64 r8;
	u64 r9;
	u64 r10;
	u64 r11;
	u64 r12;
	u64 r13;
	u64 r14;
	u64 r15;
	u64 rdi;
	u64 rsi;
	u64 rbp;
	u64 rbx;
	u64 rdx;
	u64 rax;
	u64 rcx;
	u64 rsp;
	u64 rip;
	u64 eflags;
	u16 cs;
	u16 gs;
	u16 fs;
	u16 ss;
	u64 err;
	u64 trapno;
	u64 oldmask;
	u64 cr2;
	u64 fpstate; /* 0: no floating-point state */
	u64 reserved1[8];
};

static_assert(sizeof(struct linux_sigcontext) == 256, "ABI");
static_assert(offsetof(struct linux_sigcontext, rip) == 128, "ABI");
static_assert(offsetof(struct linux_sigcontext, fpstate) == 184, "ABI");

struct linux_ucontext {
	u64 uc_flags;
	u64 uc_link;
	struct linux_stack uc_stack;
	struct linux_sigcontext uc_mcontext;
	linux_sigset_t uc_sigmask;
};

static_assert(sizeof(struct linux_ucontext) == 304, "ABI");
static_assert(offsetof(struct linux_ucontext, uc_mcontext) == 40, "ABI");
static_assert(offsetof(struct linux_ucontext, uc_sigmask) == 296, "ABI");

/* uc_flags */
#define UC_FP_XSTATE         0x1
#define UC_SIGCONTEXT_SS     0x2
#define UC_STRICT_RESTORE_SS 0x4
