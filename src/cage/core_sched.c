/* SPDX-License-Identifier: Apache-2.0 */
#include "cage/core_sched.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "platform/platform.h"

/* <linux/prctl.h> of Linux 5.14. The scopes are numbers that the C library's header lacks too. */
#ifndef PR_SCHED_CORE
#define PR_SCHED_CORE        62
#define PR_SCHED_CORE_GET    0
#define PR_SCHED_CORE_CREATE 1
#endif
#define SCOPE_THREAD       0
#define SCOPE_THREAD_GROUP 1

int core_sched_cookie(u64 *ret)
{
	u64 cookie __attribute__((aligned(8))) = 0;

	if (prctl(PR_SCHED_CORE, PR_SCHED_CORE_GET, 0, SCOPE_THREAD, &cookie))
		return -errno;
	*ret = cookie;
	return 0;
}

static int refuse(int error, struct rf_error *err)
{
	if (error == -ENODEV)
		return rf_error_set(
			err, error,
			"no core scheduling: this host's kernel sees no CPU with hyperthreads, so no core can be shared as far as it knows");
	if (error == -EINVAL)
		return rf_error_set(
			err, -EOPNOTSUPP,
			"no core scheduling: it needs Linux 5.14 or newer with CONFIG_SCHED_CORE");
	return rf_error_set(err, error, "no core scheduling: %s", strerror(-error));
}

int core_sched_available(struct rf_error *err)
{
	u64 cookie;
	int r = core_sched_cookie(&cookie);

	return r < 0 ? refuse(r, err) : 0;
}

int core_sched_enter(struct rf_error *err)
{
	u64 before = 0, after = 0;
	int r = core_sched_cookie(&before);

	if (r == 0 && prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, SCOPE_THREAD_GROUP, 0))
		r = -errno;
	if (r == 0)
		r = core_sched_cookie(&after);
	if (r == 0 && (!after || after == before))
		return rf_error_set(err, -EIO,
				    "no core scheduling: the host gave this process no cookie");
	return r < 0 ? refuse(r, err) : 0;
}
