/* SPDX-License-Identifier: Apache-2.0 */
/* Which platform and residency: by what the probe saw, never by name or model. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monitor/arena.h"
#include "runtime/runtime.h"

static enum rf_failure device_failure(int error)
{
	return error == -EACCES || error == -EPERM ? RF_FAILURE_PERMISSION : RF_FAILURE_NO_PLATFORM;
}

/* Appends the names of checks that did not pass to the message. */
static void list_failed_checks(const struct rf_probe *probe, struct rf_error *err)
{
	size_t len;

	if (!err)
		return;
	len = strlen(err->text);
	for (size_t i = 0; i < probe->count && len < sizeof(err->text); i++) {
		const struct rf_check *c = &probe->checks[i];

		if (c->result != RF_CHECK_BROKEN && c->result != RF_CHECK_MISSING &&
		    c->result != RF_CHECK_SLOW)
			continue;
		len += (size_t)snprintf(err->text + len, sizeof(err->text) - len, " %s", c->name);
	}
}

static int refuse(struct rf_choice *choice, const char *why, struct rf_error *err)
{
	choice->failure = RF_FAILURE_PROBE;
	error_set(err, 0, "platform %s %s; failed checks:", rf_platform_name(choice->platform),
		  why);
	list_failed_checks(&choice->probe, err);
	return -EOPNOTSUPP;
}

/* Opens the device of choice->platform, probes it unless the answer would not matter, and settles the residency. */
static int try_platform(const struct rf_config *c, struct rf_choice *choice, struct rf_error *err)
{
	int r;

	if (err)
		*err = (struct rf_error){ 0 };
	r = rf_platform_open_device(choice->platform, c->device, &choice->device, err);
	if (r < 0) {
		choice->device = -1;
		choice->failure = device_failure(r);
		return r;
	}
	choice->residency =
		c->residency == RF_CHOOSE_GUEST ? RF_RESIDENCY_GUEST : RF_RESIDENCY_HOST;
	if (c->residency == RF_CHOOSE_HOST)
		return 0;
	r = rf_platform_probe(choice->platform, choice->device, &choice->probe, err);
	if (r < 0) {
		choice->failure = RF_FAILURE_PROBE;
		if (err && !err->text[0])
			error_set(err, r, "cannot probe platform %s",
				  rf_platform_name(choice->platform));
		return r;
	}
	choice->probed = true;
	if (c->residency == RF_CHOOSE_AUTO)
		choice->residency = choice->probe.can_boot ? RF_RESIDENCY_GUEST : RF_RESIDENCY_HOST;
	if (!choice->probe.usable && !choice->probe.can_boot)
		return refuse(choice, "does not work here", err);
	if (c->residency == RF_CHOOSE_GUEST && !choice->probe.can_boot)
		return refuse(choice, "cannot hold the kernel in the guest here", err);
	return 0;
}

static int choose_named(const struct rf_config *c, struct rf_choice *ret, struct rf_error *err)
{
	ret->platform = rf_platform_lookup(c->platform);
	if (ret->platform)
		return try_platform(c, ret, err);
	ret->failure = RF_FAILURE_NO_PLATFORM;
	error_set(err, 0, "there is no platform named %s", c->platform);
	return -ENOENT;
}

/* Platforms for tests run no user code of this machine and are taken only by name. */
static bool for_auto(const struct rf_platform *p)
{
	return strcmp(rf_platform_name(p), "fake") != 0;
}

int rf_choose(const struct rf_config *c, struct rf_choice *ret, struct rf_error *err)
{
	const struct rf_platform *p = NULL;
	int r = -ENODEV;

	memset(ret, 0, sizeof(*ret));
	ret->device = -1;
	if (c->platform && strcmp(c->platform, "auto") != 0)
		return choose_named(c, ret, err);
	while ((p = rf_platform_next(p)) != NULL) {
		if (!for_auto(p))
			continue;
		ret->platform = p;
		ret->failure = RF_FAILURE_NONE;
		r = try_platform(c, ret, err);
		if (r == 0)
			return 0;
		if (ret->device >= 0)
			close(ret->device);
		ret->device = -1;
	}
	if (!ret->platform) {
		ret->failure = RF_FAILURE_NO_PLATFORM;
		error_set(err, 0, "this program was built without a platform");
	}
	return r;
}
