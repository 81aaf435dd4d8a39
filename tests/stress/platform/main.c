/* SPDX-License-Identifier: Apache-2.0 */
/*
 * platform-stress [--residency host|guest] [--cpus N] [--seconds S] [--interrupts N] [--seed N]
 *
 * Ends with one line and status 0 (passed), 1 (failed: what was seen is above) or 77 (cannot run
 * here). See stress.h, and tests/stress/run-long.
 */
#include "stress/platform/stress.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct option long_options[] = {
	{ "residency", required_argument, NULL, 'r' },
	{ "cpus", required_argument, NULL, 'c' },
	{ "seconds", required_argument, NULL, 's' },
	{ "interrupts", required_argument, NULL, 'i' },
	{ "seed", required_argument, NULL, 'e' },
	{ "hang", required_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int usage(void)
{
	fprintf(stderr, "usage: platform-stress [--residency host|guest] [--cpus N] [--seconds S] "
			"[--interrupts N] [--seed N] [--hang SECONDS]\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct stress_options o = {
		.cpus = 4, .seconds = 10, .seed = (uint64_t)time(NULL), .hang_seconds = 60
	};
	int c;

	while ((c = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		if (c == 'r' && !strcmp(optarg, "guest"))
			o.residency = RF_RESIDENCY_GUEST;
		else if (c == 'c')
			o.cpus = (uint32_t)strtoul(optarg, NULL, 0);
		else if (c == 's')
			o.seconds = strtod(optarg, NULL);
		else if (c == 'i')
			o.interrupts = strtoull(optarg, NULL, 0);
		else if (c == 'e')
			o.seed = strtoull(optarg, NULL, 0);
		else if (c == 'h')
			o.hang_seconds = strtod(optarg, NULL);
		else if (c != 'r' || strcmp(optarg, "host"))
			return usage();
	}
	if (optind != argc || !o.cpus || o.cpus > RF_MAX_CPUS)
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (stress_run(&o))
		return 77;
	stress_print();
	printf("passed: residency %s, %u cpus, seed %lu\n",
	       o.residency == RF_RESIDENCY_GUEST ? "guest" : "host", o.cpus, o.seed);
	return 0;
}
