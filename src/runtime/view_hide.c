/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/view_hide.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/parse.h"
#include "runtime/mountinfo.h"
#include "runtime/view_table.h"

#define UID_PEOPLE 1000u /* login.defs(5), UID_MIN */

/* The strings of the list are in the text. */
struct host_mounts {
	char *text;
	struct host_mount *list;
	size_t count;
};

static bool listed(const char *const *list, const char *s)
{
	for (; *list; list++)
		if (strcmp(*list, s) == 0)
			return true;
	return false;
}

static struct hidden_path *hidden_room(struct view *v)
{
	if (v->hidden_count == v->hidden_room) {
		size_t room = v->hidden_room ? 2 * v->hidden_room : 64;
		struct hidden_path *grown = realloc(v->hidden, room * sizeof(*grown));

		if (!grown)
			return NULL;
		v->hidden = grown;
		v->hidden_room = room;
	}
	return &v->hidden[v->hidden_count];
}

bool view_hide(struct view *v, const char *path, u32 mode, bool own)
{
	struct hidden_path *h;
	struct stat st;
	char *real;

	if (stat(path, &st) < 0)
		return true;
	real = realpath(path, NULL);
	if (!real && errno == ENOMEM)
		return false;
	/* Somebody removes it just now; or a home or mount that would take the system away with it. */
	if (!real || !real[1] || (!own && listed(view_system_directories, real))) {
		free(real);
		return true;
	}
	h = hidden_room(v);
	if (!h) {
		free(real);
		return false;
	}
	if (S_ISDIR(st.st_mode))
		mode = S_IFDIR | (mode ? mode : st.st_mode & 07777);
	else
		mode = S_IFREG;
	*h = (struct hidden_path){
		.path = real, .mode = mode, .uid = st.st_uid, .gid = st.st_gid, .own = own
	};
	v->hidden_count++;
	return true;
}

static bool hide_pattern(struct view *v, const struct view_rule *rule)
{
	glob_t found;
	bool ok = true;

	if (!strchr(rule->pattern, '*'))
		return view_hide(v, rule->pattern, rule->mode, rule->own);
	switch (glob(rule->pattern, GLOB_NOSORT, NULL, &found)) {
	case 0:
		break;
	case GLOB_NOSPACE:
		return false;
	default:
		return true;
	}
	for (size_t i = 0; i < found.gl_pathc && ok; i++)
		ok = view_hide(v, found.gl_pathv[i], rule->mode, rule->own);
	globfree(&found);
	return ok;
}

static bool hide_table(struct view *v)
{
	bool ok = true;

	for (const struct view_rule *rule = view_rules; rule->pattern && ok; rule++)
		ok = hide_pattern(v, rule);
	return ok;
}

/* ---- homes ---- */

static bool hide_home(struct view *v, const char *home)
{
	return !home || home[0] != '/' || view_hide(v, home, 0, false);
}

/* Of a line of passwd(5), if it is a person's or root's; else NULL. */
static const char *home_of(char *line)
{
	char *field[6];
	u32 uid;

	line[strcspn(line, "\n")] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(field); i++) {
		field[i] = strsep(&line, ":");
		if (!field[i])
			return NULL;
	}
	return parse_u32(field[2], 10, &uid) && (!uid || uid >= UID_PEOPLE) ? field[5] : NULL;
}

/*
 * The local file alone: getpwent(3) would load modules and ask daemons and directory servers at every start. Users from there
 * live below /home, as a rule; the caller's own HOME is hidden wherever it is.
 */
static bool hide_homes(struct view *v)
{
	FILE *f = fopen("/etc/passwd", "re");
	char *line = NULL;
	size_t room = 0;
	bool ok = hide_home(v, getenv("HOME"));

	if (!f)
		return ok;
	while (ok && getline(&line, &room, f) > 0) /* fgetpwent(3) is not for threads */
		ok = hide_home(v, home_of(line));
	free(line);
	fclose(f);
	return ok;
}

/* ---- swap files ---- */

static bool hide_swap(struct view *v)
{
	FILE *f = fopen("/proc/swaps", "re");
	char *line = NULL;
	size_t room = 0;
	bool ok = true;

	if (!f)
		return true;
	while (ok && getline(&line, &room, f) > 0) {
		if (line[0] != '/')
			continue;
		line[strcspn(line, " \t\n")] = 0;
		unescape_octal(line);
		ok = view_hide(v, line, 0, false);
	}
	free(line);
	fclose(f);
	return ok;
}

/* ---- the same files under other names ---- */

static char *read_text(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	if (!f)
		return NULL;
	if (getdelim(&text, &size, 0, f) < 0) {
		free(text);
		text = NULL;
	}
	fclose(f);
	return text;
}

