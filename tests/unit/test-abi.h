/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that tools/gen-abi-test writes and test-abi.c compares. */
#pragma once

#include <stddef.h>

/* A macro, a size or an offset; known is 0 where the headers do not have it. */
struct abi_value {
	long long value;
	int known;
};

struct abi_name {
	const char *name;
	const char *header;
	int may_be_unknown;
};

typedef void abi_fill_fn(struct abi_value *values);

extern const struct abi_name abi_names[];
extern const size_t abi_count;

/* Fill an array of abi_count values: from src/abi/linux, and each from one set of system headers. */
abi_fill_fn abi_ours;
extern abi_fill_fn *const abi_system[];
extern const size_t abi_system_count;
