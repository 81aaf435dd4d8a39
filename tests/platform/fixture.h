/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine, an address space and a context for tests that run snippets of user code.
 *
 * Memory file: code at offset 0, data at 0x10000, stack at 0x20000. USER_CODE() puts assembly into
 * this program's read-only data, to be copied into the code page.
 */
#pragma once

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ringfence/platform.h>

#include "harness/test.h"
#include "harness/user_code.h"

#define CODE      0x400000ul
#define CODE_OFF  0x0ul
#define DATA      0x500000ul
#define DATA_OFF  0x10000ul
#define STACK     0x600000ul
#define STACK_OFF 0x20000ul
#define STACK_TOP (STACK + 0x1000)
#define MEMORY    (16ul << 20)
#define FRAME(n)  (0x100000ul + (n)*0x1000ul) /* spare frames */

struct fixture {
	struct rf_machine *m;
	struct rf_address_space *as;
	struct rf_context *c;
	struct rf_regs regs;
	struct rf_trap trap;
	uint8_t *memory;
};

static inline const struct rf_platform *fixture_platform(void)
{
	const char *name = getenv("RF_TEST_PLATFORM");
	const struct rf_platform *p = rf_platform_lookup(name ? name : "kvm");

	if (!p)
		test_fatal("no platform %s", name);
	return p;
}

static inline struct rf_machine *fixture_machine(uint32_t cpus, enum rf_residency residency)
{
	struct rf_options options = { .cpus = cpus, .residency = residency, .memory.size = MEMORY };
	const struct rf_platform *p = fixture_platform();
	struct rf_error err = { 0 };
	struct rf_machine *m;
	int fd;

	if (rf_platform_open_device(p, NULL, &fd, &err))
		test_skip("%s", err.text);
	if (rf_machine_new(p, fd, &options, &m, &err))
		test_fatal("rf_machine_new: %s", err.text);
	return m;
}

static inline void fixture_map_standard(struct rf_address_space *as)
{
	ASSERT_OK(rf_address_space_map_file(as, CODE, CODE_OFF, 0x1000, RF_READ | RF_EXEC, false));
	ASSERT_OK(rf_address_space_map_file(as, DATA, DATA_OFF, 0x1000, RF_READ | RF_WRITE, false));
	ASSERT_OK(
		rf_address_space_map_file(as, STACK, STACK_OFF, 0x1000, RF_READ | RF_WRITE, false));
}

static inline void fixture_reset(struct fixture *f)
{
	f->regs = (struct rf_regs){ .rip = CODE, .rsp = STACK_TOP - 64, .rflags = 0x202 };
}

static inline void fixture_up(struct fixture *f, uint32_t cpus)
{
	*f = (struct fixture){ 0 };
	f->m = fixture_machine(cpus, RF_RESIDENCY_HOST);
	f->memory = rf_machine_memory(f->m)->base;
	ASSERT_OK(rf_address_space_new(f->m, &f->as));
	ASSERT_OK(rf_context_new(f->m, &f->c));
	fixture_map_standard(f->as);
	fixture_reset(f);
}

static inline void fixture_down(struct fixture *f)
{
	rf_context_free(f->c);
	rf_address_space_free(f->as);
	rf_machine_free(f->m);
}

static inline void fixture_code(struct fixture *f, const char *start, const char *end)
{
	memset(f->memory + CODE_OFF, 0xcc, 0x1000);
	memcpy(f->memory + CODE_OFF, start, (size_t)(end - start));
}
#define LOAD(f, name) fixture_code(f, name, name##_end)

static inline void fixture_switch(struct fixture *f)
{
	ASSERT_OK(rf_context_switch(f->c, f->as, &f->regs, 0, &f->trap));
	if (f->trap.kind == RF_TRAP_ERROR)
		test_fatal("switch failed: %d at rip 0x%lx", f->trap.code, f->regs.rip);
}

static inline uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#define EXPECT_SYSCALL(f, nr)                                  \
	do {                                                   \
		EXPECT_EQ((f)->trap.kind, RF_TRAP_SYSCALL);    \
		EXPECT_EQ((f)->regs.orig_rax, (uint64_t)(nr)); \
	} while (0)
#define EXPECT_FAULT(f, v, e)                                   \
	do {                                                    \
		EXPECT_EQ((f)->trap.kind, RF_TRAP_FAULT);       \
		EXPECT_EQ((f)->trap.vector, (v));               \
		EXPECT_EQ((f)->trap.error_code, (uint64_t)(e)); \
	} while (0)
