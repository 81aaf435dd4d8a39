/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kernel objects: slabs of one frame for small sizes, page blocks above. A slab's struct page: owner = the cache, index = its first
 * free object (linked through their first words), refs = 1 + objects in use, lru = the cache's list of slabs with free objects.
 */
#include "kernel/mm/kmalloc.h"

#include <stdarg.h>

#include "base/bug.h"
#include "base/checked.h"
#include "base/format.h"
#include "base/list.h"
#include "base/string.h"
#include "kernel/mm/page.h"

struct kmem_cache {
	u32 size;
	struct list partial;
	u32 empty; /* slabs on `partial` without any object in use: at most one is kept */
	u64 slabs, used;
};

/* Powers of two are aligned to themselves; all sizes to 16. */
#define CACHE(n, i)                                                  \
	{                                                            \
		.size = (n), .partial = LIST_INIT(caches[i].partial) \
	}
static struct kmem_cache caches[] = {
	CACHE(16, 0),   CACHE(32, 1),    CACHE(48, 2),    CACHE(64, 3),    CACHE(96, 4),
	CACHE(128, 5),  CACHE(192, 6),   CACHE(256, 7),   CACHE(384, 8),   CACHE(512, 9),
	CACHE(672, 10), CACHE(1024, 11), CACHE(1344, 12), CACHE(2048, 13),
};
static struct kmalloc_stat large; /* beyond SMALL_MAX, in frames */
#define SMALL_MAX   2048u
#define KMALLOC_MAX (PAGE_SIZE << PAGE_ORDER_MAX)

static struct kmem_cache *cache_for(size_t n)
{
	struct kmem_cache *c = caches;

	while (c->size < n)
		c++;
	return c;
}

static struct page *slab_new(struct kmem_cache *c)
{
	struct page *p = page_alloc(0, 0);
	u8 *base;
	u64 next = 0;

	if (!p)
		return NULL;
	base = page_address(p);
	/* From the end, so that the list runs upwards. */
	for (u32 i = (u32)PAGE_SIZE / c->size; i--;) {
		*(u64 *)(base + i * c->size) = next;
		next = (u64)(base + i * c->size);
	}
	p->flags |= PAGE_F_SLAB;
	p->owner = c;
	p->index = next;
	list_add(&p->lru, &c->partial);
	c->empty++;
	c->slabs++;
	return p;
}

static void *slab_alloc(struct kmem_cache *c)
{
	struct page *p = list_first_entry_or_null(&c->partial, struct page, lru);
	void *obj;

	if (!p && !(p = slab_new(c)))
		return NULL;
	obj = (void *)p->index;
	p->index = *(u64 *)obj;
	c->used++;
	if (p->refs++ == 1)
		c->empty--;
	if (!p->index)
		list_del(&p->lru);
	return obj;
}

static void slab_free(struct page *p, void *obj)
{
	struct kmem_cache *c = p->owner;

	BUG_ON(p->refs < 2 || ((u64)obj & PAGE_MASK) % c->size);
	if (!p->index)
		list_add(&p->lru, &c->partial);
	*(u64 *)obj = p->index;
	p->index = (u64)obj;
	c->used--;
	if (--p->refs > 1)
		return;
	if (!c->empty) {
		c->empty++;
		return;
	}
	list_del(&p->lru);
	c->slabs--;
	page_unref(p);
}

static unsigned order_for(size_t n)
{
	unsigned order = 0;

	while (PAGE_SIZE << order < n)
		order++;
	return order;
}

static void *alloc(size_t n, unsigned flags)
{
	struct page *p;
	void *obj;

	if (n <= SMALL_MAX) {
		obj = slab_alloc(cache_for(n));
		if (obj && (flags & ALLOC_ZERO))
			memset(obj, 0, n);
		return obj;
	}
	if (n > KMALLOC_MAX)
		return NULL;
	p = page_alloc(order_for(n), flags);
	if (!p)
		return NULL;
	large.used++;
	large.frames += 1ull << p->order;
	return page_address(p);
}

void *kmalloc(size_t n)
{
	return alloc(n, 0);
}

void *kzalloc(size_t n)
{
	return alloc(n, ALLOC_ZERO);
}

void *kcalloc(size_t n, size_t size)
{
	size_t bytes;

	return ckd_mul(&bytes, n, size) ? NULL : kzalloc(bytes);
}

size_t ksize(const void *obj)
{
	const struct page *p = page_of(obj);

	BUG_ON(!p);
	if (p->flags & PAGE_F_SLAB)
		return ((const struct kmem_cache *)p->owner)->size;
	return PAGE_SIZE << p->order;
}

void kfree(void *obj)
{
	struct page *p;

	if (!obj)
		return;
	p = page_of(obj);
	BUG_ON(!p || (p->flags & PAGE_F_FREE));
	if (p->flags & PAGE_F_SLAB) {
		slab_free(p, obj);
		return;
	}
	BUG_ON((u64)obj & PAGE_MASK);
	large.used--;
	large.frames -= 1ull << p->order;
	page_unref(p);
}

bool kmalloc_stat(unsigned i, struct kmalloc_stat *ret)
{
	if (i > ARRAY_SIZE(caches))
		return false;
	*ret = large;
	if (i < ARRAY_SIZE(caches))
		*ret = (struct kmalloc_stat){ .size = caches[i].size,
					      .used = caches[i].used,
					      .frames = caches[i].slabs };
	return true;
}

void *krealloc(void *old, size_t n)
{
	void *obj;
	size_t have;

	if (!old)
		return kmalloc(n);
	have = ksize(old);
	/* Shrinking stays in place unless it would waste more than half. */
	if (n <= have && (n > have / 2 || have <= 64))
		return old;
	obj = kmalloc(n);
	if (!obj)
		return n <= have ? old : NULL;
	memcpy(obj, old, MIN(have, n));
	kfree(old);
	return obj;
}

char *kstrndup(const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *copy = len == SIZE_MAX ? NULL : kmalloc(len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, s, len);
	copy[len] = 0;
	return copy;
}

char *kstrdup(const char *s)
{
	return kstrndup(s, strlen(s));
}

char *kasprintf(const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = fmt_vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	text = n < 0 ? NULL : kmalloc((size_t)n + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	fmt_vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}
