/* SPDX-License-Identifier: Apache-2.0 */
/* The "#!" line; pure. */
#pragma once

#include "base/types.h"

struct script_line {
	u32 interp, interp_len; /* within the head */
	u32 arg, arg_len; /* the one optional argument, with its inner spaces; length 0: none */
};
/* head: first n bytes of the file, zeros after its end. 0, or -ENOEXEC: no script, no interpreter, or its name is cut off. */
int script_line_parse(const u8 *head, u32 n, struct script_line *ret);
