/* SPDX-License-Identifier: Apache-2.0 */
/* Shared futexes: processes meet on shared memory, at different addresses, and on a file. */
#include "guest/futex.h"

static int child(void *arg)
{
	uint32_t *word =
		mremap(arg, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, map_pages(1, PROT_NONE));

	CHECK(word != MAP_FAILED && word != arg);
	for (int i = 0; i < 500; i++) {
		while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != 1)
			futex(word, FUTEX_WAIT, 0, NULL, NULL, 0);
		__atomic_store_n(word, 0, __ATOMIC_SEQ_CST);
		futex(word, FUTEX_WAKE, 1, NULL, NULL, 0);
	}
	return 0;
}

static void ping(uint32_t *word)
{
	pid_t pid = spawn(child, word);

	for (int i = 0; i < 500; i++) {
		__atomic_store_n(word, 1, __ATOMIC_SEQ_CST);
		futex(word, FUTEX_WAKE, 1, NULL, NULL, 0);
		while (__atomic_load_n(word, __ATOMIC_SEQ_CST) != 0)
			futex(word, FUTEX_WAIT, 1, NULL, NULL, 0);
	}
	wait_ok(pid);
}

int main(void)
{
	uint32_t *word;
	int fd;

	ping(map_shared(1));
	scratch();
	fd = OK(open("file", O_RDWR | O_CREAT, 0600));
	OK(ftruncate(fd, PAGE));
	word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(word != MAP_FAILED);
	ping(word);
	say("ok\n");
	return 0;
}
