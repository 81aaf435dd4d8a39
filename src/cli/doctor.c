/* SPDX-License-Identifier: Apache-2.0 */
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cage/cage.h"
#include "cage/core_sched.h"
#include "cli/cli.h"
#include "cli/exit_codes.h"
#include "monitor/monitor.h"
#include "runtime/cgroup.h"

#define HWCAP2_FSGSBASE 2ul

static const char *const result_names[] = {
	[RF_CHECK_OK] = "ok",     [RF_CHECK_MISSING] = "missing", [RF_CHECK_BROKEN] = "broken",
	[RF_CHECK_SLOW] = "slow", [RF_CHECK_SKIPPED] = "skipped",
};

struct doctor {
	bool json;
	struct rf_config config;
	struct cage cage; /* what can be had */
	bool full;        /* every required wall of it */
};

struct host_summary {
	bool cgroup; /* sandboxes get one of their own */
	char cgroup_text[256];
	struct utsname uts;
	char cpu[128];
	long cpus, memory_mib;
	bool fsgsbase, kpti, core_sched;
	struct rf_error core_sched_error;
};

static const struct argp_option options[] = {
	{ "json", 'j', NULL, 0, "Print one JSON object", 0 },
	{ "platform", 'p', "NAME", 0, "auto or kvm (default auto)", 0 },
	{ "device", 'd', "PATH", 0, "The platform's device (default /dev/kvm)", 0 },
	{ 0 },
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct doctor *d = state->input;

	switch (key) {
	case 'j':
		d->json = true;
		return 0;
	case 'p':
		d->config.platform = arg;
		return 0;
	case 'd':
		d->config.device = arg;
		return 0;
	case ARGP_KEY_ARG:
		message("doctor takes no argument '%s'", arg);
		exit(EXIT_CODE_USAGE);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const char doc[] =
	"Check what this machine can do for a sandbox, and say what follows.\v"
	"The exit status is 0 if a platform works and the monitor can be isolated in full, else that `ringfence run` would have: 201 no usable "
	"platform, 202 no permission on its device, 203 it fails its probe, 211 a wall around the monitor cannot be had.";

static void read_cpu_model(char *text, size_t size)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	char line[256];

	snprintf(text, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *value = strchr(line, ':');

		if (strncmp(line, "model name", 10) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = 0;
		snprintf(text, size, "%s", value + 2);
		break;
	}
	if (f)
		fclose(f);
}

static void summarise_host(struct host_summary *h)
{
	memset(h, 0, sizeof(*h));
	uname(&h->uts);
	read_cpu_model(h->cpu, sizeof(h->cpu));
	h->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	h->memory_mib = sysconf(_SC_PHYS_PAGES) / 256;
	h->kpti = kpti_needed();
	h->cgroup = cgroup_try(h->cgroup_text, sizeof(h->cgroup_text));
	h->core_sched = core_sched_available(&h->core_sched_error) == 0;
	h->fsgsbase = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE;
}

/* Tries each wall, in processes of their own. */
static void survey_walls(struct doctor *d)
{
	struct rf_error err = { 0 };

	d->full = cage_survey(&d->cage, &err) == 0;
	if (!d->full)
		message("cannot try the monitor's walls: %s", err.text);
	for (int i = 0; i < CAGE_WALLS; i++)
		if (cage_wall_required((enum cage_wall)i) && d->cage.wall[i].state != CAGE_STANDS)
			d->full = false;
}

static const char *wall_state(const struct doctor *d, int wall)
{
	return d->cage.wall[wall].state == CAGE_STANDS ? "ok" : "missing";
}

static void print_walls(const struct doctor *d)
{
	printf("\nThe monitor's cage, as built for this user:\n");
	for (int i = 0; i < CAGE_WALLS; i++) {
		const struct cage_finding *f = &d->cage.wall[i];

		printf("%-8s %-24s %s\n", wall_state(d, i), cage_wall_name((enum cage_wall)i),
		       cage_wall_what((enum cage_wall)i));
		if (f->why[0])
			printf("%34s%s\n", "", f->why);
		if (f->state != CAGE_STANDS)
			printf("%34s-> %s%s\n", "", f->remedy[0] ? f->remedy : "could not be tried",
			       cage_wall_required((enum cage_wall)i) ? "" : " (not required)");
	}
	printf(d->full ? "The monitor is isolated in full.\n"
		       : "The monitor cannot be isolated in full: `ringfence run` refuses to start without --isolation=reduced.\n");
}

static json_t *walls_json(const struct doctor *d)
{
	json_t *list = json_array();

	for (int i = 0; i < CAGE_WALLS; i++) {
		const struct cage_finding *f = &d->cage.wall[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "name",
						      cage_wall_name((enum cage_wall)i), "what",
						      cage_wall_what((enum cage_wall)i), "result",
						      wall_state(d, i), "required",
						      cage_wall_required((enum cage_wall)i),
						      "detail", f->why, "remedy", f->remedy));
	}
	return list;
}

static const char *residency_name(const struct rf_choice *c)
{
	return c->residency == RF_RESIDENCY_GUEST ? "guest" : "host";
}

static void print_text(const struct host_summary *h, const struct doctor *d,
		       const struct rf_choice *c, int r, const struct rf_error *err)
{
	printf("host       Linux %s on %s, %ld CPUs, %ld MiB\n", h->uts.release, h->cpu, h->cpus,
	       h->memory_mib);
	printf("fsgsbase   %s\n", h->fsgsbase ? "ok" : "missing: residency host cannot be used");
	printf("kpti       %s\n",
	       h->kpti ? "on by default: the CPU has the Meltdown flaw (residency guest)"
		       : "off by default: the CPU does not need it");
	printf("cgroup     %s: %s\n", h->cgroup ? "used" : "not used", h->cgroup_text);
	printf("core-sched %s\n", h->core_sched ? "ok" : h->core_sched_error.text);
	printf("platform   %s\n\n", c->platform ? rf_platform_name(c->platform) : "none");
	for (size_t i = 0; c->probed && i < c->probe.count; i++) {
		const struct rf_check *k = &c->probe.checks[i];

		printf("%-8s %-24s %s\n", result_names[k->result], k->name, k->what);
		if (k->detail[0])
			printf("%34s%s\n", "", k->detail);
		if (k->result != RF_CHECK_OK && k->consequence)
			printf("%34s-> %s\n", "", k->consequence);
	}
	print_walls(d);
	if (r < 0)
		printf("\nNo sandbox can run here: %s\n", err->text);
	else
		printf("\nSandboxes run on platform %s with the kernel resident in the %s.\n",
		       rf_platform_name(c->platform), residency_name(c));
}

static json_t *checks_json(const struct rf_choice *c)
{
	json_t *list = json_array();

	for (size_t i = 0; c->probed && i < c->probe.count; i++) {
		const struct rf_check *k = &c->probe.checks[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", k->name,
						"what", k->what, "result", result_names[k->result],
						"detail", k->detail, "consequence",
						k->consequence ? k->consequence : ""));
	}
	return list;
}

