/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ways into user code. Where the last trap left the virtual CPU decides how the next entry is
 * made (src/platform/kvm/context_host.c): from CPL 3 by setting registers, out of a ring-0 stub by
 * IRETQ, on another root with everything loaded anew. Each must do the same.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "platform/fixture.h"

enum entry { ENTRY_FIRST, ENTRY_SYSCALL, ENTRY_FAULT, ENTRY_INTERRUPT, ENTRY_ROOT, ENTRIES };

static const char *const entry_names[] = { "first", "after a system call", "after a fault",
					   "after an interrupt", "on another root" };

/* Interrupts @c all the time until @stop. */
struct interrupter {
	struct rf_context *c;
	_Atomic bool stop;
	pthread_t thread;
};

static inline void *interrupter_main(void *arg)
{
	struct interrupter *i = arg;

	while (!atomic_load(&i->stop)) {
		rf_context_interrupt(i->c);
		usleep(100);
	}
	return NULL;
}

static inline void interrupter_start(struct interrupter *i, struct rf_context *c)
{
	*i = (struct interrupter){ .c = c };
	ASSERT_EQ(pthread_create(&i->thread, NULL, interrupter_main, i), 0);
}

static inline void interrupter_stop(struct interrupter *i)
{
	atomic_store(&i->stop, true);
	pthread_join(i->thread, NULL);
}

/* A switch after an interrupter has been stopped: its last interrupt may still be to come. */
static inline void switch_after_interrupts(struct fixture *f, struct rf_context *c, uint32_t cpu)
{
	do
		ASSERT_OK(rf_context_switch(c, f->as, &f->regs, cpu, &f->trap));
	while (f->trap.kind == RF_TRAP_INTERRUPT);
}

/* Makes the next entry on CPU 0 the kind @how, by running something of another context's. */
static inline void entry_prepare(struct fixture *f, enum entry how)
{
	static const uint8_t syscall[] = { 0x0f, 0x05 }, ud2[] = { 0x0f, 0x0b },
			     spin[] = { 0xeb, 0xfe };
	const uint8_t *code = how == ENTRY_FAULT ? ud2 : how == ENTRY_INTERRUPT ? spin : syscall;
	struct rf_regs regs = { .rip = CODE, .rsp = STACK_TOP, .rflags = 0x202 };
	struct rf_address_space *as = f->as;
	struct interrupter i;
	struct rf_context *c;
	struct rf_trap trap;

	if (how == ENTRY_FIRST)
		return;
	if (how == ENTRY_ROOT) {
		ASSERT_OK(rf_address_space_new(f->m, &as));
		fixture_map_standard(as);
	}
	ASSERT_OK(rf_context_new(f->m, &c));
	memcpy(f->memory + CODE_OFF, code, 2);
	if (how == ENTRY_INTERRUPT)
		interrupter_start(&i, c);
	do
		ASSERT_OK(rf_context_switch(c, as, &regs, 0, &trap));
	while (how == ENTRY_INTERRUPT && trap.kind != RF_TRAP_INTERRUPT);
	if (how == ENTRY_INTERRUPT)
		interrupter_stop(&i);
	rf_context_free(c);
	if (how == ENTRY_ROOT)
		rf_address_space_free(as);
}
