/* SPDX-License-Identifier: Apache-2.0 */
/* Option values and the environment: pure. */
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "cli/cli.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

bool option_size(const char *text, uint64_t *ret, char *why, size_t size)
{
	if (parse_size(text, ret))
		return true;
	snprintf(why, size, "'%s' is not a size: expected a number with K, M, G or T, such as 512M",
		 text);
	return false;
}

bool option_bytes(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char *why,
		  size_t size)
{
	uint64_t value;

	if (!option_size(text, &value, why, size))
		return false;
	if (value >= min && value <= max) {
		*ret = value;
		return true;
	}
	if (max == UINT64_MAX)
		snprintf(why, size, "'%s' is too small: expected at least %lu bytes", text, min);
	else
		snprintf(why, size, "'%s' is not between %lu and %lu bytes", text, min, max);
	return false;
}

bool option_disk(const char *text, uint64_t *ret_bytes, uint64_t *ret_inodes, char *why,
		 size_t size)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	uint64_t inodes = *ret_inodes;
	char bytes[32];

	if (len >= sizeof(bytes) ||
	    (colon && (!parse_u64(colon + 1, 10, RF_INODES_MAX, &inodes) || !inodes))) {
		snprintf(why, size,
			 "'%s' is not a disk: expected SIZE or SIZE:INODES, such as 100M:10000",
			 text);
		return false;
	}
	memcpy(bytes, text, len);
	bytes[len] = 0;
	if (!option_bytes(bytes, RF_DISK_MIN, RF_MEMORY_MAX, ret_bytes, why, size))
		return false;
	*ret_inodes = inodes;
	return true;
}

bool option_duration(const char *text, uint64_t *ret_ns, char *why, size_t size)
{
	uint64_t ns;

	if (parse_duration(text, &ns) && ns >= RF_TIME_MIN_NS && ns <= RF_TIME_MAX_NS) {
		*ret_ns = ns;
		return true;
	}
	snprintf(
		why, size,
		"'%s' is not a time from 0.001 seconds to 1000d: expected seconds, or a number with s, m, h or d, such as 1.5 or 10m",
		text);
	return false;
}

bool option_count(const char *text, uint64_t min, uint64_t max, uint64_t *ret, char *why,
		  size_t size)
{
	uint64_t value;

	if (parse_u64(text, 10, max, &value) && value >= min) {
		*ret = value;
		return true;
	}
	snprintf(why, size, "'%s' is not a number from %lu to %lu", text, min, max);
	return false;
}

bool option_user(const char *text, uint32_t *ret_uid, uint32_t *ret_gid, char *why, size_t size)
{
	char copy[32];
	char *colon;
	uint64_t uid, gid;

	if (strlen(text) >= sizeof(copy))
		goto bad;
	strcpy(copy, text);
	colon = strchr(copy, ':');
	if (colon)
		*colon = 0;
	/* UINT32_MAX is "no user" to every Linux call. */
	if (!parse_u64(copy, 10, UINT32_MAX - 1, &uid))
		goto bad;
	gid = uid;
	if (colon && !parse_u64(colon + 1, 10, UINT32_MAX - 1, &gid))
		goto bad;
	*ret_uid = (uint32_t)uid;
	*ret_gid = (uint32_t)gid;
	return true;
bad:
	snprintf(why, size,
		 "'%s' is not a user: expected UID or UID:GID in numbers, such as 1000:1000", text);
	return false;
}

bool option_inject(const char *text, struct rf_injection *ret, char *why, size_t size)
{
	const struct {
		const char *prefix;
		uint32_t *rate;
	} kinds[] = { { "nmi:", &ret->nmi },
		      { "mc:", &ret->mc },
		      { "df:", &ret->df },
		      { "kick:", &ret->kick } };
	uint64_t value;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len) != 0 ||
		    !parse_u64(text + len, 10, 1000000, &value) || !value)
			continue;
		*kinds[i].rate = (uint32_t)value;
		return true;
	}
	snprintf(why, size,
		 "'%s' is not known: expected nmi, mc, df or kick, and :N from 1 to 1000000", text);
	return false;
}

