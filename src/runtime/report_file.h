/* SPDX-License-Identifier: Apache-2.0 */
/* The report file of a lost sandbox, written by the process that called rf_run(). */
#pragma once

#include <ringfence/ringfence.h>

#include "monitor/report.h"

/* The buffer the monitor describes its end in, before any process is made. NULL: no report is wanted, or there is no memory for one. */
struct report *report_prepare(const struct rf_config *c);
/*
 * After the end: makes the file if the sandbox was lost (ret->failure), and puts its name in ret->report_file. Where the file cannot be made
 * the text goes to the log instead, with the reason. @report may be NULL.
 */
void report_finish(const struct rf_config *c, struct report *report, struct rf_result *ret,
		   const struct rf_error *err);
