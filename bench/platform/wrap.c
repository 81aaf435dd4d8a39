/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splits the time of an operation into the host kernel's and ours: the linker sends the platform library's system calls
 * through these functions (--wrap, see meson.build), which add up what each takes.
 */
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/types.h>

#include "platform/bench.h"

static _Thread_local struct host_time spent;

#define TIMED(field, type, call)                 \
	do {                                     \
		int64_t start = now_ns();        \
		type result = (call);            \
                                                 \
		spent.field += now_ns() - start; \
		spent.calls++;                   \
		return result;                   \
	} while (0)

int __real_ioctl(int fd, unsigned long request, unsigned long arg);
void *__real_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
int __real_madvise(void *at, size_t size, int advice);
int __real_close(int fd);
int __wrap_ioctl(int fd, unsigned long request, ...);
void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset);
int __wrap_munmap(void *at, size_t size);
int __wrap_madvise(void *at, size_t size, int advice);
int __wrap_close(int fd);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	unsigned long arg;
	va_list ap;

	va_start(ap, request);
	arg = va_arg(ap, unsigned long);
	va_end(ap);
	TIMED(ioctl_ns, int, __real_ioctl(fd, request, arg));
}

void *__wrap_mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
	TIMED(mmap_ns, void *, __real_mmap(at, size, prot, flags, fd, offset));
}

int __wrap_munmap(void *at, size_t size)
{
	TIMED(mmap_ns, int, __real_munmap(at, size));
}

int __wrap_madvise(void *at, size_t size, int advice)
{
	TIMED(mmap_ns, int, __real_madvise(at, size, advice));
}

int __wrap_close(int fd)
{
	TIMED(other_ns, int, __real_close(fd));
}

struct host_time host_time_take(void)
{
	struct host_time taken = spent;

	spent = (struct host_time){ 0 };
	return taken;
}

static void add(struct host_time *to, const struct host_time *t)
{
	to->ioctl_ns += t->ioctl_ns;
	to->mmap_ns += t->mmap_ns;
	to->other_ns += t->other_ns;
	to->calls += t->calls;
}

void host_time_add(struct host_time *sum)
{
	struct host_time t = host_time_take();

	add(sum, &t);
}

/* Puts back what was taken, so that it belongs to what is measured. */
void host_time_give(const struct host_time *t)
{
	add(&spent, t);
}
