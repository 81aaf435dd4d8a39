/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ringfence/ringfence.h: run one program in a sandbox.
 *
 *	struct rf_config config;
 *	struct rf_result result;
 *	struct rf_error err;
 *
 *	rf_config_init(&config);
 *	config.argv = argv;
 *	if (rf_run(&config, &result, &err) < 0)
 *		fprintf(stderr, "%s\n", err.text);
 *
 * rf_run() makes two processes (fork(2), no exec): a guardian, and under it the monitor, which is the only one that touches the
 * sandbox. When it returns both are gone, and descriptors, signal mask, terminal mode, umask, limits and the current
 * directory of the caller are as before. It can be called again and again, and by several threads at a time. The monitor starts as a copy of the
 * caller's memory: what the program in the sandbox must not learn under any circumstances is best not there.
 *
 * Whatever kills one of these processes, the others end. Whoever kills the caller kills its sandboxes.
 */
#pragma once

#include <ringfence/platform.h>

#ifdef __cplusplus
extern "C" {
#endif

#define RF_MEMORY_DEFAULT (UINT64_C(1) << 30)
#define RF_MEMORY_MIN     (UINT64_C(32) << 20)
#define RF_MEMORY_MAX     (UINT64_C(256) << 30)
#define RF_MOUNTS_MAX     200u

enum rf_residency_choice { RF_CHOOSE_AUTO, RF_CHOOSE_GUEST, RF_CHOOSE_HOST };

/* Kernel page-table isolation, residency guest only. Auto: where the CPU lets user code read supervisor pages (Meltdown). */
enum rf_kpti { RF_KPTI_AUTO, RF_KPTI_ON, RF_KPTI_OFF };

/* Events for random CPUs at random times, so many a second on average. Residency guest only, but for kicks. */
struct rf_injection {
	uint32_t nmi;
	uint32_t mc;   /* machine checks of user code: SIGBUS */
	uint32_t df;   /* double faults: the end */
	uint32_t kick; /* interrupts that find nothing to do */
};

/*
 * What may be missing of the walls around the monitor, the host process that serves the sandbox. Full: none that `ringfence doctor` calls
 * required, else rf_run() fails with RF_FAILURE_ISOLATION. Reduced: what the host gives, with a warning on standard error for
 * each one missing; no_new_privs and the system call filter always. None: nothing, for debugging.
 */
enum rf_isolation { RF_ISOLATION_FULL, RF_ISOLATION_REDUCED, RF_ISOLATION_NONE };

enum rf_mount_kind { RF_MOUNT_RW, RF_MOUNT_RO, RF_MOUNT_HIDE, RF_MOUNT_TMPFS };
struct rf_mount {
	enum rf_mount_kind kind;
	const char *source; /* host path (RW, RO) */
	const char *target; /* absolute path inside; NULL: the same as source */
};

/*
 * What a sandbox may use up; 0 means the default. Memory, pids, files, disk and file size are kept by the kernel inside, where
 * programs see them and get Linux's errors; CPU time, wall time and output by the monitor, which ends the sandbox.
 */
struct rf_limits {
	uint64_t memory; /* bytes of page frames inside; RF_MEMORY_DEFAULT */
	uint32_t pids;   /* processes and threads at a time; RF_PIDS_DEFAULT */
	uint32_t files;  /* open files (open file descriptions) at a time; RF_FILES_DEFAULT */
	uint64_t
		disk; /* bytes of all that is written to file systems in memory; half of the memory */
	uint64_t
		disk_inodes; /* files, directories and further names there; one for each 4 KiB of disk, at least RF_INODES_MIN */
	uint64_t file_size;    /* bytes of any one file (RLIMIT_FSIZE, hard); the caller's */
	uint64_t cpu_time_ns;  /* CPU time of the whole sandbox on the host; none */
	uint64_t wall_time_ns; /* from the start of the program; none */
	uint64_t output;       /* bytes written to standard output and error together; none */
};
#define RF_PIDS_DEFAULT  4096u
#define RF_PIDS_MAX      30000u
#define RF_FILES_DEFAULT 65536u
#define RF_FILES_MIN     16u
#define RF_FILES_MAX     1048576u
#define RF_DISK_MIN      (UINT64_C(64) << 10)
#define RF_INODES_MIN    1024u
#define RF_INODES_MAX    UINT32_MAX
#define RF_TIME_MIN_NS   UINT64_C(1000000)
#define RF_TIME_MAX_NS   (UINT64_C(1000) * 86400 * 1000000000) /* 1000 days */

/* Which limit ended the program or the sandbox. */
enum rf_limit {
	RF_LIMIT_NONE,
	RF_LIMIT_MEMORY, /* the program itself was killed (signal 9) because memory ran out */
	RF_LIMIT_CPU_TIME,
	RF_LIMIT_WALL_TIME,
	RF_LIMIT_OUTPUT,
};

/* Strings and arrays are borrowed until rf_run() returns. Zero or NULL means the default, but for what rf_config_init() sets. */
struct rf_config {
	const char *platform; /* NULL or "auto": the first that works */
	const char *device;   /* NULL: the platform's own */
	enum rf_residency_choice residency;
	uint32_t cpus; /* 0: as many as the host gives this process, at most 4 */
	struct rf_limits limits;
	bool huge_pages; /* ask the host for transparent huge pages */
	bool core_sched; /* share no CPU core's hyperthreads with others; refused where the host cannot */
	enum rf_kpti kpti;
	struct rf_injection inject; /* for tests */
	uint32_t withheld_features; /* RF_BOOT_F_*: CPU features to do without, for tests */

	enum rf_isolation isolation;

	const char *root; /* host directory below the writable layer; NULL: "/" */
	const struct rf_mount *mounts;
	size_t mount_count;

	const char *program;     /* NULL: argv[0] */
	const char *const *argv; /* NULL-terminated, at least one */
	const char *const *envp; /* NULL-terminated; NULL: empty */
	const char *workdir;     /* NULL: the caller's; / if that is hidden inside */
	const char *hostname;    /* NULL: "ringfence" */
	uint32_t uid, gid;       /* UINT32_MAX: the caller's */

	bool strace;
	const char *strace_set; /* comma separated names, NULL: all */
	int strace_fd, log_fd;  /* -1: standard error */
	uint32_t log_level;     /* 0 errors … 3 debug */
	/*
	 * A CPU whose thread used this many seconds of CPU time without answering is described in the log, and the sandbox
	 * ends with RF_FAILURE_PANIC. 0: RF_WATCHDOG_DEFAULT; RF_WATCHDOG_OFF: never.
	 */
	uint32_t watchdog_seconds;
	/*
	 * Where a lost sandbox (RF_FAILURE_PANIC, RF_FAILURE_INTERNAL) is described: registers, backtrace, last calls. report_file: a file
	 * that must not exist yet; else report_dir: a new file in that directory, which is made if it is missing. Both NULL: on the log.
	 * The file has mode 0600; symbolic links are not followed. Nothing is made when all is well.
	 */
	const char *report_file, *report_dir;
	uint32_t
		debug_crash; /* testing aid: the kernel breaks down when the first program ends; 0: it doesn't */

	/*
	 * While the sandbox runs, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGTSTP, SIGCONT, SIGUSR1 and SIGUSR2 of this process, unless
	 * ignored, go to the program, a program stopped by job control stops this process, and three SIGTERM or SIGQUIT
	 * within two seconds end the sandbox. For a process that stands for its program, with one sandbox at a time and these signals
	 * blocked in its other threads. Default: signals are none of rf_run()'s business.
	 */
	bool forward_signals;
	/*
	 * Standard input and output of this process become /dev/null once the sandbox has them, so that the other ends see
	 * when the program closes them. Default: they stay.
	 */
	bool release_streams;

	/* kernel.elf; libringfence.a has it from kernel_image_start to kernel_image_end. */
	const void *kernel;
	size_t kernel_size;
};
#define RF_WATCHDOG_DEFAULT 20u
#define RF_WATCHDOG_OFF     UINT32_MAX
void rf_config_init(struct rf_config *config);

/* Why a sandbox did not start or was lost. */
enum rf_failure {
	RF_FAILURE_NONE,
	RF_FAILURE_USAGE,       /* the configuration makes no sense */
	RF_FAILURE_NO_PLATFORM, /* unknown platform, or its device is missing */
	RF_FAILURE_PERMISSION,  /* no permission on the device */
	RF_FAILURE_PROBE,       /* the platform does not behave as needed */
	RF_FAILURE_MEMORY,      /* too little, or the host has none */
	RF_FAILURE_SETUP,       /* a path, handle or thread of the sandbox could not be made */
	RF_FAILURE_INTERNAL,    /* the monitor is at fault, or was killed */
	RF_FAILURE_PANIC,       /* the kernel is at fault */
	RF_FAILURE_ISOLATION,   /* a wall around the monitor cannot be had here */
	RF_FAILURE_LIMIT,       /* a limit was reached that ends the sandbox: rf_result.limit */
};

/* When each step was done, in microseconds since rf_run() began, in their order; 0: it did not come to that. docs/processes.md */
struct rf_timing {
	uint64_t platform_us;   /* device open and probed */
	uint64_t guardian_us;   /* guardian forked */
	uint64_t namespaces_us; /* namespaces made */
	uint64_t monitor_us;    /* monitor forked */
	uint64_t mounts_us;     /* views of the host's files mounted */
	uint64_t arena_us;      /* memory mapped, kernel loaded */
	uint64_t machine_us;    /* machine and vCPUs made */
	uint64_t config_us;     /* mounts opened, configuration written */
	uint64_t cage_us;       /* host mounts and rights dropped */
	uint64_t threads_us;    /* CPU threads made */
	uint64_t filter_us;     /* system calls filtered */
	uint64_t first_call_us; /* first hostcall of the kernel */
	uint64_t end_us;        /* program ended */
	uint64_t done_us;       /* processes gone */
};
struct rf_totals {
	uint64_t hostcalls, syscalls, faults, switches;
	struct rf_stats platform;
};

#define RF_REPORT_NAME_MAX 1024
struct rf_result {
	enum rf_failure failure;
	int exit_code; /* 0..255, if signal is 0 */
	int signal;    /* the program died of this signal */
	enum rf_limit limit;
	enum rf_residency residency;
	const char *platform;
	struct rf_timing timing;
	struct rf_totals totals;
	char report_file[RF_REPORT_NAME_MAX]; /* the report that was made; empty: none */
};

/*
 * Runs the program until it ends. Returns 0 with exit_code or signal set, or a negative errno with
 * ret->failure and a message (when the kernel panicked the details are on the log).
 */
int rf_run(const struct rf_config *config, struct rf_result *ret, struct rf_error *err);

/* What `auto` chose or would choose, with the probe it chose by. */
struct rf_choice {
	const struct rf_platform *platform; /* NULL: none is usable */
	enum rf_residency residency;
	enum rf_failure failure;
	bool probed; /* `probe` is filled in */
	struct rf_probe probe;
	int device; /* open descriptor or -1; the caller's to close */
};
/* Opens and probes. Returns 0, or a negative errno with ret->failure and a message. */
int rf_choose(const struct rf_config *config, struct rf_choice *ret, struct rf_error *err);

#ifdef __cplusplus
}
#endif
