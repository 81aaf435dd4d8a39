/* SPDX-License-Identifier: Apache-2.0 */
/* Names of Linux's system calls; the array is made by tools/gen-syscall-names. */
#pragma once

#define SYSCALL_NAMES 512

/* By number; NULL: there is none. */
extern const char *const syscall_names[SYSCALL_NAMES];
