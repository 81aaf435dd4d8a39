/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stress program for a few seconds; tests/stress/run-long runs it for minutes.
 *
 * Test-Sources: tests/stress/platform/platform-stress.c tests/stress/platform/stress-host.c
 * Test-Sources: tests/stress/platform/stress-guest.c tests/stress/platform/spaces.c
 */
#include <stdlib.h>

#include "harness/test.h"
#include "stress/platform/stress.h"

static void run(enum rf_residency residency)
{
	const char *seconds = getenv("RF_STRESS_SECONDS"), *seed = getenv("TEST_SEED");
	const struct stress_options options = {
		.residency = residency,
		.cpus = 4,
		.seconds = seconds ? strtod(seconds, NULL) : 6,
		.seed = seed ? strtoull(seed, NULL, 0) : 1,
		.hang_seconds = 40,
	};

	if (stress_run(&options))
		test_skip("no platform for this residency here");
	stress_print();
	EXPECT_GT(stress_totals.sent, 20);
	EXPECT_GT(stress_totals.taken, 10);
}

TEST(random_interrupts_and_changes_in_residency_host)
{
	run(RF_RESIDENCY_HOST);
	EXPECT_GT(stress_totals.system_calls, 10);
	EXPECT_GT(stress_totals.faults, 10);
	EXPECT_GT(stress_totals.fpu_checks, 10);
	EXPECT_GT(stress_totals.changes, 10);
}

TEST(random_kicks_in_residency_guest)
{
	run(RF_RESIDENCY_GUEST);
	EXPECT_GT(stress_totals.system_calls, 10);
}
