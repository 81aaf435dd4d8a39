/* SPDX-License-Identifier: Apache-2.0 */
/* The probe finishes fast, is remembered, and says something about every check. */
#include "platform/fixture.h"

/* Once for a process: the second needs no device. */
TEST(probe_decides_and_is_remembered)
{
	const struct rf_platform *p = rf_platform_lookup("kvm");
	struct rf_probe probe, again;
	struct rf_error err = { 0 };
	uint64_t start, first;
	int fd;

	if (rf_platform_open_device(p, NULL, &fd, &err))
		test_skip("%s", err.text);
	start = now_ns();
	ASSERT_OK(rf_platform_probe(p, fd, &probe, &err));
	first = now_ns() - start;
	for (size_t i = 0; i < probe.count; i++)
		test_note("%-16s %d %s%s%s", probe.checks[i].name, probe.checks[i].result,
			  probe.checks[i].detail, probe.checks[i].consequence[0] ? ": " : "",
			  probe.checks[i].consequence);
	test_note("usable %d can_boot %d, %lu us", probe.usable, probe.can_boot, first / 1000);
	EXPECT_TRUE(probe.usable);
	EXPECT_GT(probe.count, 5);
	ASSERT_OK(rf_platform_probe(p, -1, &again, &err));
	EXPECT_EQ(again.usable, probe.usable);
	EXPECT_EQ(memcmp(again.checks, probe.checks, sizeof(probe.checks)), 0);
	close(fd);
}

TEST(missing_device_is_named)
{
	struct rf_error err = { 0 };
	int fd;

	EXPECT_EQ(rf_platform_open_device(rf_platform_lookup("kvm"), "/nonexistent/kvm", &fd, &err),
		  -2);
	EXPECT_NOT_NULL(strstr(err.text, "/nonexistent/kvm"));
	EXPECT_LT(rf_platform_open_device(rf_platform_lookup("kvm"), "/dev/null", &fd, &err), 0);
	EXPECT_NOT_NULL(strstr(err.text, "/dev/null"));
}

TEST(bad_options_are_refused)
{
	struct rf_options o = { .cpus = 0, .memory.size = MEMORY };
	struct rf_error err = { 0 };
	struct rf_machine *m;

	EXPECT_EQ(rf_machine_new(rf_platform_lookup("kvm"), -1, &o, &m, &err), -22);
	o.cpus = 1;
	o.memory.size = 123;
	EXPECT_EQ(rf_machine_new(rf_platform_lookup("kvm"), -1, &o, &m, &err), -22);
	o.memory.size = MEMORY;
	o.memory.gpa = 0x1000;
	EXPECT_EQ(rf_machine_new(rf_platform_lookup("kvm"), -1, &o, &m, &err), -22);
	EXPECT_NOT_NULL(strstr(err.text, "0x1000"));
}
