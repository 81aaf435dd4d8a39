/* SPDX-License-Identifier: Apache-2.0 */
/*
 * init.c: process 1 of the lab's virtual machine.
 *
 * It loads the modules the driver script packed beside it, mounts the host's root read-only over
 * 9p if there is one, runs one command there and sends all that command says through one channel, in
 * frames:
 *
 *	u8 kind, u32 length (little endian), length bytes
 *
 *	'b' the port is open; uptime in microseconds
 *	's' the command starts; uptime in microseconds
 *	'o' standard output
 *	'e' standard error
 *	'c' counters, lines of "name value"
 *	'k' the kernel's log
 *	'm' a message of this program
 *	'f' the lab failed; why
 *	'x' the command's exit status, in decimal; always the last frame
 *
 * The channel is a virtio-serial port in QEMU, and in Bochs the debug port 0xE9, which Bochs copies to
 * its standard output; there, each byte goes as two halves with bit 7 set, because Bochs puts text of
 * its own between. A serial line would be slower, would mix the kernel's messages in and would add carriage returns;
 * QEMU's debug-exit device would lose half of the statuses.
 *
 * The configuration is /lab.conf in the initramfs: NUL-terminated "key=value" records, in order.
 * Built static, without any library beyond libc. `init --tsc-khz` on the host prints the TSC's
 * frequency.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#define PORT_WAIT_MS 10000
#define MAX_STRINGS  4096
#define MAX_CPUS     64
#define CHUNK        65536
#define DEBUG_PORT   0xe9

static struct {
	char *args[MAX_STRINGS + 1];
	char *env[MAX_STRINGS + 1];
	char *modules[256];
	char *kvm_modules[64];
	char *overlays[64];
	size_t n_args, n_env, n_modules, n_kvm_modules, n_overlays;
	const char *dir;
	const char *share;
	const char *stdin_path;
	const char *kvm_options;
	int stdin_fd; /* open already, or -1 */
	uid_t uid;
	gid_t gid;
	bool root_9p;
	bool intel;
	bool verbose;
	bool exits;
} conf = { .dir = "/", .stdin_path = "/dev/null", .kvm_options = "", .stdin_fd = -1 };

static int port = -1;
static bool port_is_debug;

/* Frames. */

static void write_all(int fd, const void *data, size_t size)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		p += n;
		size -= (size_t)n;
	}
}

static void debug_port_write(const char *data, size_t size)
{
	static unsigned char halves[2 * (5 + CHUNK)];

	for (size_t i = 0; i < size; i++) {
		halves[2 * i] = (unsigned char)(0x80 | (data[i] >> 4 & 15));
		halves[2 * i + 1] = (unsigned char)(0x80 | (data[i] & 15));
	}
	outsb(DEBUG_PORT, halves, 2 * size);
}

static void frame_send(char kind, const void *data, size_t size)
{
	static char buffer[5 + CHUNK];
	uint32_t length = (uint32_t)size;

	if (port < 0 && !port_is_debug) {
		write_all(2, data, size);
		return;
	}
	buffer[0] = kind;
	memcpy(buffer + 1, &length, sizeof(length));
	memcpy(buffer + 5, data, size);
	if (port_is_debug)
		debug_port_write(buffer, 5 + size);
	else
		write_all(port, buffer, 5 + size);
}

__attribute__((format(printf, 2, 3))) static void frame_printf(char kind, const char *format, ...)
{
	char text[1024];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (n >= (int)sizeof(text))
		n = (int)sizeof(text) - 1;
	frame_send(kind, text, (size_t)n);
}

static void klog_send(void)
{
	int size = klogctl(10, NULL, 0);
	char *log = size > 0 ? malloc((size_t)size) : NULL;
	int n = log ? klogctl(3, log, size) : 0;

	for (int at = 0; at < n; at += CHUNK)
		frame_send('k', log + at, (size_t)(n - at < CHUNK ? n - at : CHUNK));
	free(log);
}

_Noreturn static void machine_stop(void)
{
	sync();
	for (;;) {
		/* QEMU runs with -no-reboot; and the driver ends it at the last frame anyway. */
		reboot(RB_AUTOBOOT);
		pause();
	}
}

__attribute__((format(printf, 1, 2))) _Noreturn static void die(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	frame_printf('f', "%s: %s", text, strerror(errno));
	klog_send();
	machine_stop();
}

static long long uptime_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000ll + now.tv_nsec / 1000;
}

/* Configuration. */

