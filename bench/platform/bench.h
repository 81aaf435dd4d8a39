/* SPDX-License-Identifier: Apache-2.0 */
/* platform-bench: what its files share. */
#pragma once

#include <stdint.h>

#include <ringfence/platform.h>

#define PAGE         4096ul
#define GIB          (1ul << 30)
#define MEMORY       (GIB + (64ul << 20))
/* Memory file: what is mapped by the page comes first; then code, data, stack. */
#define CODE_OFFSET  GIB
#define DATA_OFFSET  (GIB + 0x10000)
#define TOUCH_OFFSET (GIB + 0x100000)
#define CODE         0x400000ul
#define DATA         0x500000ul
#define TOUCH        0x40000000ul
#define MAP_SMALL    0x1000001000ul /* not congruent with its offset modulo 2 MiB: 4 KiB pages */
#define MAP_LARGE    0x2000000000ul

/* A machine with two CPUs, two address spaces with the same code and data, and two contexts. */
struct bench {
	struct rf_machine *machine;
	struct rf_address_space *as[2];
	struct rf_context *context[2];
	struct rf_regs regs[2];
};

/* Runs @rounds; returns the nanoseconds of what is measured. */
typedef int64_t (*run_fn)(struct bench *b, long rounds);
typedef int64_t (*host_fn)(long rounds);

struct operation {
	const char *name, *what;
	long rounds; /* of a batch */
	run_fn run;
	const char *host_what; /* the counterpart on the host, if any */
	host_fn host;
	uint32_t flags;
};
#define OPERATION_GUEST 1u /* residency guest, in a machine of its own: needs native ring 0 */
#define OPERATION_SPLIT 2u /* in machines of its own; says what part is the host's system calls */

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
int64_t now_ns(void);
/* ASCII text of a negative errno for die(). */
const char *error_text(int r);
#define CHECK(call)                                                     \
	do {                                                            \
		int check_result = (call);                              \
                                                                        \
		if (check_result < 0)                                   \
			die("%s: %s", #call, error_text(check_result)); \
	} while (0)

const struct rf_platform *bench_platform(void);
int bench_device(void);
/* Takes @fd. */
struct rf_machine *bench_machine_on(int fd, uint32_t cpus, enum rf_residency residency,
				    uint64_t size);
struct rf_machine *bench_machine(uint32_t cpus, enum rf_residency residency, uint64_t size);

/* Time in system calls of the calling thread since the last call, and how many: see wrap.c. */
struct host_time {
	int64_t ioctl_ns, mmap_ns, other_ns;
	long calls;
};
struct host_time host_time_take(void);
/* As host_time_take(), added to *@sum. */
void host_time_add(struct host_time *sum);
void host_time_give(const struct host_time *t);
/* For loops that wait for another thread: gives up the CPU. */
void bench_pause(void);

/* Runs a little code of each context in each address space. */
void user_warm(struct bench *b);

extern const struct operation user_operations[], memory_operations[], machine_operations[];

/* host.c */
int64_t host_getppid(long rounds);
int64_t host_segv(long rounds);
int64_t host_touch(long rounds);
int64_t host_map_1(long rounds);
int64_t host_unmap_1(long rounds);
int64_t host_map_512(long rounds);
int64_t host_unmap_512(long rounds);
int64_t host_protect(long rounds);
int64_t host_protect_running(long rounds);
int64_t host_process_switch(long rounds);
int64_t host_signal(long rounds);
int64_t host_thread(long rounds);
int64_t host_fork(long rounds);
