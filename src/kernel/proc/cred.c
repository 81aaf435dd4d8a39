/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials: credentials(7), capabilities(7). */
#include "abi/linux/capability.h"
#include "base/bug.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/proc/proc.h"

static LIST_HEAD(users);

struct user *user_get(u32 uid)
{
	struct user *u;

	list_for_each_entry(u, &users, node) {
		if (u->uid == uid) {
			u->refs++;
			return u;
		}
	}
	u = kzalloc(sizeof(*u));
	if (!u)
		return NULL;
	u->refs = 1;
	u->uid = uid;
	list_add(&u->node, &users);
	return u;
}

void user_put(struct user *u)
{
	if (!u || --u->refs)
		return;
	list_del(&u->node);
	kfree(u);
}

struct cred *cred_new_root(void)
{
	struct cred *c = kzalloc(sizeof(*c));

	if (!c)
		return NULL;
	c->refs = 1;
	c->cap_effective = c->cap_permitted = c->cap_bounding = CAP_FULL_SET;
	c->user = user_get(0);
	if (!c->user) {
		kfree(c);
		return NULL;
	}
	return c;
}

struct cred *cred_ref(struct cred *c)
{
	c->refs++;
	return c;
}

void cred_unref(struct cred *c)
{
	if (!c || --c->refs)
		return;
	user_put(c->user);
	kfree(c->groups);
	kfree(c);
}

struct cred *cred_copy(const struct cred *c)
{
	struct cred *n = kmalloc(sizeof(*n));

	if (!n)
		return NULL;
	*n = *c;
	n->refs = 1;
	if (c->ngroups) {
		n->groups = kcalloc(c->ngroups, sizeof(u32));
		if (!n->groups) {
			kfree(n);
			return NULL;
		}
		memcpy(n->groups, c->groups, c->ngroups * sizeof(u32));
	} else {
		n->groups = NULL;
	}
	if (n->user)
		n->user->refs++;
	return n;
}

/* The account follows the real uid; without memory for a new one the old goes on being charged. */
static void cred_update_user(struct cred *c)
{
	struct user *u;

	if (c->user && c->user->uid == c->uid)
		return;
	u = user_get(c->uid);
	if (!u)
		return;
	user_put(c->user);
	c->user = u;
}

void cred_commit(struct cred *c)
{
	struct task *t = current;
	struct cred *old = t->cred;

	cred_update_user(c);
	if (old && old->user != c->user) {
		old->user->tasks--;
		c->user->tasks++;
	}
	if (old && (old->euid != c->euid || old->egid != c->egid || old->fsuid != c->fsuid ||
		    old->fsgid != c->fsgid || (c->cap_permitted & ~old->cap_permitted))) {
		t->dumpable_off = true;
		t->pdeath_signal = 0;
	}
	t->cred = c;
	cred_unref(old);
}

bool cred_capable(const struct cred *c, int cap)
{
	return c->cap_effective >> cap & 1;
}

bool capable(int cap)
{
	return cred_capable(current->cred, cap);
}
