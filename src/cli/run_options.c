/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/exit_codes.h"

enum {
	KEY_PLATFORM = 256,
	KEY_DEVICE,
	KEY_RESIDENCY,
	KEY_KPTI,
	KEY_INJECT,
	KEY_CPU_FEATURES,
	KEY_CPUS,
	KEY_MEMORY,
	KEY_PIDS,
	KEY_FILES,
	KEY_DISK,
	KEY_FILE_SIZE,
	KEY_OUTPUT,
	KEY_CPU_TIME,
	KEY_WALL_TIME,
	KEY_HUGE,
	KEY_CORE_SCHED,
	KEY_RW,
	KEY_RO,
	KEY_HIDE,
	KEY_TMPFS,
	KEY_ROOT,
	KEY_ENV,
	KEY_ENV_ALL,
	KEY_WORKDIR,
	KEY_USER,
	KEY_HOSTNAME,
	KEY_STRACE,
	KEY_STRACE_FILE,
	KEY_LOG,
	KEY_LOG_FILE,
	KEY_TIMING,
	KEY_STATS,
	KEY_WATCHDOG,
	KEY_DEBUG_CRASH,
	KEY_REPORT,
	KEY_REPORT_DIR,
	KEY_ISOLATION,
};

static const struct argp_option options[] = {
	{ NULL, 0, NULL, 0, "What is visible:", 1 },
	{ "rw", KEY_RW, "PATH[:TARGET]", 0,
	  "Show a host file or directory, also of what is hidden, writable", 0 },
	{ "ro", KEY_RO, "PATH[:TARGET]", 0,
	  "Show a host file or directory, also of what is hidden, read-only", 0 },
	{ "hide", KEY_HIDE, "PATH", 0, "Hide more: an empty file or directory is in its place", 0 },
	{ "tmpfs", KEY_TMPFS, "PATH", 0, "Put an empty file system in memory on PATH", 0 },
	{ "root", KEY_ROOT, "DIR", 0,
	  "Host directory that is / inside, below a writable layer in memory (default /)", 0 },
	{ "isolation", KEY_ISOLATION, "LEVEL", 0,
	  "Walls around the monitor, the host process that serves the sandbox: full (refuse to start where one is missing; see ringfence doctor), "
	  "reduced (warn, and do without) or none (for debugging) (default full)",
	  0 },
	{ NULL, 0, NULL, 0, "The program's surroundings:", 2 },
	{ "env", KEY_ENV, "NAME[=VALUE]", 0, "Set a variable, or pass the caller's", 0 },
	{ "env-all", KEY_ENV_ALL, NULL, 0,
	  "Pass the whole environment (default: PATH HOME USER LOGNAME SHELL TERM COLORTERM LANG LANGUAGE LC_* TZ, and PWD), with whatever secrets are in it",
	  0 },
	{ "workdir", KEY_WORKDIR, "DIR", 0, "Start in DIR (default: the current directory)", 0 },
	{ "user", KEY_USER, "UID[:GID]", 0, "User and group inside (default: the caller's)", 0 },
	{ "hostname", KEY_HOSTNAME, "NAME", 0, "Host name inside (default ringfence)", 0 },
	{ NULL, 0, NULL, 0, "The machine:", 3 },
	{ "cpus", KEY_CPUS, "N", 0,
	  "CPUs inside (default: as many as this process may use, at most 4)", 0 },
	{ "huge-pages", KEY_HUGE, NULL, 0, "Ask the host for transparent huge pages", 0 },
	{ "core-sched", KEY_CORE_SCHED, NULL, 0,
	  "Share no core with others: its hyperthreads run this sandbox or nothing (needs Linux 5.14 with CONFIG_SCHED_CORE; refused without)",
	  0 },
	{ "platform", KEY_PLATFORM, "NAME", 0, "auto or kvm (default auto)", 0 },
	{ "device", KEY_DEVICE, "PATH", 0, "The platform's device (default /dev/kvm)", 0 },
	{ "residency", KEY_RESIDENCY, "WHERE", 0,
	  "Where the kernel runs: auto, guest or host (default auto)", 0 },
	{ "kpti", KEY_KPTI, "WHEN", 0,
	  "Keep the kernel out of the page tables that user code runs on: auto (where the CPU has the Meltdown flaw), on or off (default auto); "
	  "no effect in residency host, where it is the host kernel's to do",
	  0 },
	{ "cpu-features", KEY_CPU_FEATURES, "LIST", 0,
	  "Do without CPU features, comma separated, for tests: -smap, -smep, -fsgsbase, -umip, -pcid, -invpcid, -xsave, -xsaveopt, -1g",
	  0 },
	{ "debug-inject", KEY_INJECT, "WHAT:N", 0,
	  "For tests: send random CPUs N events a second at random times: nmi, mc (machine checks: SIGBUS), df (double faults: the end), which need "
	  "residency guest, or kick",
	  0 },
	{ NULL, 0, NULL, 0, "Limits:", 4 },
	{ "memory", KEY_MEMORY, "SIZE", 0,
	  "Memory inside, at least 32M (default 1G); taken from the host when touched", 0 },
	{ "pids", KEY_PIDS, "N", 0, "Most processes and threads at a time (default 4096)", 0 },
	{ "files", KEY_FILES, "N", 0, "Most open files at a time (default 65536)", 0 },
	{ "disk", KEY_DISK, "SIZE[:INODES]", 0,
	  "Room for what is written to file systems in memory: the layer over the root, /tmp, /dev/shm (default half of the memory, an inode for each 4K)",
	  0 },
	{ "file-size", KEY_FILE_SIZE, "SIZE", 0, "Largest size of a file (default: the caller's)",
	  0 },
	{ "output", KEY_OUTPUT, "SIZE", 0,
	  "Most bytes written to standard output and error together (default unlimited)", 0 },
	{ "cpu-time", KEY_CPU_TIME, "TIME", 0,
	  "CPU time of the sandbox in seconds, or with s, m, h or d; fractions are possible (default unlimited)",
	  0 },
	{ "wall-time", KEY_WALL_TIME, "TIME", 0,
	  "Likewise, time since its start (default unlimited)", 0 },
	{ NULL, 0, NULL, 0, "Watching:", 5 },
	{ "strace", KEY_STRACE, "SET", OPTION_ARG_OPTIONAL,
	  "Print system calls, or those named in SET (comma separated)", 0 },
	{ "strace-file", KEY_STRACE_FILE, "FILE", 0, "Print them to FILE instead of standard error",
	  0 },
	{ "log", KEY_LOG, "LEVEL", 0, "error, warn, info or debug (default warn)", 0 },
	{ "log-file", KEY_LOG_FILE, "FILE", 0, "Log to FILE instead of standard error", 0 },
	{ "timing", KEY_TIMING, NULL, 0, "Print how long each step of the start took", 0 },
	{ "stats", KEY_STATS, "FILE", OPTION_ARG_OPTIONAL,
	  "Write counts as JSON at the end (default: to standard error)", 0 },
	{ "watchdog", KEY_WATCHDOG, "SECONDS", 0,
	  "CPU time after which a CPU that does not respond ends the sandbox (default 20, 0: never)",
	  0 },
	{ "report", KEY_REPORT, "FILE", 0,
	  "Describe a sandbox that was lost (status 206 or 207) in FILE, which must not exist; none: on the log",
	  0 },
	{ "report-dir", KEY_REPORT_DIR, "DIR", 0,
	  "The same in a new file in DIR (default: $XDG_STATE_HOME/ringfence or ~/.local/state/ringfence)",
	  0 },
	{ "debug-crash", KEY_DEBUG_CRASH, "KIND", OPTION_HIDDEN, NULL, 0 },
	{ 0 },
};

