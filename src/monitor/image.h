/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's ELF image: checked, copied into the arena, and asked for names of addresses. */
#pragma once

#include "abi/boot.h"
#include "base/types.h"
#include "monitor/arena.h"

#define IMAGE_SEGMENTS_MAX 8
#define IMAGE_BYTES_MAX    (96ull << 20)

struct image_segment {
	u64 offset, len; /* in the arena, page aligned */
	u64 file_offset, file_len;
	u32 prot; /* RF_READ | … */
};

struct image {
	const u8 *elf;
	size_t elf_size;
	u32 count;
	struct image_segment segment[IMAGE_SEGMENTS_MAX];
	u64 end;        /* offset in the arena, page aligned */
	u64 data_start; /* offset of the first writable byte */
	struct kernel_header header;
};

/* Checks @elf (borrowed as long as the image is used) without touching any arena. */
int image_parse(struct image *img, const void *elf, size_t size, struct rf_error *err) __must_check;
/* Copies the segments into fresh (zero) arena memory. */
void image_load(const struct image *img, struct arena *a);
/* Takes the retpolines out: indirect branches of the kernel become plain ones. After image_load(), before anything runs. */
void image_plain_branches(const struct image *img, struct arena *a);
/* Residency host: gives the segments their rights in this process. */
int image_protect(const struct image *img, struct arena *a, struct rf_error *err) __must_check;
/* Is the address in an executable segment? */
bool image_is_text(const struct image *img, u64 addr);
/* The function at @addr and the distance from its start, or NULL. Async-signal-safe. */
const char *image_symbol(const struct image *img, u64 addr, u64 *ret_distance);
