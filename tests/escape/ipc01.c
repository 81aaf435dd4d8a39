/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opens System V shared memory, semaphores and message queues of the host by key and by number, and makes its own.
 * Stopped by: our kernel has none; the runner compares those of the host.
 * Escape-Expect: stopped: no such call: shmget
 * Escape-Expect: stopped: no such call: shmat
 * Escape-Expect: stopped: no such call: shmctl
 * Escape-Expect: stopped: no such call: semget
 * Escape-Expect: stopped: no such call: semop
 * Escape-Expect: stopped: no such call: semctl
 * Escape-Expect: stopped: no such call: msgget
 * Escape-Expect: stopped: no such call: msgsnd
 * Escape-Expect: stopped: no such call: msgrcv
 * Escape-Expect: stopped: no such call: msgctl
 * Escape-Expect: stopped: ENOENT from /proc/sysvipc/shm
 */
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "escape/escape.h"

void attempt(void)
{
	key_t key = (key_t)told_number("ESCAPE_IPC_KEY");
	int id = (int)told_number("ESCAPE_SHM_ID");
	struct sembuf up = { .sem_op = 1 };
	struct {
		long type;
		char text[8];
	} message = { 1, "x" };

	REFUSED("shmget", shmget(key, 0, 0));
	REFUSED("shmat", shmat(id, NULL, 0));
	REFUSED("shmctl", shmctl(id, IPC_RMID, NULL));
	REFUSED("semget", semget(key, 1, 0));
	REFUSED("semop", semop((int)told_number("ESCAPE_SEM_ID"), &up, 1));
	REFUSED("semctl", semctl((int)told_number("ESCAPE_SEM_ID"), 0, IPC_RMID));
	REFUSED("msgget", msgget(key, 0));
	REFUSED("msgsnd", msgsnd((int)told_number("ESCAPE_MSG_ID"), &message, sizeof(message.text),
				 IPC_NOWAIT));
	REFUSED("msgrcv", msgrcv((int)told_number("ESCAPE_MSG_ID"), &message, sizeof(message.text),
				 0, IPC_NOWAIT));
	REFUSED("msgctl", msgctl((int)told_number("ESCAPE_MSG_ID"), IPC_RMID, NULL));
	try_read("/proc/sysvipc/shm", "/proc/sysvipc/shm");
}
