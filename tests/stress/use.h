/* SPDX-License-Identifier: Apache-2.0 */
/*
 * use.h: what the kernel's memory is used for: objects by size (/proc/slabinfo), and frames that are neither free nor objects nor the page
 * cache (/proc/meminfo).
 */
#pragma once

#include "guest/guest.h"

#define USE_CLASSES 20

struct use {
	long pages;
	long objects[USE_CLASSES];
};

static char use_text[16384];

static inline void use_load(const char *path)
{
	int fd = OK(open(path, O_RDONLY));
	ssize_t n = OK(read(fd, use_text, sizeof(use_text) - 1));

	use_text[n] = 0;
	close(fd);
}

static inline long use_meminfo(const char *key)
{
	const char *at = strstr(use_text, key);

	CHECK(at);
	return atol(at + strlen(key)) / 4;
}

static inline struct use use_now(void)
{
	struct use u = { 0 };
	int class = 0;

	/* What has ended is taken away at the latest when the next task comes or goes. */
	wait_for(OK(fork()) ?: (_exit(0), 0));
	use_load("/proc/meminfo");
	u.pages = use_meminfo("MemTotal:") - use_meminfo("MemFree:") - use_meminfo("\nCached:") -
		  use_meminfo("Slab:");
	use_load("/proc/slabinfo");
	for (char *at = use_text; (at = strstr(at, "\nkmalloc-")); class ++) {
		CHECK(class < USE_CLASSES);
		at += 9;
		sscanf(at, "%*s %ld", &u.objects[class]);
	}
	CHECK(class > 4);
	return u;
}
