/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor's cage around a configuration: what of the host it needs, and the rest goes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "monitor/monitor.h"
#include "runtime/sandbox.h"

/* The monitor's process has one sandbox. */
static struct cage_view views[RF_MOUNTS_MAX + 1];
static struct monitor_view handles[RF_MOUNTS_MAX + 1];
static size_t view_count;

static void list_view(const struct view *v, const char *path, bool writable)
{
	struct cage_view *view = &views[view_count++];

	*view = (struct cage_view){ .path = path, .writable = writable };
	view->hidden = view_hidden(v, path, &view->hidden_count);
}

/* The root, and what is bound. */
static void list_views(const struct view *v)
{
	list_view(v, v->root, false);
	for (size_t i = 0; i < v->mount_count; i++)
		if (v->mounts[i].source)
			list_view(v, v->mounts[i].source, v->mounts[i].kind == RF_MOUNT_RW);
}

int isolation_mount(struct sandbox *s, struct monitor_options *ret, struct rf_error *err)
{
	int r;

	list_views(&s->view);
	r = cage_views(&s->cage, views, view_count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < view_count; i++)
		handles[i] = (struct monitor_view){ .path = views[i].path,
						    .writable = views[i].writable,
						    .is_file = views[i].is_file,
						    .fd = views[i].fd };
	ret->views = handles;
	ret->view_count = view_count;
	ret->proc_fd = s->cage.proc;
	return 0;
}

/* Whoever asked for less than all is told what is missing. */
static void warn_of_missing(const struct cage *c)
{
	if (c->isolation == RF_ISOLATION_NONE)
		dprintf(STDERR_FILENO,
			"ringfence: --isolation=none: whoever takes over the sandbox's kernel has all rights of this user\n");
	for (int i = 0; i < CAGE_WALLS && c->isolation == RF_ISOLATION_REDUCED; i++)
		if (c->wall[i].state == CAGE_MISSING && cage_wall_required((enum cage_wall)i))
			dprintf(STDERR_FILENO,
				"ringfence: --isolation=reduced: no %s (%s); what would help: %s\n",
				cage_wall_name((enum cage_wall)i), c->wall[i].why,
				c->wall[i].remedy);
}

int isolation_close(struct sandbox *s, struct rf_error *err)
{
	int r = cage_close(&s->cage, views, view_count, err);

	if (r == 0)
		warn_of_missing(&s->cage);
	/* What the configuration named twice. */
	for (size_t i = 0; i < view_count; i++)
		if (handles[i].fd >= 0)
			close(handles[i].fd);
	return r;
}
