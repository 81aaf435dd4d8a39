/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include <stddef.h>
#include "base/types.h"
/* Kernel objects. Alignment 16. NULL when out of memory. Sizes above 4 MiB fail. */
void *kmalloc(size_t n) __attribute__((malloc, alloc_size(1)));
void *kzalloc(size_t n) __attribute__((malloc, alloc_size(1)));
void *kcalloc(size_t n, size_t size); /* checks the product */
void *krealloc(void *p, size_t n);
void kfree(void *p); /* NULL is fine */
size_t ksize(const void *p);
/* What is in use, by class; size 0: the objects that have page blocks of their own. False: no class i. */
struct kmalloc_stat {
	u32 size;
	u64 used, frames;
};
bool kmalloc_stat(unsigned i, struct kmalloc_stat *ret);
char *kstrdup(const char *s);
char *kstrndup(const char *s, size_t n);
char *kasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
