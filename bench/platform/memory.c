/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings of 1, 512 and 262,144 pages of 4 KiB, and of 1 GiB in pages of 2 MiB. */
#include "platform/bench.h"

/*
 * An address space that has run, so that what is unmapped must be invalidated. A round of "map" is the call; of "unmap" the
 * call and the flush after which the memory may be used for something else.
 */
static void map_rounds(struct bench *b, long rounds, uint64_t at, uint64_t size, int64_t *ret_map,
		       int64_t *ret_unmap)
{
	struct rf_address_space *as = b->as[0];

	*ret_map = *ret_unmap = 0;
	while (rounds--) {
		int64_t start = now_ns(), middle;

		CHECK(rf_address_space_map_file(as, at, 0, size, RF_READ | RF_WRITE, false));
		middle = now_ns();
		CHECK(rf_address_space_unmap(as, at, size));
		CHECK(rf_address_space_flush(as));
		*ret_map += middle - start;
		*ret_unmap += now_ns() - middle;
	}
}

#define MAP_FUNCTIONS(name, at, size)                            \
	static int64_t run_map_##name(struct bench *b, long n)   \
	{                                                        \
		int64_t map, unmap;                              \
                                                                 \
		map_rounds(b, n, at, size, &map, &unmap);        \
		return map;                                      \
	}                                                        \
	static int64_t run_unmap_##name(struct bench *b, long n) \
	{                                                        \
		int64_t map, unmap;                              \
                                                                 \
		map_rounds(b, n, at, size, &map, &unmap);        \
		return unmap;                                    \
	}
MAP_FUNCTIONS(1, MAP_SMALL, PAGE)
MAP_FUNCTIONS(512, MAP_SMALL, 512 * PAGE)
MAP_FUNCTIONS(262144, MAP_SMALL, GIB)
MAP_FUNCTIONS(2m, MAP_LARGE, GIB)

static int64_t run_address_space(struct bench *b, long rounds)
{
	int64_t start = now_ns();

	while (rounds--) {
		struct rf_address_space *as;

		CHECK(rf_address_space_new(b->machine, &as));
		rf_address_space_free(as);
	}
	return now_ns() - start;
}

static int64_t run_context(struct bench *b, long rounds)
{
	int64_t start = now_ns();

	while (rounds--) {
		struct rf_context *c;

		CHECK(rf_context_new(b->machine, &c));
		rf_context_free(c);
	}
	return now_ns() - start;
}

const struct operation memory_operations[] = {
	{ "map-1", "map one page", 400, run_map_1, "mmap of a file, populated", host_map_1, 0 },
	{ "unmap-1", "unmap one page and flush", 400, run_unmap_1, "munmap", host_unmap_1, 0 },
	{ "map-512", "map 512 pages of 4 KiB", 50, run_map_512, "mmap of a file, populated",
	  host_map_512, 0 },
	{ "unmap-512", "unmap 512 pages and flush", 50, run_unmap_512, "munmap", host_unmap_512,
	  0 },
	{ "map-262144", "map 262,144 pages of 4 KiB", 1, run_map_262144, NULL, NULL, 0 },
	{ "unmap-262144", "unmap 262,144 pages and flush", 1, run_unmap_262144, NULL, NULL, 0 },
	{ "map-1g-2m", "map 1 GiB in pages of 2 MiB", 50, run_map_2m, NULL, NULL, 0 },
	{ "unmap-1g-2m", "unmap 1 GiB of 2 MiB pages and flush", 50, run_unmap_2m, NULL, NULL, 0 },
	{ "address-space", "make and free an address space", 200, run_address_space,
	  "fork, exit, wait", host_fork, 0 },
	{ "context", "make and free a context", 200, run_context, "make and join a thread",
	  host_thread, 0 },
	{ 0 },
};
