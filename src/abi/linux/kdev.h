/* SPDX-License-Identifier: Apache-2.0 */
/* Device numbers as stat(2), mknod(2) and statx(2) carry them. */
#pragma once

#include "base/types.h"

/*
 *	 63      32 31         20 19       8 7          0
 *	| high bits | minor 19..8 | major    | minor 7..0 |	stat, mknod
 *
 * A minor has 20 bits and a major 12, so the upper half is always 0.
 */
static inline u64 kdev_make(u32 major, u32 minor)
{
	return (minor & 0xff) | ((u64)(major & 0xfff) << 8) | ((u64)(minor & 0xfff00) << 12);
}

static inline u32 kdev_major(u64 dev)
{
	return (dev >> 8) & 0xfff;
}

static inline u32 kdev_minor(u64 dev)
{
	return (dev & 0xff) | ((dev >> 12) & 0xfff00);
}

/* Majors and minors of the devices every Linux has. */
#define MEM_MAJOR              1
#define DEV_NULL_MINOR         3
#define DEV_ZERO_MINOR         5
#define DEV_FULL_MINOR         7
#define DEV_RANDOM_MINOR       8
#define DEV_URANDOM_MINOR      9
#define DEV_KMSG_MINOR         11
#define TTY_MAJOR              4
#define TTYAUX_MAJOR           5
#define DEV_TTY_MINOR          0
#define DEV_CONSOLE_MINOR      1
#define DEV_PTMX_MINOR         2
#define MISC_MAJOR             10
#define UNIX98_PTY_SLAVE_MAJOR 136

/* First of the majors of unnamed devices: st_dev of tmpfs, procfs and the like. */
#define UNNAMED_MAJOR 0