static const struct {
	const char *name;
	uint32_t feature;
} cpu_features[] = {
	{ "smap", RF_BOOT_F_SMAP },
	{ "smep", RF_BOOT_F_SMEP },
	{ "fsgsbase", RF_BOOT_F_FSGSBASE },
	{ "umip", RF_BOOT_F_UMIP },
	{ "pcid", RF_BOOT_F_PCID },
	{ "invpcid", RF_BOOT_F_INVPCID },
	{ "xsave", RF_BOOT_F_XSAVE },
	{ "xsaveopt", RF_BOOT_F_XSAVEOPT },
	{ "1g", RF_BOOT_F_1G },
};

/* The feature of the name that @text begins with up to a comma or its end; 0: none. */
static uint32_t cpu_feature_of(const char *text, size_t len)
{
	for (size_t i = 0; i < sizeof(cpu_features) / sizeof(cpu_features[0]); i++)
		if (strlen(cpu_features[i].name) == len &&
		    strncmp(cpu_features[i].name, text, len) == 0)
			return cpu_features[i].feature;
	return 0;
}

bool option_cpu_features(const char *text, uint32_t *ret, char *why, size_t size)
{
	uint32_t mask = 0;

	for (;; text++) {
		size_t len = strcspn(text, ",");
		uint32_t feature = *text == '-' ? cpu_feature_of(text + 1, len - 1) : 0;

		if (!feature) {
			snprintf(
				why, size,
				"'%.*s' is not known: expected a list such as -smap,-pcid of smap, smep, fsgsbase, umip, pcid, invpcid, xsave, xsaveopt, 1g",
				(int)(len < 32 ? len : 32), text);
			return false;
		}
		mask |= feature;
		text += len;
		if (!*text)
			break;
	}
	*ret |= mask;
	return true;
}

bool option_bind(char *text, const char **ret_source, const char **ret_target, char *why,
		 size_t size)
{
	char *colon = strchr(text, ':');
	const char *target = colon ? colon + 1 : NULL;

	if (!*text || colon == text) {
		snprintf(why, size, "'%s' names no host path: expected PATH or PATH:TARGET", text);
		return false;
	}
	if (target && target[0] != '/') {
		snprintf(why, size, "the target in '%s' is not an absolute path", text);
		return false;
	}
	if (colon)
		*colon = 0;
	*ret_source = text;
	*ret_target = target;
	return true;
}

/* Where programs are and who runs one, how it should talk, and the terminal: no keys, sockets or agents. docs/view.md */
static const char *const default_names[] = {
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "LANG", "LANGUAGE", "TZ",
};

bool env_passed_by_default(const char *entry)
{
	size_t len = strcspn(entry, "=");

	if (strncmp(entry, "LC_", 3) == 0)
		return true;
	for (size_t i = 0; i < sizeof(default_names) / sizeof(default_names[0]); i++)
		if (strlen(default_names[i]) == len && strncmp(default_names[i], entry, len) == 0)
			return true;
	return false;
}

bool env_add(struct run_options *o, const char *entry)
{
	size_t len = strcspn(entry, "=");

	for (size_t i = 0; i < o->env_count; i++) {
		if (strncmp(o->env[i], entry, len) == 0 && o->env[i][len] == '=') {
			o->env[i] = entry;
			return true;
		}
	}
	if (o->env_count + 2 > o->env_room) {
		size_t room = o->env_room ? 2 * o->env_room : 64;
		const char **grown = realloc(o->env, room * sizeof(*grown));

		if (!grown)
			return false;
		o->env = grown;
		o->env_room = room;
	}
	o->env[o->env_count++] = entry;
	o->env[o->env_count] = NULL;
	return true;
}

/* Whether one of the first @count entries sets this variable. */
static bool env_has(const struct run_options *o, const char *entry, size_t count)
{
	size_t len = strcspn(entry, "=");

	for (size_t i = 0; i < count; i++)
		if (strncmp(o->env[i], entry, len) == 0 && o->env[i][len] == '=')
			return true;
	return false;
}

bool env_fill_default(struct run_options *o, char *const *environment)
{
	size_t explicit_count = o->env_count;

	for (; *environment; environment++) {
		if (!strchr(*environment, '=') ||
		    (!o->env_all && !env_passed_by_default(*environment)))
			continue;
		if (!env_has(o, *environment, explicit_count) && !env_add(o, *environment))
			return false;
	}
	return o->env_all || env_has(o, PATH_DEFAULT, o->env_count) || env_add(o, PATH_DEFAULT);
}