static void push(char **list, size_t *n, size_t limit, char *value)
{
	if (*n >= limit) {
		errno = E2BIG;
		die("too many configuration records");
	}
	list[(*n)++] = value;
}

static void conf_set(const char *key, char *value)
{
	if (!strcmp(key, "arg"))
		push(conf.args, &conf.n_args, MAX_STRINGS, value);
	else if (!strcmp(key, "env"))
		push(conf.env, &conf.n_env, MAX_STRINGS, value);
	else if (!strcmp(key, "module"))
		push(conf.modules, &conf.n_modules, ARRAY_LEN(conf.modules), value);
	else if (!strcmp(key, "kvm-module"))
		push(conf.kvm_modules, &conf.n_kvm_modules, ARRAY_LEN(conf.kvm_modules), value);
	else if (!strcmp(key, "kvm-options"))
		conf.kvm_options = value;
	else if (!strcmp(key, "overlay"))
		push(conf.overlays, &conf.n_overlays, ARRAY_LEN(conf.overlays), value);
	else if (!strcmp(key, "dir"))
		conf.dir = value;
	else if (!strcmp(key, "share"))
		conf.share = value;
	else if (!strcmp(key, "stdin"))
		conf.stdin_path = value;
	else if (!strcmp(key, "stdin-file"))
		conf.stdin_fd = open(value, O_RDONLY | O_CLOEXEC);
	else if (!strcmp(key, "uid"))
		conf.uid = (uid_t)strtoul(value, NULL, 10);
	else if (!strcmp(key, "gid"))
		conf.gid = (gid_t)strtoul(value, NULL, 10);
	else if (!strcmp(key, "vendor"))
		conf.intel = !strcmp(value, "intel");
	else if (!strcmp(key, "root"))
		conf.root_9p = !strcmp(value, "9p");
	else if (!strcmp(key, "verbose"))
		conf.verbose = true;
	else if (!strcmp(key, "exits"))
		conf.exits = true;
}

static void conf_read(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;

	if (fd < 0 || fstat(fd, &st))
		die("cannot open %s", path);
	text = calloc(1, (size_t)st.st_size + 1);
	if (!text || read(fd, text, (size_t)st.st_size) != st.st_size)
		die("cannot read %s", path);
	close(fd);
	for (char *p = text, *next; p < text + st.st_size; p = next) {
		char *equals = strchr(p, '=');

		next = p + strlen(p) + 1;
		if (!equals)
			continue;
		*equals = 0;
		conf_set(p, equals + 1);
	}
}

/* Modules. */

static void module_load(const char *path, const char *options)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("cannot open module %s", path);
	if (syscall(SYS_finit_module, fd, options, 0) && errno != EEXIST)
		die("cannot load module %s", path);
	close(fd);
}

/* KVM's modules take as long to load as all the others together: on the second CPU, meanwhile. */
static pid_t kvm_load_start(void)
{
	pid_t pid;

	if (!conf.n_kvm_modules)
		return 0;
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (pid > 0)
		return pid;
	for (size_t i = 0; i < conf.n_kvm_modules; i++)
		module_load(conf.kvm_modules[i],
			    i + 1 == conf.n_kvm_modules ? conf.kvm_options : "");
	_exit(0);
}

static void kvm_load_wait(pid_t pid)
{
	int status;

	if (!pid)
		return;
	if (waitpid(pid, &status, 0) != pid || status) {
		errno = ENODEV;
		die("loading KVM's modules failed (status %#x)", (unsigned)status);
	}
	for (int i = 0; i < 1000 && access("/dev/kvm", F_OK); i++)
		usleep(1000);
	if (chmod("/dev/kvm", 0666))
		die("no /dev/kvm although KVM's modules are loaded; does the CPU model offer virtualisation?");
}

static void port_open(void)
{
	if (conf.intel) {
		if (iopl(3))
			die("cannot use the debug port");
		port_is_debug = true;
		return;
	}
	for (int i = 0; i < PORT_WAIT_MS; i++) {
		port = open("/dev/vport0p1", O_RDWR | O_CLOEXEC);
		if (port >= 0)
			return;
		usleep(1000);
	}
	die("no virtio-serial port");
}

/* Mounts. */

static void mount_at(const char *source, const char *target, const char *type, unsigned long flags,
		     const char *options)
{
	mkdir(target, 0755);
	/* EBUSY: the same file system is there already, as /dev is when there is no host root. */
	if (mount(source, target, type, flags, options) && errno != EBUSY)
		die("cannot mount %s on %s", type, target);
}

