/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms by name. Built-in ones are in a table; others are added at run time. */
#include "platform/registry.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "platform/kvm/kvm.h"
#include "platform/platform.h"

#define PLATFORMS_MAX 16

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static const struct rf_platform *registry[PLATFORMS_MAX] = { &kvm_platform };
static size_t registry_count = 1;

static const struct rf_platform *registry_find(const char *name)
{
	for (size_t i = 0; i < registry_count; i++)
		if (!strcmp(registry[i]->name, name))
			return registry[i];
	return NULL;
}

const struct rf_platform *rf_platform_lookup(const char *name)
{
	const struct rf_platform *p;

	if (!name)
		return NULL;
	pthread_mutex_lock(&registry_lock);
	p = registry_find(name);
	pthread_mutex_unlock(&registry_lock);
	return p;
}

const struct rf_platform *rf_platform_next(const struct rf_platform *prev)
{
	const struct rf_platform *best = NULL;

	pthread_mutex_lock(&registry_lock);
	for (size_t i = 0; i < registry_count; i++) {
		const struct rf_platform *p = registry[i];

		if (prev && strcmp(p->name, prev->name) <= 0)
			continue;
		if (!best || strcmp(p->name, best->name) < 0)
			best = p;
	}
	pthread_mutex_unlock(&registry_lock);
	return best;
}

const char *rf_platform_name(const struct rf_platform *p)
{
	return p->name;
}

int rf_platform_register(const struct rf_platform *p)
{
	int r = 0;

	if (!p || !p->name || !p->name[0])
		return -EINVAL;
	pthread_mutex_lock(&registry_lock);
	if (registry_find(p->name))
		r = -EEXIST;
	else if (registry_count == PLATFORMS_MAX)
		r = -ENOSPC;
	else
		registry[registry_count++] = p;
	pthread_mutex_unlock(&registry_lock);
	return r;
}
