/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evil-host [options] -- CASE [SEED [COUNT [PARAMETER]]]
 *
 * Boots evil.elf with everything that surrounds a sandbox's kernel, in residency guest whatever the probe says: a KVM that interprets
 * ring 0 is slow, but our side of it is the same. Says on one line how rf_run() ended. The status is 0 if it returned.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/platform.h"
#include <ringfence/ringfence.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define EVIL_SANITIZED
#endif
#endif

#define FILE_MAX \
	(64u     \
	 << 20) /* bytes a file of the host, and the arena, may get: fallocate(2) with any size is one of the attacks */

static const struct rf_platform *real;

static int forced_probe(int device, struct rf_probe *ret, struct rf_error *err)
{
	int r = real->probe(device, ret, err);

	ret->can_boot |= ret->usable;
	return r;
}

/* The platform's KVM under another name, whose probe is content with any ring 0. */
static void register_forced(void)
{
	static struct rf_platform forced;

	real = rf_platform_lookup("kvm");
	if (!real)
		exit(2);
	forced = *real;
	forced.name = "kvm-forced";
	forced.probe = forced_probe;
	if (rf_platform_register(&forced) < 0)
		exit(2);
}

static const void *map_file(const char *path, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "evil-host: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	*ret_size = (size_t)st.st_size;
	return p == MAP_FAILED ? NULL : p;
}

static int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 4096; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void usage(void)
{
	fprintf(stderr,
		"usage: evil-host --kernel FILE --ro DIR --rw DIR [--cpus N] [--watchdog SECONDS] [--log FILE] [--report FILE] -- CASE [ARG…]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "kernel", required_argument, NULL, 'k' },
		{ "ro", required_argument, NULL, 'r' },
		{ "rw", required_argument, NULL, 'w' },
		{ "cpus", required_argument, NULL, 'c' },
		{ "watchdog", required_argument, NULL, 'd' },
		{ "log", required_argument, NULL, 'l' },
		{ "report", required_argument, NULL, 'e' },
		{ 0 },
	};
	const struct rlimit limit = { FILE_MAX, FILE_MAX };
	struct rf_mount mount = { .kind = RF_MOUNT_RW, .target = "/rw" };
	struct rf_config config;
	struct rf_result result;
	struct rf_error err = { 0 };
	char name[] = "evil";
	int c, r, before;

	rf_config_init(&config);
	config.watchdog_seconds = RF_WATCHDOG_OFF;
	config.cpus = 1;
	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 'k')
			config.kernel = map_file(optarg, &config.kernel_size);
		else if (c == 'r')
			config.root = optarg;
		else if (c == 'w')
			mount.source = optarg;
		else if (c == 'c')
			config.cpus = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 'l')
			config.log_fd = config.strace_fd =
				open(optarg, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		else if (c == 'e')
			config.report_file = optarg;
		else if (c == 'd')
			config.watchdog_seconds = (uint32_t)strtoul(optarg, NULL, 0);
		else
			usage();
	}
	argv[--optind] = name;
	if (!config.kernel || !config.root || !mount.source || argc - optind < 2)
		usage();
	register_forced();
	setrlimit(RLIMIT_FSIZE, &limit);
#if defined(__SANITIZE_ADDRESS__) || defined(EVIL_SANITIZED)
	config.isolation =
		RF_ISOLATION_NONE; /* sanitizers call the host themselves, and their reports would be lost */
#endif
	config.platform = "kvm-forced";
	config.residency = RF_CHOOSE_GUEST;
	config.limits.memory = RF_MEMORY_MIN;
	config.limits.pids = 64;
	config.mounts = &mount;
	config.mount_count = 1;
	config.workdir = "/";
	config.argv = (const char *const *)&argv[optind];
	before = count_descriptors();
	r = rf_run(&config, &result, &err);
	dprintf(config.log_fd < 0 ? STDERR_FILENO : config.log_fd,
		"\nevil-host: returned %d failure %d code %d signal %d hostcalls %lu exits %lu descriptors %+d: %s\n",
		r, result.failure, result.exit_code, result.signal, result.totals.hostcalls,
		result.totals.platform.exits, count_descriptors() - before, r < 0 ? err.text : "");
	return 0;
}