static void mount_optional(const char *type, const char *target, const char *options)
{
	mkdir(target, 0755);
	if (mount(type, target, type, MS_NOSUID, options))
		frame_printf('m', "note: no %s on %s: %s\n", type, target, strerror(errno));
}

/* Give the writable layer's root the owner and mode of the directory it covers. */
static void attributes_copy(const char *from, const char *to)
{
	struct stat st;

	if (stat(from, &st))
		die("cannot stat %s", from);
	if (chown(to, st.st_uid, st.st_gid) || chmod(to, st.st_mode & 07777))
		die("cannot set attributes of %s", to);
}

static void mount_overlay(size_t index, const char *target)
{
	char upper[64], work[64], options[PATH_MAX + 256];

	snprintf(upper, sizeof(upper), "/layers/%zu-upper", index);
	snprintf(work, sizeof(work), "/layers/%zu-work", index);
	if (mkdir(upper, 0755) || mkdir(work, 0755))
		die("cannot make overlay layers");
	attributes_copy(target, upper);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=%s,workdir=%s", target, upper,
		 work);
	mount_at("overlay", target, "overlay", 0, options);
}

static void mount_share(void)
{
	/* No cache: what is written must be on the host when the command has ended. */
	mount_at("share", conf.share, "9p", 0,
		 "trans=virtio,version=9p2000.L,msize=512000,access=any");
}

static void mount_root(void)
{
	char target[PATH_MAX];

	mount_at("host", "/root", "9p", MS_RDONLY,
		 "trans=virtio,version=9p2000.L,msize=512000,cache=loose,access=any");
	mount_at("tmpfs", "/layers", "tmpfs", 0, "mode=755,size=75%");
	for (size_t i = 0; i < conf.n_overlays; i++) {
		snprintf(target, sizeof(target), "/root%s", conf.overlays[i]);
		mount_overlay(i, target);
	}
}

static void device_link(const char *target, const char *path)
{
	if (symlink(target, path) && errno != EEXIST)
		die("cannot link %s", path);
}

/* After the switch of root: the paths are the final ones. */
static void mount_kernel_systems(void)
{
	mount_at("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=755");
	mount_at("devpts", "/dev/pts", "devpts", 0, "gid=5,mode=620,ptmxmode=666");
	mount_at("tmpfs", "/dev/shm", "tmpfs", 0, "mode=1777");
	device_link("/proc/self/fd", "/dev/fd");
	device_link("/proc/self/fd/0", "/dev/stdin");
	device_link("/proc/self/fd/1", "/dev/stdout");
	device_link("/proc/self/fd/2", "/dev/stderr");
	mount_at("tmpfs", "/run", "tmpfs", 0, "mode=755");
	mkdir("/run/lock", 01777);
	mount_at("proc", "/proc", "proc", 0, NULL);
	mount_at("sysfs", "/sys", "sysfs", 0, NULL);
	mount_optional("debugfs", "/sys/kernel/debug", NULL);
	mount_optional("tracefs", "/sys/kernel/tracing", NULL);
	mount_optional("cgroup2", "/sys/fs/cgroup", NULL);
}

static void root_switch(void)
{
	if (chdir("/root") || mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("cannot switch to the new root");
}

static void file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	write_all(fd, text, strlen(text));
	close(fd);
}

