/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exit statuses of `ringfence`. Below these the status is the program's own; 128+N says that signal N ended it, which takes
 * numbers up to 192. As shells do, 126 says that the program could not be executed and 127 that there is none.
 */
#pragma once

#include <ringfence/ringfence.h>

#define EXIT_CODE_CANNOT_EXECUTE \
	126 /* sent by the kernel: a directory, no permission, no valid format */
#define EXIT_CODE_NOT_FOUND   127 /* sent by the kernel */
#define EXIT_CODE_USAGE       200 /* bad command line */
#define EXIT_CODE_NO_PLATFORM 201 /* no usable platform: unknown, or its device is missing */
#define EXIT_CODE_PERMISSION  202 /* no permission on the platform's device */
#define EXIT_CODE_PROBE       203 /* the platform is there but fails its probe */
#define EXIT_CODE_MEMORY      204 /* not enough memory, or a --memory out of range */
#define EXIT_CODE_SETUP       205 /* the sandbox could not be set up: a path to bind, a thread … */
#define EXIT_CODE_INTERNAL    206 /* the monitor failed, a bug, or was killed */
#define EXIT_CODE_PANIC       207 /* the sandbox's kernel failed; a bug */
#define EXIT_CODE_ISOLATION   211 /* the monitor cannot be isolated as asked */

/* A limit ended the sandbox (the message names it): */
#define EXIT_CODE_CPU_TIME  208
#define EXIT_CODE_WALL_TIME 209
#define EXIT_CODE_OUTPUT    210

/* The exit status for how rf_run() ended with return value @r. */
int exit_code_of(int r, const struct rf_result *result);
