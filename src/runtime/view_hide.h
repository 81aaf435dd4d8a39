/* SPDX-License-Identifier: Apache-2.0 */
/* Finding the hidden paths of this host. */
#pragma once

#include "runtime/view.h"

/* Adds @path if it exists. @mode: permissions of the empty directory inside, 0 for the host's. False: out of memory. */
bool view_hide(struct view *v, const char *path, u32 mode, bool own) __must_check;
/* The table, homes, swap files, and other mounts of any of them; sorts. 0 or -ENOMEM. */
int view_hide_defaults(struct view *v) __must_check;