static void print_json(const struct host_summary *h, const struct doctor *d,
		       const struct rf_choice *c, int r, const struct rf_error *err)
{
	json_t *o = json_pack(
		"{s:{s:s, s:s, s:I, s:I, s:b, s:b, s:b, s:b}, s:s?, s:s?, s:b, s:b, s:b, s:o, s:b, s:o, s:s?}",
		"host", "kernel", h->uts.release, "cpu", h->cpu, "cpus", (json_int_t)h->cpus,
		"memory_mib", (json_int_t)h->memory_mib, "fsgsbase", h->fsgsbase, "kpti_needed",
		h->kpti, "core_sched", h->core_sched, "cgroup", h->cgroup, "platform",
		c->platform ? rf_platform_name(c->platform) : NULL, "residency",
		r < 0 ? NULL : residency_name(c), "works", r >= 0, "usable", c->probe.usable,
		"can_boot", c->probe.can_boot, "checks", checks_json(c), "full_isolation", d->full,
		"walls", walls_json(d), "error", r < 0 ? err->text : NULL);

	if (!o) {
		message("cannot build the report");
		return;
	}
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

int command_doctor(int argc, char **argv)
{
	const struct argp argp = { options, parse_option, NULL, doc, NULL, NULL, NULL };
	struct doctor d = { 0 };
	struct rf_choice choice;
	struct rf_error err = { 0 };
	struct host_summary host;
	struct rf_result result = { 0 };
	char name[] = "ringfence doctor";
	int r;

	rf_config_init(&d.config);
	argp_err_exit_status = EXIT_CODE_USAGE;
	argv[0] = name;
	argp_parse(&argp, argc, argv, 0, NULL, &d);
	summarise_host(&host);
	survey_walls(&d);
	r = rf_choose(&d.config, &choice, &err);
	if (d.json)
		print_json(&host, &d, &choice, r, &err);
	else
		print_text(&host, &d, &choice, r, &err);
	if (choice.device >= 0)
		close(choice.device);
	result.failure = choice.failure;
	if (r == 0 && !d.full) {
		result.failure = RF_FAILURE_ISOLATION;
		r = -EPERM;
	}
	return exit_code_of(r, &result);
}