static __attribute__((noreturn)) void bad_option(const char *option, const char *why)
{
	message("--%s: %s", option, why);
	exit(EXIT_CODE_USAGE);
}

/* The index of @text in the NULL-terminated @names. */
static int one_of(const char *option, const char *text, const char *const *names,
		  const char *expected)
{
	char why[256];

	for (int i = 0; names[i]; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	snprintf(why, sizeof(why), "'%s' is not known: expected %s", text, expected);
	bad_option(option, why);
}

static uint64_t count_of(const char *option, const char *text, uint64_t min, uint64_t max)
{
	char why[256];
	uint64_t value;

	if (!option_count(text, min, max, &value, why, sizeof(why)))
		bad_option(option, why);
	return value;
}

static void add_mount(struct run_options *o, const char *option, enum rf_mount_kind kind,
		      char *text)
{
	struct rf_mount *m = &o->mounts[o->config.mount_count];
	char why[256];

	if (o->config.mount_count == RF_MOUNTS_MAX)
		bad_option(option, "too many mounts");
	m->kind = kind;
	if (kind == RF_MOUNT_HIDE || kind == RF_MOUNT_TMPFS) {
		if (text[0] != '/')
			bad_option(option, "expected an absolute path");
		m->target = text;
		m->source = text;
	} else if (!option_bind(text, &m->source, &m->target, why, sizeof(why))) {
		bad_option(option, why);
	}
	o->config.mount_count++;
}

static void add_env(struct run_options *o, const char *text)
{
	const char *entry = text;

	if (!*text || *text == '=')
		bad_option("env", "expected NAME or NAME=VALUE");
	if (!strchr(text, '=')) {
		const char *value = getenv(text);

		if (!value)
			return; /* as env(1) and others: what is not set cannot be passed */
		entry = value - strlen(text) - 1; /* getenv() points into NAME=VALUE */
	}
	if (!env_add(o, entry))
		bad_option("env", "out of memory");
}

static void set_user(struct run_options *o, const char *text)
{
	char why[256];

	if (!option_user(text, &o->config.uid, &o->config.gid, why, sizeof(why)))
		bad_option("user", why);
}

static void set_memory(struct run_options *o, const char *text)
{
	char why[256];

	if (!option_size(text, &o->config.limits.memory, why, sizeof(why)))
		bad_option("memory", why);
	if (!o->config.limits.memory) /* 0 would mean the default */
		o->config.limits.memory = 1;
}

static void set_bytes(const char *option, const char *text, uint64_t *ret)
{
	char why[256];

	if (!option_bytes(text, 1, UINT64_MAX, ret, why, sizeof(why)))
		bad_option(option, why);
}

static void set_duration(const char *option, const char *text, uint64_t *ret_ns)
{
	char why[256];

	if (!option_duration(text, ret_ns, why, sizeof(why)))
		bad_option(option, why);
}

static void set_disk(struct run_options *o, const char *text)
{
	struct rf_limits *l = &o->config.limits;
	char why[256];

	if (!option_disk(text, &l->disk, &l->disk_inodes, why, sizeof(why)))
		bad_option("disk", why);
}

static void set_cpu_features(struct run_options *o, const char *text)
{
	char why[256];

	if (!option_cpu_features(text, &o->config.withheld_features, why, sizeof(why)))
		bad_option("cpu-features", why);
}

static void set_inject(struct run_options *o, const char *text)
{
	char why[256];

	if (!option_inject(text, &o->config.inject, why, sizeof(why)))
		bad_option("debug-inject", why);
}

static error_t parse_machine(int key, char *arg, struct run_options *o)
{
	static const char *const residencies[] = { "auto", "guest", "host", NULL };
	static const char *const whens[] = { "auto", "on", "off", NULL };
	static const char *const levels[] = { "full", "reduced", "none", NULL };

	switch (key) {
	case KEY_ISOLATION:
		o->config.isolation = (enum rf_isolation)one_of("isolation", arg, levels,
								"full, reduced or none");
		return 0;
	case KEY_PLATFORM:
		o->config.platform = arg;
		return 0;
	case KEY_DEVICE:
		o->config.device = arg;
		return 0;
	case KEY_RESIDENCY:
		o->config.residency = (enum rf_residency_choice)one_of(
			"residency", arg, residencies, "auto, guest or host");
		return 0;
	case KEY_KPTI:
		o->config.kpti = (enum rf_kpti)one_of("kpti", arg, whens, "auto, on or off");
		return 0;
	case KEY_INJECT:
		set_inject(o, arg);
		return 0;
	case KEY_CPU_FEATURES:
		set_cpu_features(o, arg);
		return 0;
	case KEY_CPUS:
		o->config.cpus = (uint32_t)count_of("cpus", arg, 1, RF_MAX_CPUS);
		return 0;
	case KEY_HUGE:
		o->config.huge_pages = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_limits(int key, char *arg, struct run_options *o)
{
	struct rf_limits *l = &o->config.limits;

	switch (key) {
	case KEY_MEMORY:
		set_memory(o, arg);
		return 0;
	case KEY_PIDS:
		l->pids = (uint32_t)count_of("pids", arg, 1, RF_PIDS_MAX);
		return 0;
	case KEY_FILES:
		l->files = (uint32_t)count_of("files", arg, RF_FILES_MIN, RF_FILES_MAX);
		return 0;
	case KEY_DISK:
		set_disk(o, arg);
		return 0;
	case KEY_FILE_SIZE:
		set_bytes("file-size", arg, &l->file_size);
		return 0;
	case KEY_OUTPUT:
		set_bytes("output", arg, &l->output);
		return 0;
	case KEY_CPU_TIME:
		set_duration("cpu-time", arg, &l->cpu_time_ns);
		return 0;
	case KEY_WALL_TIME:
		set_duration("wall-time", arg, &l->wall_time_ns);
		return 0;
	case KEY_CORE_SCHED:
		o->config.core_sched = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_surroundings(int key, char *arg, struct run_options *o)
{
	switch (key) {
	case KEY_RW:
		add_mount(o, "rw", RF_MOUNT_RW, arg);
		return 0;
	case KEY_RO:
		add_mount(o, "ro", RF_MOUNT_RO, arg);
		return 0;
	case KEY_HIDE:
		add_mount(o, "hide", RF_MOUNT_HIDE, arg);
		return 0;
	case KEY_TMPFS:
		add_mount(o, "tmpfs", RF_MOUNT_TMPFS, arg);
		return 0;
	case KEY_ROOT:
		o->config.root = arg;
		return 0;
	case KEY_ENV:
		add_env(o, arg);
		return 0;
	case KEY_ENV_ALL:
		o->env_all = true;
		return 0;
	case KEY_WORKDIR:
		if (arg[0] != '/')
			bad_option("workdir", "expected an absolute path");
		o->config.workdir = arg;
		o->explicit_workdir = true;
		return 0;
	case KEY_USER:
		set_user(o, arg);
		return 0;
	case KEY_HOSTNAME:
		if (!*arg || strlen(arg) > 64)
			bad_option("hostname", "expected a name of 1 to 64 bytes");
		o->config.hostname = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_watching(int key, char *arg, struct run_options *o)
{
	static const char *const levels[] = { "error", "warn", "info", "debug", NULL };
	/* enum boot_debug: how the kernel breaks down at the end of the first program. For tests. */
	static const char *const crashes[] = { "none", "bug",      "fault",   "stack",
					       "hang", "shutdown", "syscall", NULL };

	switch (key) {
	case KEY_STRACE:
		o->config.strace = true;
		o->config.strace_set = arg;
		return 0;
	case KEY_STRACE_FILE:
		o->strace_file = arg;
		o->config.strace = true;
		return 0;
	case KEY_LOG:
		o->config.log_level =
			(uint32_t)one_of("log", arg, levels, "error, warn, info or debug");
		return 0;
	case KEY_LOG_FILE:
		o->log_file = arg;
		return 0;
	case KEY_WATCHDOG:
		o->config.watchdog_seconds = (uint32_t)count_of("watchdog", arg, 0, 1u << 30);
		if (!o->config.watchdog_seconds)
			o->config.watchdog_seconds = RF_WATCHDOG_OFF;
		return 0;
	case KEY_DEBUG_CRASH:
		o->config.debug_crash =
			(uint32_t)one_of("debug-crash", arg, crashes,
					 "bug, fault, stack, hang, shutdown or syscall");
		return 0;
	case KEY_REPORT:
		o->no_report = strcmp(arg, "none") == 0;
		o->config.report_file = o->no_report ? NULL : arg;
		return 0;
	case KEY_REPORT_DIR:
		o->config.report_dir = arg;
		return 0;
	case KEY_TIMING:
		o->timing = true;
		return 0;
	case KEY_STATS:
		o->stats = true;
		o->stats_file = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct run_options *o = state->input;
	error_t r;

	switch (key) {
	case ARGP_KEY_ARG: /* CMD: everything from here on is the program's */
		o->config.argv = (const char *const *)&state->argv[state->next - 1];
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		message("no program to run; try 'ringfence run --help'");
		exit(EXIT_CODE_USAGE);
	default:
		break;
	}
	r = parse_machine(key, arg, o);
	if (r == ARGP_ERR_UNKNOWN)
		r = parse_limits(key, arg, o);
	if (r == ARGP_ERR_UNKNOWN)
		r = parse_surroundings(key, arg, o);
	return r == ARGP_ERR_UNKNOWN ? parse_watching(key, arg, o) : r;
}

static const char doc[] =
	"Run CMD in a sandbox.\v"
	"Inside, the host's files are visible but for homes, temporary files, sockets, logs, keys and passwords and what not "
	"everybody may read; --ro and --rw show more. Changes stay in memory and are gone at the end, except those to what --rw "
	"names. The exit status is that of CMD, 128+N if signal N ended it, 126 if it cannot be executed, "
	"127 if it is not found, and otherwise: 200 bad command line, 201 no usable platform, 202 no permission on its device, "
	"203 the platform fails its probe, 204 not enough memory, 205 the sandbox cannot be set up, 206 the monitor failed or was killed, "
	"207 the sandbox's kernel failed, 208 --cpu-time, 209 --wall-time, 210 --output reached, "
	"211 a wall around the monitor cannot be had here (see --isolation). "
	"Who uses up the memory is killed (137 if that is CMD), the other limits are errors inside.";

void run_options_parse(struct run_options *o, int argc, char **argv)
{
	const struct argp argp = {
		options, parse_option, "[--] CMD [ARG...]", doc, NULL, NULL, NULL
	};
	char name[] = "ringfence run";

	memset(o, 0, sizeof(*o));
	rf_config_init(&o->config);
	o->config.mounts = o->mounts;
	argp_err_exit_status = EXIT_CODE_USAGE;
	argv[0] = name;
	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, o);
}

void run_options_free(struct run_options *o)
{
	free(o->env);
}
