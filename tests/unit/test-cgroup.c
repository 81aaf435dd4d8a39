/* SPDX-License-Identifier: Apache-2.0 */
/* Finding and making cgroups, on a plain directory that looks like a cgroup file system. */
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"
#include "runtime/cgroup.h"

static char base[] = "/tmp/rf-cgroup-XXXXXX", why[256];
static const struct cgroup_limits limits = { 1000000, 20 };

static const char *in_base(const char *name)
{
	static char path[4][256];
	static unsigned next;
	char *p = path[next++ % 4];

	snprintf(p, 256, "%s/%s", base, name);
	return p;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_base(name), "w");

	ASSERT_NOT_NULL(f);
	fputs(text, f);
	fclose(f);
}

static void expect_text(const char *dir, const char *name, const char *wanted)
{
	char path[PATH_MAX + 64], text[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "r");
	ASSERT_NOT_NULL(f);
	EXPECT_NOT_NULL(fgets(text, sizeof(text), f));
	fclose(f);
	EXPECT_STR_EQ(text, wanted);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

static void tree_begin(void)
{
	strcpy(base, "/tmp/rf-cgroup-XXXXXX");
	ASSERT_NOT_NULL(mkdtemp(base));
	ASSERT_EQ(mkdir(in_base("slice"), 0755), 0);
	ASSERT_EQ(mkdir(in_base("slice/self"), 0755), 0);
}

static void tree_end(void)
{
	nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct cgroup_host host_at(const char *self)
{
	struct cgroup_host h = { .plain = true };

	snprintf(h.mount, sizeof(h.mount), "%s", base);
	snprintf(h.self, sizeof(h.self), "%s", self);
	return h;
}

TEST(our_cgroup_is_found)
{
	struct cgroup_host h;

	tree_begin();
	put("mountinfo",
	    "25 21 0:22 / /proc rw - proc proc rw\n"
	    "26 21 0:23 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	    "27 21 0:24 / /sys/fs/cgroup/a\\040b rw,nosuid shared:4 - cgroup2 cgroup2 rw\n");
	put("cgroup", "4:memory:/x\n0::/user.slice/run-1.scope\n");
	ASSERT_EQ(cgroup_find(in_base("mountinfo"), in_base("cgroup"), &h, why, sizeof(why)), 0);
	EXPECT_STR_EQ(h.mount, "/sys/fs/cgroup/a b");
	EXPECT_STR_EQ(h.self, "/user.slice/run-1.scope");
	put("mountinfo", "27 21 0:24 /user.slice /mnt rw - cgroup2 cgroup2 rw\n");
	ASSERT_EQ(cgroup_find(in_base("mountinfo"), in_base("cgroup"), &h, why, sizeof(why)), 0);
	EXPECT_STR_EQ(h.self, "/run-1.scope");
	put("mountinfo", "27 21 0:24 /other /mnt rw - cgroup2 cgroup2 rw\n");
	EXPECT_EQ(cgroup_find(in_base("mountinfo"), in_base("cgroup"), &h, why, sizeof(why)),
		  -ENOENT);
	put("cgroup", "0::/../outside\n");
	put("mountinfo", "27 21 0:24 / /mnt rw - cgroup2 cgroup2 rw\n");
	EXPECT_EQ(cgroup_find(in_base("mountinfo"), in_base("cgroup"), &h, why, sizeof(why)),
		  -ENOENT);
	EXPECT_NOT_NULL(strstr(why, "/../outside"));
	put("cgroup", "4:memory:/x\n");
	EXPECT_EQ(cgroup_find(in_base("mountinfo"), in_base("cgroup"), &h, why, sizeof(why)),
		  -ENOENT);
	EXPECT_EQ(cgroup_find("/nonexistent", in_base("cgroup"), &h, why, sizeof(why)), -ENOENT);
	tree_end();
}

TEST(leaf_gets_limits)
{
	struct cgroup_host h;
	struct cgroup c;

	tree_begin();
	h = host_at("/slice/self");
	put("slice/self/cgroup.controllers", "cpu memory pids\n");
	put("slice/self/cgroup.subtree_control", "memory pids\n");
	ASSERT_EQ(cgroup_make(&h, &limits, &c, why, sizeof(why)), 0);
	EXPECT_NOT_NULL(strstr(c.path, "/slice/self/ringfence-"));
	expect_text(c.path, "memory.max", "1000000");
	expect_text(c.path, "pids.max", "20");
	tree_end();
}

TEST(leaf_is_made_beside_us_with_what_there_is)
{
	struct cgroup_host h;
	struct cgroup c;

	tree_begin();
	h = host_at("/slice/self");
	put("slice/cgroup.controllers", "pids\n");
	ASSERT_EQ(cgroup_make(&h, &limits, &c, why, sizeof(why)), 0);
	EXPECT_NOT_NULL(strstr(c.path, "/slice/ringfence-"));
	EXPECT_NULL(strstr(c.path, "self"));
	expect_text(in_base("slice"), "cgroup.subtree_control", "+pids");
	expect_text(c.path, "pids.max", "20");
	EXPECT_EQ(cgroup_make(&h, &limits, &c, why, sizeof(why)), -EEXIST);
	EXPECT_STR_EQ(c.path, "");
	tree_end();
}

TEST(nothing_is_made_without_controllers)
{
	struct cgroup_host h;
	struct cgroup c;

	tree_begin();
	h = host_at("/slice/self");
	put("slice/self/cgroup.controllers", "hugetlb memoryx\n");
	EXPECT_EQ(cgroup_make(&h, &limits, &c, why, sizeof(why)), -EOPNOTSUPP);
	EXPECT_STR_EQ(c.path, "");
	EXPECT_NOT_NULL(strstr(why, "controller"));
	EXPECT_EQ(cgroup_enter(&c, getpid()), -ENOENT);
	cgroup_remove(&c);
	tree_end();
}

TEST(leaves_of_dead_processes_go)
{
	struct cgroup_host h;
	struct cgroup c;
	char own[64];

	tree_begin();
	h = host_at("/slice/self");
	put("slice/self/cgroup.controllers", "pids\n");
	snprintf(own, sizeof(own), "slice/self/ringfence-%d-1", getpid()); /* before this process */
	ASSERT_EQ(mkdir(in_base(own), 0755), 0);
	ASSERT_EQ(mkdir(in_base("slice/self/ringfence-99999999-5"), 0755), 0);
	ASSERT_EQ(mkdir(in_base("slice/self/ringfence-1"), 0755), 0);
	ASSERT_EQ(mkdir(in_base("slice/self/ringfence-1-x"), 0755), 0);
	ASSERT_EQ(mkdir(in_base("slice/self/other-99999999-5"), 0755), 0);
	ASSERT_EQ(cgroup_make(&h, &limits, &c, why, sizeof(why)), 0);
	EXPECT_NE(access(in_base(own), F_OK), 0);
	EXPECT_NE(access(in_base("slice/self/ringfence-99999999-5"), F_OK), 0);
	EXPECT_EQ(access(in_base("slice/self/ringfence-1"), F_OK), 0);
	EXPECT_EQ(access(in_base("slice/self/ringfence-1-x"), F_OK), 0);
	EXPECT_EQ(access(in_base("slice/self/other-99999999-5"), F_OK), 0);
	EXPECT_EQ(access(c.path, F_OK), 0);
	tree_end();
}
