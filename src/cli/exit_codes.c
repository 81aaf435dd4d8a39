/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exit_codes.h"

#include "monitor/monitor.h"

static_assert(EXIT_CODE_INTERNAL == MONITOR_STATUS_INTERNAL, "the monitor ends with it too");
static_assert(EXIT_CODE_PANIC == MONITOR_STATUS_PANIC, "the monitor ends with it too");

static int code_of_limit(enum rf_limit limit)
{
	switch (limit) {
	case RF_LIMIT_CPU_TIME:
		return EXIT_CODE_CPU_TIME;
	case RF_LIMIT_WALL_TIME:
		return EXIT_CODE_WALL_TIME;
	case RF_LIMIT_OUTPUT:
		return EXIT_CODE_OUTPUT;
	case RF_LIMIT_NONE:
	case RF_LIMIT_MEMORY:
		break;
	}
	return EXIT_CODE_INTERNAL;
}

static int code_of_failure(const struct rf_result *result)
{
	switch (result->failure) {
	case RF_FAILURE_USAGE:
		return EXIT_CODE_USAGE;
	case RF_FAILURE_NO_PLATFORM:
		return EXIT_CODE_NO_PLATFORM;
	case RF_FAILURE_PERMISSION:
		return EXIT_CODE_PERMISSION;
	case RF_FAILURE_PROBE:
		return EXIT_CODE_PROBE;
	case RF_FAILURE_MEMORY:
		return EXIT_CODE_MEMORY;
	case RF_FAILURE_SETUP:
		return EXIT_CODE_SETUP;
	case RF_FAILURE_PANIC:
		return EXIT_CODE_PANIC;
	case RF_FAILURE_ISOLATION:
		return EXIT_CODE_ISOLATION;
	case RF_FAILURE_LIMIT:
		return code_of_limit(result->limit);
	case RF_FAILURE_NONE:
	case RF_FAILURE_INTERNAL:
		break;
	}
	return EXIT_CODE_INTERNAL;
}

int exit_code_of(int r, const struct rf_result *result)
{
	if (r < 0)
		return code_of_failure(result);
	return result->signal ? 128 + result->signal : result->exit_code;
}
