/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens POSIX message queues, shared memory and semaphores of the host by their names.
 * Stopped by: there are no message queues, and /dev/shm is the sandbox's own.
 * Escape-Expect: stopped: no such call: mq_open
 * Escape-Expect: stopped: no such call: mq_unlink
 * Escape-Expect: stopped: ENOENT from the queue's file
 * Escape-Expect: stopped: ENOENT from shm_open
 * Escape-Expect: stopped: ENOENT from shm_unlink
 * Escape-Expect: stopped: ENOENT from sem_open
 * Escape-Expect: stopped: ENOENT from the shared memory's file
 */
#include <mqueue.h>
#include <semaphore.h>

#include "escape/escape.h"

void attempt(void)
{
	const char *name = told("ESCAPE_POSIX_NAME");
	char path[128];

	REFUSED("mq_open", mq_open(name, O_RDWR));
	REFUSED("mq_unlink", mq_unlink(name));
	snprintf(path, sizeof(path), "/dev/mqueue%s", name);
	try_read("the queue's file", path);
	REFUSED("shm_open", shm_open(name, O_RDWR, 0));
	REFUSED("shm_unlink", shm_unlink(name));
	REFUSED("sem_open", sem_open(name, 0) == SEM_FAILED ? -1 : 0);
	snprintf(path, sizeof(path), "/dev/shm%s", name);
	try_read("the shared memory's file", path);
}
