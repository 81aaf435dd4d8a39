/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "monitor/text.h"

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif
#define LOG_LINE_MAX            4608
#define HWCAP2_FSGSBASE         2ul
/* Address spaces and contexts: one each per task, and some that wait to be freed. */
#define PLATFORM_IDS(max_tasks) (2 * (max_tasks) + 64)

static int monitor_init_tables(struct monitor *m, const struct monitor_options *o,
			       struct rf_error *err)
{
	int r = handle_table_init(&m->handles);

	if (r == 0)
		r = id_table_init(&m->spaces, PLATFORM_IDS(o->max_tasks));
	if (r == 0)
		r = id_table_init(&m->contexts, PLATFORM_IDS(o->max_tasks));
	return r < 0 ? error_set(err, r, "cannot allocate the monitor's tables") : 0;
}

/* /proc/self/fd, through which an object looked at is opened; it is the same object then whatever happens to its name. */
static int monitor_init_files(struct monitor *m, struct rf_error *err)
{
	if (m->proc_fd < 0)
		m->proc_fd = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (m->proc_fd < 0)
		return error_set(err, -errno, "cannot open /proc/self/fd (is /proc mounted?)");
	m->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->wake_fd < 0)
		return error_set(err, -errno, "cannot make an eventfd");
	return 0;
}

static int monitor_init_arena(struct monitor *m, const struct monitor_options *o,
			      struct rf_error *err)
{
	struct layout l;
	int r = layout_compute(&l, m->image.end, o->memory, o->max_tasks);

	if (r < 0)
		return error_set(err, r, "cannot lay out a sandbox of %lu bytes and %u tasks",
				 o->memory, o->max_tasks);
	r = arena_init(&m->arena, l.arena_size, o->huge_pages, err);
	if (r < 0)
		return r;
	image_load(&m->image, &m->arena);
	m->info = (struct boot_info *)(void *)(m->arena.base + BOOT_INFO_OFF);
	m->info->arena_size = l.arena_size;
	m->info->memory_limit = o->memory;
	m->info->image_end = m->image.end;
	m->info->tables_start = l.tables_start;
	m->info->free_start = l.free_start;
	m->info_free_start = l.free_start;
	m->stacks_start = l.stacks_start;
	m->info->stacks_start = l.stacks_start;
	m->info->kpti = o->kpti && o->residency == RF_RESIDENCY_GUEST;
	return 0;
}

static void monitor_set_defaults(struct monitor *m, const struct monitor_options *o)
{
	memset(m, 0, sizeof(*m));
	m->arena.fd = m->epoll_fd = m->wake_fd = -1;
	m->channel_fd = o->channel_fd ? o->channel_fd : -1;
	m->terminal_touched = o->terminal_touched;
	m->proc_fd = o->proc_fd ? o->proc_fd : -1;
	m->views = o->views;
	m->view_count = o->view_count;
	m->residency = o->residency;
	m->cpus = o->cpus;
	m->log_fd = o->log_fd;
	m->strace_fd = o->strace_fd;
	m->report = o->report;
	m->inject = o->inject;
	m->watchdog_ns = o->watchdog_ns;
	m->limits = o->limits;
	if (!m->limits.file_size)
		m->limits.file_size = UINT64_MAX;
	pthread_mutex_init(&m->watch_lock, NULL);
	pthread_mutex_init(&m->output_lock, NULL);
	pthread_mutex_init(&m->stop_lock, NULL);
	pthread_cond_init(&m->stop_changed, NULL);
}

