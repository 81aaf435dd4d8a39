/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/view.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"
#include "runtime/view_hide.h"

static char root[] = "/", etc[] = "/etc", home[] = "/home", work[] = "/home/me/work",
	    elsewhere[] = "/inside", shadow[] = "/etc/shadow", proc[] = "/proc";
static struct hidden_path hidden[] = { { .path = shadow, .mode = S_IFREG },
				       { .path = home, .mode = S_IFDIR | 0755 },
				       { .path = proc, .mode = S_IFDIR | 0755, .own = true } };

TEST(path_is_below_respects_components)
{
	EXPECT_TRUE(path_is_below("/a/b", "/a"));
	EXPECT_TRUE(path_is_below("/a", "/a"));
	EXPECT_TRUE(path_is_below("/a/b", "/a/"));
	EXPECT_TRUE(path_is_below("/x", "/"));
	EXPECT_FALSE(path_is_below("/ab", "/a"));
	EXPECT_FALSE(path_is_below("/", "/a"));
}

TEST(view_covers_hidden_paths_unless_a_bind_asks)
{
	struct view_mount mounts[] = { { RF_MOUNT_RW, work, work },
				       { RF_MOUNT_RO, etc, elsewhere } };
	struct view v = { .root = root,
			  .hidden = hidden,
			  .hidden_count = ARRAY_SIZE(hidden),
			  .mounts = mounts,
			  .mount_count = 2 };

	EXPECT_STR_EQ(view_covers(&v, "/home/me"), "/home");
	EXPECT_NULL(view_covers(&v, "/home/me/work/x"));
	EXPECT_STR_EQ(view_covers(&v, "/proc/self"), "/proc");
	EXPECT_NULL(view_covers(&v, "/usr"));
	EXPECT_NULL(view_covers(&v, "/homes"));
	EXPECT_STR_EQ(view_covers(&v, "/inside"), "/inside");
}

TEST(view_covers_by_the_last_mount)
{
	struct view_mount mounts[] = { { RF_MOUNT_RO, home, home },
				       { RF_MOUNT_HIDE, NULL, home },
				       { RF_MOUNT_RW, work, work } };
	struct view v = { .root = root,
			  .hidden = hidden,
			  .hidden_count = ARRAY_SIZE(hidden),
			  .mounts = mounts,
			  .mount_count = 1 };

	EXPECT_NULL(view_covers(&v, "/home/me"));
	v.mount_count = 3;
	EXPECT_STR_EQ(view_covers(&v, "/home/me"), "/home");
	EXPECT_NULL(view_covers(&v, "/home/me/work"));
}

TEST(view_of_a_directory_hides_what_is_strictly_below)
{
	struct view v = { .root = root, .hidden = hidden, .hidden_count = ARRAY_SIZE(hidden) };
	size_t at = 0, n = 0;

	while (view_next_hidden(&v, "/", &at))
		n++;
	EXPECT_EQ(n, 3);
	at = 0;
	EXPECT_STR_EQ(view_next_hidden(&v, "/etc", &at)->path, "/etc/shadow");
	EXPECT_NULL(view_next_hidden(&v, "/etc", &at));
	at = 0;
	EXPECT_NULL(view_next_hidden(&v, "/home", &at));
	at = 0;
	EXPECT_NULL(view_next_hidden(&v, "/home/me", &at));
}

static bool hides(const struct view *v, const char *path)
{
	for (size_t i = 0; i < v->hidden_count; i++)
		if (path_is_below(path, v->hidden[i].path))
			return true;
	return false;
}

TEST(view_hides_secrets_of_this_machine)
{
	static const char *const secret[] = { "/root/x",     "/home/x",    "/tmp/x",  "/run/x",
					      "/etc/shadow", "/var/log/x", "/proc/1", "/dev/kvm" };
	static const char *const plain[] = { "/",        "/usr/bin", "/etc/passwd", "/bin",
					     "/var/lib", "/opt",     "/lib" };
	struct rf_config c = { 0 };
	struct rf_error err = { 0 };
	struct view v;

	ASSERT_EQ(view_init(&v, &c, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(secret); i++) {
		char dir[64], *slash;
		struct stat st;

		snprintf(dir, sizeof(dir), "%s", secret[i]);
		slash = strrchr(dir, '/');
		if (slash != dir)
			*slash = 0;
		if (lstat(secret[i], &st) == 0 ||
		    (lstat(dir, &st) == 0 && S_ISDIR(st.st_mode) && strcmp(dir, "/etc") != 0))
			EXPECT_TRUE(hides(&v, secret[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
		EXPECT_FALSE(hides(&v, plain[i]));
	for (size_t at = 0, n = 0; at <= v.hidden_count; n++) { /* one list, two ways to ask */
		const struct hidden_path *h = view_next_hidden(&v, "/etc", &at);
		size_t count;
		const char *const *below = view_hidden(&v, "/etc", &count);

		if (!h) {
			EXPECT_EQ(n, count);
			break;
		}
		ASSERT_LT(n, count);
		EXPECT_STR_EQ(below[n], h->path);
	}
	for (size_t i = 1; i < v.hidden_count; i++)
		EXPECT_FALSE(path_is_below(v.hidden[i].path, v.hidden[i - 1].path));
	view_done(&v);
}

TEST(view_hides_homes_behind_links_and_more)
{
	const struct rf_mount hide = { RF_MOUNT_HIDE, NULL, NULL };
	char dir[] = "/var/rf-view-XXXXXX", real[64], link[64];
	struct rf_mount mount = hide;
	struct rf_config c = { .mounts = &mount, .mount_count = 1 };
	struct rf_error err = { 0 };
	struct view v;
	const char *old = getenv("HOME");
	char *kept = old ? strdup(old) : NULL;

	if (!mkdtemp(dir)) {
		free(kept);
		test_skip("cannot make a directory in /var");
	}
	snprintf(real, sizeof(real), "%s/real", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	ASSERT_EQ(mkdir(real, 0700), 0);
	ASSERT_EQ(symlink("real", link), 0);
	setenv("HOME", link, 1);
	mount.target = "/usr/share/doc";
	ASSERT_EQ(view_init(&v, &c, &err), 0);
	EXPECT_TRUE(hides(&v, real));
	EXPECT_FALSE(hides(&v, dir));
	EXPECT_EQ(hides(&v, "/usr/share/doc"), access("/usr/share/doc", F_OK) == 0);
	view_done(&v);
	setenv("HOME", "/usr/bin/..", 1); /* no home: would take the system along */
	ASSERT_EQ(view_init(&v, &c, &err), 0);
	EXPECT_FALSE(hides(&v, "/usr/lib"));
	view_done(&v);
	if (kept)
		setenv("HOME", kept, 1);
	else
		unsetenv("HOME");
	free(kept);
	unlink(link);
	rmdir(real);
	rmdir(dir);
}