static void loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		frame_printf('m', "note: loopback stays down: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void limit_set(int resource, rlim_t soft, rlim_t hard)
{
	struct rlimit limit = { .rlim_cur = soft, .rlim_max = hard };

	setrlimit(resource, &limit);
}

/*
 * One slow CPU: two threads that wait for each other by spinning would take turns at the rate of
 * the timer tick, 4 ms each, and seconds of ours for a handful of exchanges.
 */
static void scheduler_quicken(void)
{
	file_write("/sys/kernel/debug/sched/features", "HRTICK");
	file_write("/sys/kernel/debug/sched/min_granularity_ns", "100000");
	file_write("/sys/kernel/debug/sched/wakeup_granularity_ns", "50000");
	file_write("/sys/kernel/debug/sched/latency_ns", "200000");
}

static void system_configure(void)
{
	file_write("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "advise\n");
	file_write("/proc/sys/kernel/core_pattern", "core\n");
	if (conf.intel)
		scheduler_quicken();
	sethostname("lab", 3);
	loopback_up();
	limit_set(RLIMIT_NOFILE, 65536, 524288);
	limit_set(RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY);
	limit_set(RLIMIT_MEMLOCK, RLIM_INFINITY, RLIM_INFINITY);
	limit_set(RLIMIT_CORE, 0, RLIM_INFINITY);
	limit_set(RLIMIT_STACK, 8 << 20, RLIM_INFINITY);
}

/*
 * Counters: KVM's tracepoints, counted and not recorded, on every CPU. KVM's statistics in debugfs
 * are sums over the machines that exist when they are read: after the command they would be gone
 * with its machine. Exit codes: AMD64 Architecture Programmer's Manual, Volume 2, Appendix C "SVM
 * Intercept Exit Codes"; SDM 3D, Appendix C "VMX Basic Exit Reasons" (a page fault there is an exit
 * for "exception or NMI").
 */
static struct counter {
	const char *name, *event, *filter, *filter_intel;
	int fds[MAX_CPUS];
} counters[] = {
	{ "exits", "kvm_exit", NULL, NULL, { 0 } },
	{ "exits_hlt", "kvm_exit", "exit_reason==0x78", "exit_reason==12", { 0 } },
	{ "exits_io", "kvm_exit", "exit_reason==0x7b", "exit_reason==30", { 0 } },
	{ "exits_npf", "kvm_exit", "exit_reason==0x400", "exit_reason==48", { 0 } },
	{ "exits_intr", "kvm_exit", "exit_reason==0x60", "exit_reason==1", { 0 } },
	{ "exits_vintr", "kvm_exit", "exit_reason==0x64", "exit_reason==7", { 0 } },
	{ "exits_pf", "kvm_exit", "exit_reason==0x4e", "exit_reason==0", { 0 } },
	{ "exits_cpuid", "kvm_exit", "exit_reason==0x72", "exit_reason==10", { 0 } },
	{ "exits_msr", "kvm_exit", "exit_reason==0x7c", "exit_reason==31||exit_reason==32", { 0 } },
	{ "userspace_exits", "kvm_userspace_exit", NULL, NULL, { 0 } },
	{ "page_faults", "kvm_page_fault", NULL, NULL, { 0 } },
	{ "injected_interrupts", "kvm_inj_virq", NULL, NULL, { 0 } },
	{ "injected_exceptions", "kvm_inj_exception", NULL, NULL, { 0 } },
	{ "mmio", "kvm_mmio", NULL, NULL, { 0 } },
	{ "emulated_instructions", "kvm_emulate_insn", NULL, NULL, { 0 } },
};

static long tracepoint_id(const char *event)
{
	char path[256], text[32] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/kvm/%s/id", event);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return -1;
	close(fd);
	return strtol(text, NULL, 10);
}

static int counter_open(const struct counter *c, long id, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)id,
		.sample_period = 1,
	};
	const char *filter = conf.intel ? c->filter_intel : c->filter;
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0 && filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter)) {
		close(fd);
		return -1;
	}
	return fd;
}

static void counters_start(int n_cpus)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++) {
		long id = tracepoint_id(counters[i].event);

		for (int cpu = 0; cpu < n_cpus; cpu++)
			counters[i].fds[cpu] = id < 0 ? -1 : counter_open(&counters[i], id, cpu);
	}
}

static void counter_send(const struct counter *c, int n_cpus)
{
	uint64_t sum = 0, value;

	for (int cpu = 0; cpu < n_cpus; cpu++) {
		if (c->fds[cpu] < 0 || read(c->fds[cpu], &value, sizeof(value)) != sizeof(value)) {
			frame_printf('m', "note: no counter %s\n", c->name);
			return;
		}
		sum += value;
	}
	frame_printf('c', "%s %llu\n", c->name, (unsigned long long)sum);
}

static void counters_send(int n_cpus)
{
	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		counter_send(&counters[i], n_cpus);
}

/* The command. */

