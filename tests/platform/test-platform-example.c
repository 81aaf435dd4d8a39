/* SPDX-License-Identifier: Apache-2.0 */
/* The example program does what its comments say. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "platform/fixture.h"

/* Beside this program in the build directory. */
static void example_path(char *path, size_t size, const char *name)
{
	char self[PATH_MAX] = "", *slash;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	ASSERT_GE(n, 1);
	for (int i = 0; i < 3; i++) { /* DIR/tests/platform/test-platform-example */
		slash = strrchr(self, '/');
		ASSERT_NOT_NULL(slash);
		*slash = 0;
	}
	snprintf(path, size, "%s/examples/%s", self, name);
}

static int run_program(const char *path, char *out, size_t size)
{
	FILE *f = popen(path, "r");
	size_t n;

	ASSERT_NOT_NULL(f);
	n = fread(out, 1, size - 1, f);
	out[n] = 0;
	return pclose(f);
}

TEST(user_code_example_runs_its_program)
{
	static const char lines[] = "hello from user mode\nsomebody changed my memory\n"
				    "exit status 28 after 3 system calls, 8 page faults, ";
	char path[PATH_MAX + 64], out[4096];
	struct fixture f;
	int status;

	fixture_up(&f, 1); /* skips where there is no platform */
	fixture_down(&f);
	example_path(path, sizeof(path), "example-user-code");
	status = run_program(path, out, sizeof(out));
	test_note("%s", out);
	EXPECT_EQ(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 0);
	out[sizeof(lines) - 1] =
		0; /* how often it was interrupted depends on the machine's speed */
	EXPECT_STR_EQ(out, lines);
}

TEST(library_and_header_are_one_version)
{
	EXPECT_EQ(rf_platform_version(), RF_PLATFORM_VERSION);
	EXPECT_EQ(RF_PLATFORM_VERSION >> 16, RF_PLATFORM_VERSION_MAJOR);
}
