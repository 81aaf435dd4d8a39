/* SPDX-License-Identifier: Apache-2.0 */
/* fork in a program with threads: only the caller is in the child. */
#include <pthread.h>
#include <dirent.h>

#include "guest/guest.h"

static volatile int stop;

static void *spin(void *arg)
{
	while (!stop)
		sched_yield();
	return NULL;
}

static int count_threads(void)
{
	DIR *d = opendir("/proc/self/task");
	int count = 0;

	CHECK(d != NULL);
	for (struct dirent *e; (e = readdir(d));)
		count += e->d_name[0] != '.';
	closedir(d);
	return count;
}

static int child(void *arg)
{
	return count_threads();
}

int main(void)
{
	pthread_t thread[3];
	int status;

	for (int i = 0; i < 3; i++)
		CHECK_EQ(pthread_create(&thread[i], NULL, spin, NULL), 0);
	say("parent %d\n", count_threads());
	status = wait_for(spawn(child, NULL));
	say("child %d\n", WEXITSTATUS(status));
	stop = 1;
	for (int i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return 0;
}
