/* SPDX-License-Identifier: Apache-2.0 */
/* prctl(PR_GET/PR_SET_SPECULATION_CTRL): what is said to be fixed can't be set; bad arguments are told apart. */
#include <errno.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <sys/prctl.h>

static int failed;

static void expect_error(const char *what, int r, int error)
{
	if (r != -1 || errno != error) {
		fprintf(stderr, "%s: %d, errno %d, not errno %d\n", what, r, errno, error);
		failed = 1;
	}
}

static void check(const char *name, unsigned long which)
{
	int r = prctl(PR_GET_SPECULATION_CTRL, which, 0, 0, 0);

	if (r < 0) {
		fprintf(stderr, "%s: errno %d\n", name, errno);
		failed = 1;
	} else if (r != PR_SPEC_NOT_AFFECTED && !(r & PR_SPEC_PRCTL) &&
		   prctl(PR_SET_SPECULATION_CTRL, which, PR_SPEC_FORCE_DISABLE, 0, 0) == 0 &&
		   !(prctl(PR_GET_SPECULATION_CTRL, which, 0, 0, 0) &
		     (PR_SPEC_DISABLE | PR_SPEC_FORCE_DISABLE))) {
		fprintf(stderr, "%s: taken, and without effect\n", name);
		failed = 1;
	}
}

int main(void)
{
	check("store bypass", PR_SPEC_STORE_BYPASS);
	check("indirect branches", PR_SPEC_INDIRECT_BRANCH);
	expect_error("unknown", prctl(PR_GET_SPECULATION_CTRL, 77, 0, 0, 0), ENODEV);
	expect_error("third argument",
		     prctl(PR_GET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 1, 0, 0), EINVAL);
	expect_error("fourth argument",
		     prctl(PR_SET_SPECULATION_CTRL, PR_SPEC_STORE_BYPASS, 0, 1, 0), EINVAL);
	expect_error("set unknown", prctl(PR_SET_SPECULATION_CTRL, 77, 0, 0, 0), ENODEV);
	return failed;
}
