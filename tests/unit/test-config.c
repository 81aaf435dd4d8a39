/* SPDX-License-Identifier: Apache-2.0 */
/* From a configuration to what the kernel reads: defaults, refusals, struct boot_config. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/test.h"
#include "monitor/boot_config.h"
#include "runtime/runtime.h"
#include "runtime/view.h"
#include "unit/test-hostcall-image.h"

static struct test_image elf;
static struct monitor m;
static const char *const argv_true[] = { "true", "-x", NULL };

static void config_start(struct rf_config *c)
{
	rf_config_init(c);
	c->argv = argv_true;
	c->kernel = &elf;
	c->kernel_size = sizeof(elf);
}

static int complete(struct rf_config *c, enum rf_failure *failure)
{
	struct rf_error err = { 0 };

	return config_complete(c, failure, &err);
}

TEST(config_complete_fills_defaults)
{
	struct rf_config c;
	enum rf_failure failure;

	config_start(&c);
	ASSERT_EQ(complete(&c, &failure), 0);
	EXPECT_GE(c.cpus, 1);
	EXPECT_LE(c.cpus, 4);
	EXPECT_EQ(c.limits.memory, RF_MEMORY_DEFAULT);
	EXPECT_EQ(c.limits.pids, RF_PIDS_DEFAULT);
	EXPECT_EQ(c.limits.files, RF_FILES_DEFAULT);
	EXPECT_EQ(c.limits.disk, RF_MEMORY_DEFAULT / 2);
	EXPECT_EQ(c.limits.disk_inodes, RF_MEMORY_DEFAULT / 2 / PAGE_SIZE);
	EXPECT_EQ(c.limits.file_size, UINT64_MAX);
	EXPECT_EQ(c.limits.cpu_time_ns, 0);
	EXPECT_EQ(c.limits.wall_time_ns, 0);
	EXPECT_EQ(c.limits.output, 0);
	EXPECT_STR_EQ(c.program, "true");
	EXPECT_EQ(c.uid, getuid());
	EXPECT_EQ(failure, RF_FAILURE_NONE);
}

TEST(config_complete_refuses_nonsense)
{
	struct rf_config c;
	enum rf_failure failure;

	config_start(&c);
	c.limits.memory = RF_MEMORY_MIN - PAGE_SIZE;
	EXPECT_EQ(complete(&c, &failure), -ENOMEM);
	EXPECT_EQ(failure, RF_FAILURE_MEMORY);
	config_start(&c);
	c.limits.memory = RF_MEMORY_MAX + PAGE_SIZE;
	EXPECT_EQ(complete(&c, &failure), -ENOMEM);
	config_start(&c);
	c.cpus = RF_MAX_CPUS + 1;
	EXPECT_EQ(complete(&c, &failure), -EINVAL);
	EXPECT_EQ(failure, RF_FAILURE_USAGE);
	config_start(&c);
	c.argv = NULL;
	EXPECT_EQ(complete(&c, &failure), -EINVAL);
	config_start(&c);
	c.mount_count = RF_MOUNTS_MAX + 1;
	EXPECT_EQ(complete(&c, &failure), -EINVAL);
}

TEST(config_complete_refuses_limits_out_of_range)
{
	static const struct rf_limits bad[] = {
		{ .pids = RF_PIDS_MAX + 1 },
		{ .files = RF_FILES_MIN - 1 },
		{ .files = RF_FILES_MAX + 1 },
		{ .disk = RF_DISK_MIN - 1 },
		{ .disk_inodes = (uint64_t)RF_INODES_MAX + 1 },
		{ .cpu_time_ns = RF_TIME_MIN_NS - 1 },
		{ .cpu_time_ns = RF_TIME_MAX_NS + 1 },
		{ .wall_time_ns = UINT64_MAX },
	};
	struct rf_config c;
	enum rf_failure failure;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		config_start(&c);
		c.limits = bad[i];
		EXPECT_EQ(complete(&c, &failure), -EINVAL);
		EXPECT_EQ(failure, RF_FAILURE_USAGE);
	}
	config_start(&c);
	c.limits.memory = UINT64_MAX;
	EXPECT_EQ(complete(&c, &failure), -ENOMEM);
}

TEST(limit_messages_name_value_and_option)
{
	struct rf_limits l = { .cpu_time_ns = 1500000000,
			       .wall_time_ns = 10000000000,
			       .output = 1000 };
	char text[96];

	limit_describe(RF_LIMIT_CPU_TIME, &l, text, sizeof(text));
	EXPECT_STR_EQ(text, "limit of 1.5 s of CPU time reached (--cpu-time)");
	limit_describe(RF_LIMIT_WALL_TIME, &l, text, sizeof(text));
	EXPECT_STR_EQ(text, "limit of 10 s of wall time reached (--wall-time)");
	limit_describe(RF_LIMIT_OUTPUT, &l, text, sizeof(text));
	EXPECT_STR_EQ(text, "limit of 1000 bytes of output reached (--output)");
}

static void monitor_begin(void)
{
	struct monitor_options o = { .image = &elf,
				     .image_size = sizeof(elf),
				     .residency = RF_RESIDENCY_HOST,
				     .cpus = 1,
				     .memory = 32 << 20,
				     .max_tasks = 64,
				     .log_fd = 2,
				     .strace_fd = 2 };
	struct rf_error err;

	test_image_fill(&elf);
	ASSERT_EQ(monitor_init(&m, &o, &err), 0);
}

static const char *text_at(const struct boot_config *b, u32 offset)
{
	return (const char *)b + offset;
}

TEST(config_write_says_what_was_asked)
{
	static const char *const envp[] = { "A=1", "B=2", NULL };
	const struct rf_mount mounts[] = { { RF_MOUNT_RW, "/tmp", "/inside" },
					   { RF_MOUNT_HIDE, NULL, "/home" } };
	const struct boot_config *b;
	bool closed[3] = { true, true, false };
	enum rf_failure failure;
	struct rf_config c;
	struct view v;
	struct rf_error err = { 0 };
	mode_t mask = umask(027);

	monitor_begin();
	config_start(&c);
	c.envp = envp;
	c.mounts = mounts;
	c.mount_count = 2;
	c.workdir = "/usr";
	ASSERT_EQ(complete(&c, &failure), 0);
	ASSERT_EQ(view_init(&v, &c, &err), 0);
	ASSERT_EQ(config_write(&c, &v, &m, closed, &err), 0);
	view_done(&v);
	umask(mask);
	b = (const void *)(m.arena.base + BOOT_CONFIG_OFF);
	EXPECT_EQ(b->argc, 2);
	EXPECT_STR_EQ(text_at(b, b->argv), "true");
	EXPECT_STR_EQ(text_at(b, b->argv) + 5, "-x");
	EXPECT_EQ(b->envc, 2);
	EXPECT_STR_EQ(text_at(b, b->envp) + 4, "B=2");
	EXPECT_STR_EQ(text_at(b, b->cwd), "/usr");
	EXPECT_EQ(b->umask, 027);
	EXPECT_EQ(b->mounts[0].kind, BOOT_MOUNT_ROOT_OVERLAY);
	EXPECT_STR_EQ(text_at(b, b->mounts[0].target), "/");
	EXPECT_EQ(b->mounts[b->nmounts - 2].kind, BOOT_MOUNT_HOST_RW);
	EXPECT_STR_EQ(text_at(b, b->mounts[b->nmounts - 2].target), "/inside");
	EXPECT_EQ(b->mounts[b->nmounts - 1].kind, BOOT_MOUNT_HIDE);
	EXPECT_EQ(b->stream[0].kind, BOOT_STREAM_CLOSED);
	EXPECT_NE(b->stream[2].kind, BOOT_STREAM_CLOSED);
	EXPECT_EQ(m.info->config_len, b->size);
	/* Only the bind that asked for it is writable. */
	struct handle *root = handle_get(&m.handles, b->mounts[0].handle, HANDLE_PATH);
	struct handle *bind = handle_get(&m.handles, b->mounts[b->nmounts - 2].handle, HANDLE_PATH);

	ASSERT_NOT_NULL(root);
	ASSERT_NOT_NULL(bind);
	EXPECT_EQ(root->flags, 0);
	EXPECT_EQ(bind->flags, HANDLE_F_WRITABLE);
	handle_put(&m.handles, root);
	handle_put(&m.handles, bind);
	monitor_done(&m);
}

