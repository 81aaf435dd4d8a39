/* SPDX-License-Identifier: Apache-2.0 */
/* Test-Sources: src/cli/values.c src/cli/exit_codes.c */
/* Option values, the environment, what hides a directory, and exit statuses. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/exit_codes.h"
#include "harness/test.h"

static char why[256];

TEST(option_size_takes_suffixes)
{
	uint64_t v;

	EXPECT_TRUE(option_size("512M", &v, why, sizeof(why)));
	EXPECT_EQ(v, 512ull << 20);
	EXPECT_TRUE(option_size("2g", &v, why, sizeof(why)));
	EXPECT_EQ(v, 2ull << 30);
	EXPECT_FALSE(option_size("", &v, why, sizeof(why)));
	EXPECT_FALSE(option_size("-1", &v, why, sizeof(why)));
	EXPECT_FALSE(option_size("1Q", &v, why, sizeof(why)));
	EXPECT_FALSE(option_size("99999999999999999999", &v, why, sizeof(why)));
	EXPECT_NOT_NULL(strstr(why, "512M"));
}

TEST(option_duration_takes_fractions_and_units)
{
	static const struct {
		const char *text;
		uint64_t ns;
	} good[] = {
		{ "1", 1000000000 },     { "1.5", 1500000000 },         { "0.001", 1000000 },
		{ "2s", 2000000000 },    { "1.000000001", 1000000001 }, { "0.5m", 30000000000 },
		{ "1h", 3600000000000 }, { "1000d", RF_TIME_MAX_NS },
	};
	static const char *const bad[] = { "",
					   "0",
					   "0.0",
					   "-1",
					   "+1",
					   ".5",
					   "1.",
					   "1.5x",
					   "1ms",
					   "1 s",
					   "1e3",
					   "0.0009",
					   "0.0000000001",
					   "s",
					   "1.s",
					   "nan",
					   "inf",
					   "1001d",
					   "1.5.5",
					   "99999999999999999999",
					   "18446744073709551615d" };
	uint64_t v;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		v = 0;
		EXPECT_TRUE(option_duration(good[i].text, &v, why, sizeof(why)));
		EXPECT_EQ(v, good[i].ns);
	}
	v = 7;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_FALSE(option_duration(bad[i], &v, why, sizeof(why)));
	EXPECT_EQ(v, 7);
	EXPECT_NOT_NULL(strstr(why, "1.5"));
}

TEST(option_disk_takes_bytes_and_inodes)
{
	static const char *const bad[] = { "",
					   "0",
					   "1K",
					   "100M:",
					   "100M:0",
					   ":5",
					   "100M:x",
					   "100M:-1",
					   "1Q",
					   "-100M",
					   "100M:5:6",
					   "100M:99999999999",
					   "99999999999999999999",
					   "1111111111111111111111111111111111111111111111" };
	uint64_t bytes = 0, inodes = 9;

	EXPECT_TRUE(option_disk("100M", &bytes, &inodes, why, sizeof(why)));
	EXPECT_EQ(bytes, 100ull << 20);
	EXPECT_EQ(inodes, 9);
	EXPECT_TRUE(option_disk("64K:10", &bytes, &inodes, why, sizeof(why)));
	EXPECT_EQ(bytes, RF_DISK_MIN);
	EXPECT_EQ(inodes, 10);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT_FALSE(option_disk(bad[i], &bytes, &inodes, why, sizeof(why)));
	EXPECT_EQ(bytes, RF_DISK_MIN);
	EXPECT_EQ(inodes, 10);
}

TEST(option_bytes_refuses_zero)
{
	uint64_t v = 3;

	EXPECT_TRUE(option_bytes("1", 1, UINT64_MAX, &v, why, sizeof(why)));
	EXPECT_EQ(v, 1);
	EXPECT_FALSE(option_bytes("0", 1, UINT64_MAX, &v, why, sizeof(why)));
	EXPECT_NOT_NULL(strstr(why, "at least 1"));
	EXPECT_FALSE(option_bytes("5", 1, 4, &v, why, sizeof(why)));
	EXPECT_FALSE(option_bytes("-5", 1, 4, &v, why, sizeof(why)));
	EXPECT_EQ(v, 1);
}

TEST(limits_have_exit_codes)
{
	struct rf_result r = { .failure = RF_FAILURE_LIMIT, .limit = RF_LIMIT_CPU_TIME };

	EXPECT_EQ(exit_code_of(-1, &r), 208);
	r.limit = RF_LIMIT_WALL_TIME;
	EXPECT_EQ(exit_code_of(-1, &r), 209);
	r.limit = RF_LIMIT_OUTPUT;
	EXPECT_EQ(exit_code_of(-1, &r), 210);
	r = (struct rf_result){ .signal = 9, .limit = RF_LIMIT_MEMORY };
	EXPECT_EQ(exit_code_of(0, &r), 137);
}

TEST(option_count_keeps_limits)
{
	uint64_t v = 0;

	EXPECT_TRUE(option_count("64", 1, 64, &v, why, sizeof(why)));
	EXPECT_EQ(v, 64);
	EXPECT_FALSE(option_count("65", 1, 64, &v, why, sizeof(why)));
	EXPECT_FALSE(option_count("0", 1, 64, &v, why, sizeof(why)));
	EXPECT_FALSE(option_count("4x", 1, 64, &v, why, sizeof(why)));
	EXPECT_FALSE(option_count("", 1, 64, &v, why, sizeof(why)));
	EXPECT_EQ(v, 64);
}

TEST(option_user_takes_numbers)
{
	uint32_t uid, gid;

	EXPECT_TRUE(option_user("1000", &uid, &gid, why, sizeof(why)));
	EXPECT_EQ(gid, 1000);
	EXPECT_TRUE(option_user("0:7", &uid, &gid, why, sizeof(why)));
	EXPECT_EQ(uid, 0);
	EXPECT_EQ(gid, 7);
	EXPECT_FALSE(option_user("4294967295", &uid, &gid, why, sizeof(why)));
	EXPECT_FALSE(option_user("1:", &uid, &gid, why, sizeof(why)));
	EXPECT_FALSE(option_user(":1", &uid, &gid, why, sizeof(why)));
	EXPECT_FALSE(option_user("bob", &uid, &gid, why, sizeof(why)));
	EXPECT_FALSE(option_user("1111111111111111111111111111111111111111", &uid, &gid, why,
				 sizeof(why)));
}

TEST(option_bind_splits)
{
	const char *source, *target;
	char plain[] = "a/b", both[] = "src:/dst", relative[] = "src:dst", none[] = ":/x",
	     empty[] = "";

	EXPECT_TRUE(option_bind(plain, &source, &target, why, sizeof(why)));
	EXPECT_STR_EQ(source, "a/b");
	EXPECT_NULL(target);
	EXPECT_TRUE(option_bind(both, &source, &target, why, sizeof(why)));
	EXPECT_STR_EQ(source, "src");
	EXPECT_STR_EQ(target, "/dst");
	EXPECT_FALSE(option_bind(relative, &source, &target, why, sizeof(why)));
	EXPECT_FALSE(option_bind(none, &source, &target, why, sizeof(why)));
	EXPECT_FALSE(option_bind(empty, &source, &target, why, sizeof(why)));
}

TEST(env_default_passes_only_the_list)
{
	char path[] = "PATH=/bin", home[] = "HOME=/root", secret[] = "AWS_SECRET_ACCESS_KEY=x",
	     lc[] = "LC_ALL=C", prefix[] = "PATHX=1", junk[] = "noequals";
	char *environment[] = { path, secret, home, lc, prefix, junk, NULL };
	struct run_options o = { 0 };

	EXPECT_TRUE(env_add(&o, "HOME=/elsewhere"));
	EXPECT_TRUE(env_add(&o, "A=1"));
	EXPECT_TRUE(env_add(&o, "A=2"));
	EXPECT_TRUE(env_fill_default(&o, environment));
	ASSERT_EQ(o.env_count, 4);
	EXPECT_STR_EQ(o.env[0], "HOME=/elsewhere");
	EXPECT_STR_EQ(o.env[1], "A=2");
	EXPECT_STR_EQ(o.env[2], "PATH=/bin");
	EXPECT_STR_EQ(o.env[3], "LC_ALL=C");
	EXPECT_NULL(o.env[4]);
	free(o.env);
}

TEST(env_default_has_a_path_and_no_sockets_or_tokens)
{
	char agent[] = "SSH_AUTH_SOCK=/run/x", bus[] = "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/y",
	     runtime[] = "XDG_RUNTIME_DIR=/run/user/0", preload[] = "LD_PRELOAD=/x.so",
	     display[] = "DISPLAY=:0", tmp[] = "TMPDIR=/tmp/me";
	char *environment[] = { agent, bus, runtime, preload, display, tmp, NULL };
	struct run_options o = { 0 };

	EXPECT_TRUE(env_fill_default(&o, environment));
	ASSERT_EQ(o.env_count, 1);
	EXPECT_STR_EQ(o.env[0],
		      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	free(o.env);
}

TEST(env_all_passes_everything)
{
	char a[] = "A=1", b[] = "B=2";
	char *environment[] = { a, b, NULL };
	struct run_options o = { .env_all = true };

	EXPECT_TRUE(env_fill_default(&o, environment));
	EXPECT_EQ(o.env_count, 2); /* all, and no more */
	free(o.env);
}

