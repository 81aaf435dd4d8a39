/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dentry cache. A dentry in use has refs > 0; one in the hash with refs 0 is on the LRU list. Only positive dentries are hashed:
 * a missing name costs a look into the file system each time, which for host directories is what keeps us honest.
 */
#include "kernel/fs/internal.h"

#include "base/hash.h"
#include "kernel/core/random.h"

#define DCACHE_BUCKETS 4096u

static struct list buckets[DCACHE_BUCKETS];
static LIST_HEAD(lru);
static unsigned lru_count;
static u64 dcache_seed;

static struct list *dentry_bucket(const struct dentry *parent, const char *name, size_t len)
{
	u64 h;

	if (unlikely(!buckets[0].next)) {
		/* Guests choose the names: keep them from aiming at one chain. */
		dcache_seed = random_u64();
		for (unsigned i = 0; i < DCACHE_BUCKETS; i++)
			list_init(&buckets[i]);
	}
	h = hash_combine(hash_bytes(name, len, dcache_seed), (u64)(uintptr_t)parent);
	return &buckets[h % DCACHE_BUCKETS];
}

static struct dentry *dentry_alloc(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *d = kzalloc(sizeof(*d));

	if (!d)
		return NULL;
	d->name = kstrndup(name, len);
	if (!d->name) {
		kfree(d);
		return NULL;
	}
	d->name_len = (u32)len;
	d->refs = 1;
	d->parent = parent ? dentry_ref(parent) : d;
	list_init(&d->children);
	list_init(&d->sibling);
	list_init(&d->hash);
	list_init(&d->lru);
	if (parent)
		list_add_tail(&d->sibling, &parent->children);
	return d;
}

struct dentry *dentry_new(struct dentry *parent, const char *name, size_t len)
{
	return dentry_alloc(parent, name, len);
}

struct dentry *dentry_new_root(struct super *sb, struct inode *i)
{
	struct dentry *d = dentry_alloc(NULL, "/", 1);

	if (!d)
		return NULL;
	d->inode = i;
	sb->root = d;
	return d;
}

struct dentry *dentry_ref(struct dentry *d)
{
	if (d->refs++ == 0) {
		list_del(&d->lru);
		lru_count--;
	}
	return d;
}

/* Frees d, returns the parent whose reference d held. */
static struct dentry *dentry_free(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;

	list_del(&d->sibling);
	list_del(&d->hash);
	inode_unref(d->inode);
	kfree(d->name);
	kfree(d);
	return parent;
}

/* Drops one reference; returns the parent to drop next if d was freed. */
static struct dentry *dentry_put(struct dentry *d)
{
	BUG_ON(d->refs == 0);
	if (--d->refs)
		return NULL;
	if (!list_empty(&d->hash) && !(d->inode && d->inode->sb->uncached)) {
		list_add(&d->lru, &lru);
		lru_count++;
		return NULL;
	}
	return dentry_free(d);
}

static void dentry_put_chain(struct dentry *d)
{
	while (d)
		d = dentry_put(d);
}

/* Frees the oldest unused dentries until at most `keep` are left. */
static void dcache_trim(unsigned keep)
{
	while (lru_count > keep && !list_empty(&lru)) {
		struct dentry *d = list_last_entry(&lru, struct dentry, lru);

		list_del(&d->lru);
		lru_count--;
		dentry_put_chain(dentry_free(d));
	}
}

void dentry_unref(struct dentry *d)
{
	if (!d)
		return;
	dentry_put_chain(d);
	if (unlikely(lru_count > DENTRY_CACHE_MAX))
		dcache_trim(DENTRY_CACHE_MAX);
}

struct dentry *dentry_find(struct dentry *parent, const char *name, size_t len)
{
	struct dentry *d;
	struct list *head = dentry_bucket(parent, name, len);

	list_for_each_entry(d, head, hash)
		if (d->parent == parent && d->name_len == len && !memcmp(d->name, name, len))
			return dentry_ref(d);
	return NULL;
}

void dentry_attach(struct dentry *d, struct inode *i)
{
	d->inode = i;
	d->unhashed = false;
	list_del(&d->hash);
	list_add(&d->hash, dentry_bucket(d->parent, d->name, d->name_len));
}

void dentry_forget(struct dentry *d)
{
	list_del(&d->hash);
}

void dentry_drop(struct dentry *d)
{
	list_del(&d->hash);
	d->unhashed = true;
}

static void dentry_rehome(struct dentry *d, struct dentry *parent, char *name, u32 len)
{
	list_del(&d->hash);
	list_del(&d->sibling);
	d->parent = parent;
	d->name = name;
	d->name_len = len;
	list_add_tail(&d->sibling, &parent->children);
	list_add(&d->hash, dentry_bucket(parent, name, len));
}

/* After a rename: `old` takes the place of `new_d`, which is dropped if it named something. */
int dentry_move(struct dentry *old, struct dentry *new_d)
{
	struct dentry *old_parent = old->parent;
	char *name = kstrndup(new_d->name, new_d->name_len), *old_name = old->name;

	if (!name) {
		/* The file system has renamed already: forget both, the next lookup finds the truth. */
		dentry_drop(new_d);
		dentry_drop(old);
		return 0;
	}
	dentry_drop(new_d);
	dentry_ref(new_d->parent);
	dentry_rehome(old, new_d->parent, name, new_d->name_len);
	kfree(old_name);
	dentry_unref(old_parent);
	return 0;
}

int dentry_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry *ap = a->parent, *bp = b->parent;
	char *an = a->name, *bn = b->name;
	u32 al = a->name_len, bl = b->name_len;

	dentry_rehome(a, bp, bn, bl);
	dentry_rehome(b, ap, an, al);
	return 0;
}

static int dentry_lookup_slow(struct dentry *dir, const char *name, size_t len, struct dentry **ret)
{
	struct inode *i = NULL;
	struct dentry *d;
	int r;

	if (!dir->inode->ops->lookup)
		return -ENOTDIR;
	d = dentry_new(dir, name, len);
	if (!d)
		return -ENOMEM;
	r = dir->inode->ops->lookup(dir->inode, d, &i);
	if (r == 0)
		dentry_attach(d, i);
	else if (r != -ENOENT) {
		dentry_unref(d);
		return r;
	}
	*ret = d;
	return 0;
}

int dentry_lookup(struct dentry *dir, const char *name, size_t len, struct dentry **ret)
{
	struct dentry *d = dentry_find(dir, name, len);

	if (d) {
		const struct inode_ops *ops = dir->inode->ops;

		if (!ops->revalidate || d->mounted || ops->revalidate(dir->inode, d)) {
			*ret = d;
			return 0;
		}
		dentry_forget(d);
		dentry_unref(d);
	}
	return dentry_lookup_slow(dir, name, len, ret);
}