/* False: out of memory. A host without /proc has an empty list. */
static bool read_mounts(struct host_mounts *ret)
{
	size_t room = 1;
	char *save, *line;

	*ret = (struct host_mounts){ .text = read_text("/proc/self/mountinfo") };
	if (!ret->text)
		return true;
	for (const char *at = ret->text; (at = strchr(at, '\n')); at++)
		room++;
	ret->list = calloc(room, sizeof(*ret->list));
	if (!ret->list)
		return false;
	for (line = strtok_r(ret->text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		ret->count += mountinfo_parse(line, &ret->list[ret->count]);
	return true;
}

/* The mount that @path is of. Its name alone would not do: mounts cover each other. */
static const struct host_mount *mount_of(const struct host_mounts *all, const char *path)
{
	struct statx st;

	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_MNT_ID, &st) < 0 ||
	    !(st.stx_mask & STATX_MNT_ID))
		return NULL; /* a host before Linux 5.8 */
	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].id == st.stx_mnt_id && path_is_below(path, all->list[i].point))
			return &all->list[i];
	return NULL;
}

/* @path, which lies at or below @from, as seen where @from is called @to. False: too long. */
static bool rebase(const char *path, const char *from, const char *to, char ret[PATH_MAX])
{
	const char *rest = from[1] ? path + strlen(from) : path;

	if (!to[1])
		to = "";
	if (!rest[1])
		rest = "";
	if (snprintf(ret, PATH_MAX, "%s%s", to, rest) >= PATH_MAX)
		return false;
	if (!ret[0])
		strcpy(ret, "/");
	return true;
}

/* Where another mount of the same file system shows what @h hides, or a part of it. */
static bool hide_aliases_of(struct view *v, const struct host_mounts *all, const char *path,
			    u32 mode)
{
	const struct host_mount *own = mount_of(all, path);
	char inner[PATH_MAX], alias[PATH_MAX];
	bool ok = true;

	if (!own || !rebase(path, own->point, own->root, inner))
		return true;
	for (size_t i = 0; i < all->count && ok; i++) {
		const struct host_mount *m = &all->list[i];

		if (m == own || strcmp(m->dev, own->dev) != 0)
			continue;
		if (path_is_below(m->root, inner))
			ok = view_hide(v, m->point, mode, false);
		else if (path_is_below(inner, m->root) && rebase(inner, m->root, m->point, alias))
			ok = view_hide(v, alias, mode, false);
	}
	return ok;
}

static bool hide_aliases(struct view *v)
{
	struct host_mounts all;
	size_t count = v->hidden_count;
	bool ok = read_mounts(&all);

	for (size_t i = 0; i < count && ok; i++)
		ok = hide_aliases_of(v, &all, v->hidden[i].path, v->hidden[i].mode & 07777);
	for (size_t i = 0; i < all.count && ok; i++)
		if (listed(view_kernel_filesystems, all.list[i].type))
			ok = view_hide(v, all.list[i].point, 0, false);
	free(all.list);
	free(all.text);
	return ok;
}

/* ---- order ---- */

/* A directory comes before what is in it, and nothing else between: '/' is the smallest character. */
static int compare_paths(const void *a, const void *b)
{
	const struct hidden_path *x = a, *y = b;
	const char *p = x->path, *q = y->path;

	while (*p && *p == *q)
		p++, q++;
	if (*p == *q)
		return y->own - x->own;
	return (*p == '/' ? 1 : (unsigned char)*p) < (*q == '/' ? 1 : (unsigned char)*q) ? -1 : 1;
}

static void sort_hidden(struct view *v)
{
	size_t kept = 0;

	if (v->hidden_count)
		qsort(v->hidden, v->hidden_count, sizeof(*v->hidden), compare_paths);
	for (size_t i = 0; i < v->hidden_count; i++) {
		if (kept && path_is_below(v->hidden[i].path, v->hidden[kept - 1].path))
			free(v->hidden[i].path);
		else
			v->hidden[kept++] = v->hidden[i];
	}
	v->hidden_count = kept;
}

int view_hide_defaults(struct view *v)
{
	if (!hide_table(v) || !hide_homes(v) || !hide_swap(v))
		return -ENOMEM;
	sort_hidden(v); /* fewer to look for elsewhere */
	if (!hide_aliases(v))
		return -ENOMEM;
	sort_hidden(v);
	v->hidden_paths = calloc(v->hidden_count + 1, sizeof(*v->hidden_paths));
	for (size_t i = 0; v->hidden_paths && i < v->hidden_count; i++)
		v->hidden_paths[i] = v->hidden[i].path;
	return v->hidden_paths ? 0 : -ENOMEM;
}