TEST(env_grows)
{
	static char names[300][16];
	struct run_options o = { 0 };

	for (int i = 0; i < 300; i++) {
		snprintf(names[i], sizeof(names[i]), "N%d=x", i);
		ASSERT_TRUE(env_add(&o, names[i]));
	}
	EXPECT_EQ(o.env_count, 300);
	EXPECT_NULL(o.env[300]);
	free(o.env);
}

TEST(exit_codes_follow_the_table)
{
	struct rf_result r = { .exit_code = 3 };

	EXPECT_EQ(exit_code_of(0, &r), 3);
	r.signal = 9;
	EXPECT_EQ(exit_code_of(0, &r), 137);
	r.failure = RF_FAILURE_PERMISSION;
	EXPECT_EQ(exit_code_of(-1, &r), 202);
	r.failure = RF_FAILURE_NONE;
	EXPECT_EQ(exit_code_of(-1, &r), 206);
}

TEST(option_cpu_features_takes_a_list)
{
	uint32_t mask = 0;

	EXPECT_TRUE(option_cpu_features("-pcid", &mask, why, sizeof(why)));
	EXPECT_EQ(mask, RF_BOOT_F_PCID);
	EXPECT_TRUE(option_cpu_features("-smap,-1g", &mask, why, sizeof(why)));
	EXPECT_EQ(mask, RF_BOOT_F_PCID | RF_BOOT_F_SMAP | RF_BOOT_F_1G);
	EXPECT_FALSE(option_cpu_features("", &mask, why, sizeof(why)));
	EXPECT_FALSE(option_cpu_features("smap", &mask, why, sizeof(why)));
	EXPECT_FALSE(option_cpu_features("-smap,", &mask, why, sizeof(why)));
	EXPECT_FALSE(option_cpu_features("-sma", &mask, why, sizeof(why)));
	EXPECT_NOT_NULL(strstr(why, "-sma"));
}

TEST(option_inject_takes_one_source)
{
	struct rf_injection r = { 0 };

	EXPECT_TRUE(option_inject("nmi:100", &r, why, sizeof(why)));
	EXPECT_TRUE(option_inject("kick:7", &r, why, sizeof(why)));
	EXPECT_TRUE(option_inject("mc:1000000", &r, why, sizeof(why)));
	EXPECT_EQ(r.nmi, 100);
	EXPECT_EQ(r.kick, 7);
	EXPECT_EQ(r.mc, 1000000);
	EXPECT_EQ(r.df, 0);
	EXPECT_FALSE(option_inject("nmi:0", &r, why, sizeof(why)));
	EXPECT_FALSE(option_inject("nmi", &r, why, sizeof(why)));
	EXPECT_FALSE(option_inject("smi:1", &r, why, sizeof(why)));
	EXPECT_FALSE(option_inject("kick:1x", &r, why, sizeof(why)));
}
