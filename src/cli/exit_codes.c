/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exit_codes.h"

static int code_of_failure(enum rf_failure failure)
{
	switch (failure) {
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
	case RF_FAILURE_NONE:
	case RF_FAILURE_INTERNAL:
		break;
	}
	return EXIT_CODE_INTERNAL;
}

int exit_code_of(int r, const struct rf_result *result)
{
	if (r < 0)
		return code_of_failure(result->failure);
	return result->signal ? 128 + result->signal : result->exit_code;
}