TEST(config_write_refuses_what_does_not_fit)
{
	static char big[BOOT_CONFIG_MAX];
	const char *const argv[] = { "x", big, NULL };
	bool closed[3] = { true, true, true };
	enum rf_failure failure;
	struct rf_config c;
	struct view v;
	struct rf_error err = { 0 };

	memset(big, 'a', sizeof(big) - 1);
	monitor_begin();
	config_start(&c);
	c.argv = argv;
	ASSERT_EQ(complete(&c, &failure), 0);
	ASSERT_EQ(view_init(&v, &c, &err), 0);
	EXPECT_EQ(config_write(&c, &v, &m, closed, &err), -E2BIG);
	view_done(&v);
	monitor_done(&m);
}

TEST(config_write_refuses_bad_binds)
{
	static const struct rf_mount bad[] = { { RF_MOUNT_RW, "/nonexistent", NULL },
					       { RF_MOUNT_RO, "/dev/null", "/x" },
					       { RF_MOUNT_RO, "/tmp", "relative" } };
	bool closed[3] = { true, true, true };
	enum rf_failure failure;
	struct rf_config c;
	struct view v;
	struct rf_error err;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		err = (struct rf_error){ 0 };
		monitor_begin();
		config_start(&c);
		c.mounts = &bad[i];
		c.mount_count = 1;
		ASSERT_EQ(complete(&c, &failure), 0);
		if (view_init(&v, &c, &err) == 0) {
			EXPECT_LT(config_write(&c, &v, &m, closed, &err), 0);
			view_done(&v);
		}
		EXPECT_GT(strlen(err.text), 0);
		monitor_done(&m);
	}
}