_Noreturn static void command_exec(int out, int err)
{
	sigset_t none;
	int in = conf.stdin_fd >= 0 ? conf.stdin_fd : open(conf.stdin_path, O_RDONLY | O_CLOEXEC);

	setsid();
	if (port_is_debug)
		iopl(0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (in < 0)
		dprintf(err, "lab: cannot open standard input %s: %s\n", conf.stdin_path,
			strerror(errno));
	if (in < 0 || dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(125);
	if (conf.gid && (setgroups(0, NULL) || setgid(conf.gid)))
		_exit(125);
	if (conf.uid && setuid(conf.uid))
		_exit(125);
	if (chdir(conf.dir)) {
		dprintf(2, "lab: cannot enter %s: %s\n", conf.dir, strerror(errno));
		_exit(125);
	}
	environ = conf.env;
	execvp(conf.args[0], conf.args);
	dprintf(2, "lab: cannot run %s: %s\n", conf.args[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

struct stream {
	char kind;
	int fd;
};

/* Returns false at the end of the stream. */
static bool stream_forward(struct stream *s)
{
	static char buffer[CHUNK];
	ssize_t n = read(s->fd, buffer, sizeof(buffer));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	if (n <= 0) {
		close(s->fd);
		s->fd = -1;
		return false;
	}
	frame_send(s->kind, buffer, (size_t)n);
	return true;
}

/* Reaps everything; when the command has ended, ends what it left, so that the pipes close. */
static void children_reap(pid_t command, int *status, bool *done)
{
	int child_status;
	pid_t pid;

	while ((pid = waitpid(-1, &child_status, WNOHANG)) > 0) {
		if (pid != command)
			continue;
		*status = child_status;
		*done = true;
		kill(-1, SIGKILL);
	}
}

static int command_wait(pid_t command, struct stream *streams, int signals)
{
	struct signalfd_siginfo info;
	bool done = false;
	int status = 0;

	while (!done || streams[0].fd >= 0 || streams[1].fd >= 0) {
		struct pollfd polls[] = {
			{ .fd = streams[0].fd, .events = POLLIN },
			{ .fd = streams[1].fd, .events = POLLIN },
			{ .fd = signals, .events = POLLIN },
		};

		if (poll(polls, ARRAY_LEN(polls), -1) < 0)
			continue;
		for (int i = 0; i < 2; i++)
			if (polls[i].revents)
				stream_forward(&streams[i]);
		if (polls[2].revents && read(signals, &info, sizeof(info)) == sizeof(info))
			children_reap(command, &status, &done);
	}
	return status;
}

static int command_run(void)
{
	int out[2], err[2], signals, status;
	struct stream streams[2];
	sigset_t mask;
	pid_t pid;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signals = signalfd(-1, &mask, SFD_CLOEXEC);
	if (signals < 0 || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC))
		die("cannot make pipes");
	frame_printf('s', "%lld", uptime_us());
	pid = fork();
	if (pid < 0)
		die("cannot fork");
	if (!pid)
		command_exec(out[1], err[1]);
	close(out[1]);
	close(err[1]);
	streams[0] = (struct stream){ 'o', out[0] };
	streams[1] = (struct stream){ 'e', err[0] };
	status = command_wait(pid, streams, signals);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void machine_run(void)
{
	int n_cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int status;

	if (n_cpus > MAX_CPUS)
		n_cpus = MAX_CPUS;
	if (conf.exits)
		counters_start(n_cpus);
	status = command_run();
	if (conf.exits)
		counters_send(n_cpus);
	if (conf.share)
		umount2(conf.share, 0);
	if (conf.verbose && status)
		klog_send();
	frame_printf('x', "%d", status);
	machine_stop();
}

static int tsc_khz_print(void)
{
	struct timespec start, now;
	uint64_t tsc = __rdtsc();
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC, &now);
		ns = (now.tv_sec - start.tv_sec) * 1000000000ll + now.tv_nsec - start.tv_nsec;
	} while (ns < 20000000);
	printf("%llu\n", (unsigned long long)((__rdtsc() - tsc) * 1000000 / (uint64_t)ns));
	return 0;
}

int main(int argc, char **argv)
{
	pid_t kvm;

	if (argc > 1 && !strcmp(argv[1], "--tsc-khz"))
		return tsc_khz_print();
	if (getpid() != 1) {
		fprintf(stderr,
			"usage: init --tsc-khz (anything else only as process 1 of the lab)\n");
		return 2;
	}
	mkdir("/dev", 0755);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	while (open("/dev/console", O_RDWR) >= 0 && fcntl(2, F_GETFD) < 0)
		;
	conf_read("/lab.conf");
	kvm = kvm_load_start();
	for (size_t i = 0; i < conf.n_modules; i++)
		module_load(conf.modules[i], "");
	port_open();
	frame_printf('b', "%lld", uptime_us());
	if (conf.root_9p) {
		mount_root();
		root_switch();
	}
	mount_kernel_systems();
	if (conf.share)
		mount_share();
	system_configure();
	kvm_load_wait(kvm);
	machine_run();
}