int monitor_init(struct monitor *m, const struct monitor_options *o, struct rf_error *err)
{
	int r;

	monitor_set_defaults(m, o);
	signal(SIGXFSZ,
	       SIG_IGN); /* a file beyond RLIMIT_FSIZE is an error, ours or the sandbox's */
	clock_init(&m->clock);
	if (!o->cpus || o->cpus > RF_MAX_CPUS)
		return error_set(err, -EINVAL, "a sandbox has 1 to %d CPUs, not %u", RF_MAX_CPUS,
				 o->cpus);
	r = image_parse(&m->image, o->image, o->image_size, err);
	if (r == 0)
		r = monitor_init_tables(m, o, err);
	if (r == 0)
		r = monitor_init_files(m, err);
	if (r == 0)
		r = monitor_init_arena(m, o, err);
	if (r < 0)
		monitor_done(m);
	return r;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void monitor_done(struct monitor *m)
{
	if (m->machine)
		rf_machine_free(m->machine);
	m->machine = NULL;
	if (m->handles.slot)
		handle_table_done(&m->handles);
	if (m->spaces.object)
		id_table_done(&m->spaces);
	if (m->contexts.object)
		id_table_done(&m->contexts);
	close_fd(&m->epoll_fd);
	close_fd(&m->wake_fd);
	close_fd(&m->proc_fd);
	if (m->arena.base)
		arena_done(&m->arena);
}

static void info_fill_host(struct boot_info *info)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	info->host_cpus = cpus > 0 ? (u32)cpus : 1;
	info->hwcap = getauxval(AT_HWCAP);
	info->hwcap2 = getauxval(AT_HWCAP2);
	info->min_sigstack = getauxval(AT_MINSIGSTKSZ);
	/* What user code runs with here, not on the host. */
	if (info->residency == RF_RESIDENCY_GUEST && !(info->boot_features & RF_BOOT_F_FSGSBASE))
		info->hwcap2 &= ~HWCAP2_FSGSBASE;
}

/* The kernel's entry code sets its GS base with WRGSBASE. */
static int check_fsgsbase(const struct monitor *m, struct rf_error *err)
{
	if (m->residency == RF_RESIDENCY_HOST && !(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		return error_set(
			err, -EOPNOTSUPP,
			"residency host needs the FSGSBASE instructions: Linux 5.9 or newer on a CPU that has them");
	return 0;
}

int monitor_attach(struct monitor *m, struct rf_machine *machine, struct rf_error *err)
{
	struct boot_info *info = m->info;
	int r = check_fsgsbase(m, err);

	m->machine = machine;
	if (r < 0)
		return r;
	info->magic = BOOT_MAGIC;
	info->version = BOOT_VERSION;
	info->residency = m->residency;
	info->cpus = m->cpus;
	info->boot_features = rf_machine_boot_features(machine);
	info->xcr0 = rf_machine_xcr0(machine);
	info->xsave_size = (u32)rf_context_fpu_size(machine);
	if (!(info->boot_features & RF_BOOT_F_RETPOLINE))
		image_plain_branches(&m->image, &m->arena);
	info_fill_host(info);
	if (getrandom(info->random, sizeof(info->random), 0) != sizeof(info->random))
		return error_set(err, -EIO, "no random numbers from the host");
	if (m->residency == RF_RESIDENCY_GUEST)
		return boot_tables_build(m, err);
	return image_protect(&m->image, &m->arena, err);
}

int monitor_start(struct monitor *m, struct rf_error *err)
{
	int r;

	crash_init(m);
	r = events_init(m, err);
	if (r < 0)
		return r;
	m->info->tsc_khz = clock_publish(&m->clock, &m->info->time);
	limits_start(m);
	r = cpus_start(m, err);
	if (r == 0)
		r = inject_start(m, err);
	if (r == 0)
		pthread_barrier_wait(&m->gate); /* all are set up */
	return r;
}

void monitor_run(struct monitor *m)
{
	pthread_barrier_wait(&m->gate);
	events_loop(m);
}

void monitor_end(struct monitor *m, enum monitor_end how, u32 status)
{
	u32 running = MONITOR_RUNNING;
	u64 one = 1;

	if (!atomic_compare_exchange_strong(&m->ended, &running, (u32)how | status << 8))
		return;
	while (write(m->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void monitor_log(struct monitor *m, const char *format, ...)
{
	char text[LOG_LINE_MAX];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text) - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n > sizeof(text) - 2)
		n = sizeof(text) - 2;
	text[n] = '\n';
	monitor_write_text(m->log_fd, text, (size_t)n + 1);
}

void monitor_write_text(int fd, char *text, size_t len)
{
	text_defuse(text, len);
	while (len) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}
