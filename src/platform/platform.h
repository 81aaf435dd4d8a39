/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a platform implements. `struct rf_platform` is its table of operations; the public functions
 * in dispatch.c check arguments and call through it. An operation that is NULL is answered with
 * -ENOSYS.
 */
#pragma once

#include <ringfence/platform.h>

#include "base/types.h"

/* Every platform's objects start with these. */
struct rf_machine {
	const struct rf_platform *platform;
	struct rf_memory memory;
};

struct rf_address_space {
	struct rf_machine *machine;
};

struct rf_context {
	struct rf_machine *machine;
};

/* Events for tests. */
enum rf_inject {
	RF_INJECT_NMI,
	RF_INJECT_MC, /* machine check, if user code runs */
	RF_INJECT_DF, /* double fault */
};

struct rf_platform {
	const char *name;
	struct rf_requirements requirements;
	const struct rf_host_call *host_filter;
	size_t host_filter_count;

	int (*open_device)(const char *path, int *ret_fd, struct rf_error *err);
	int (*probe)(int device, struct rf_probe *ret, struct rf_error *err);

	/* Takes @device. @opts has been checked. */
	int (*machine_new)(int device, const struct rf_options *opts, struct rf_machine **ret,
			   struct rf_error *err);
	void (*machine_free)(struct rf_machine *m);
	void (*machine_traits)(const struct rf_machine *m, struct rf_traits *ret);
	void (*machine_stats)(const struct rf_machine *m, struct rf_stats *ret);
	int (*machine_memory_barrier)(struct rf_machine *m);
	void (*machine_interrupt_cpu)(struct rf_machine *m, u32 cpu);
	int (*machine_inject)(struct rf_machine *m, u32 cpu, enum rf_inject what);
	int (*machine_dump_cpu)(struct rf_machine *m, u32 cpu, struct rf_regs *ret_regs, char *buf,
				size_t size);
	u64 (*machine_xcr0)(const struct rf_machine *m);
	u32 (*machine_boot_features)(const struct rf_machine *m);

	int (*as_new)(struct rf_machine *m, struct rf_address_space **ret);
	void (*as_free)(struct rf_address_space *as);
	/* Ranges are page-aligned, not empty, inside user space and inside the memory file. */
	int (*as_map_file)(struct rf_address_space *as, u64 addr, u64 offset, u64 len, u32 prot,
			   bool precommit);
	int (*as_unmap)(struct rf_address_space *as, u64 addr, u64 len);
	int (*as_protect)(struct rf_address_space *as, u64 addr, u64 len, u32 mask);
	int (*as_next)(struct rf_address_space *as, u64 addr, u64 end, u64 *ret_addr,
		       u64 *ret_offset, u32 *ret_prot);
	int (*as_flush)(struct rf_address_space *as);

	int (*context_new)(struct rf_machine *m, struct rf_context **ret);
	void (*context_free)(struct rf_context *c);
	int (*context_switch)(struct rf_context *c, struct rf_address_space *as,
			      struct rf_regs *regs, u32 cpu, struct rf_trap *ret);
	void (*context_interrupt)(struct rf_context *c);
	void (*context_preempt)(struct rf_context *c);
	int (*context_detect_preemption)(struct rf_context *c, bool on);
	size_t (*fpu_size)(const struct rf_machine *m);
	int (*context_get_fpu)(struct rf_context *c, void *buf, size_t size);
	int (*context_set_fpu)(struct rf_context *c, const void *buf, size_t size);
	int (*context_reset_fpu)(struct rf_context *c);

	int (*boot_cpu)(struct rf_machine *m, u32 cpu, const struct rf_boot_cpu *state,
			struct rf_error *err);
	int (*run_cpu)(struct rf_machine *m, u32 cpu, enum rf_exit_kind *ret, char *dump,
		       size_t dump_size);
};

/*
 * For tests: an event for a booted CPU, wherever it is. -EINVAL: no such CPU, or not residency guest; -ENOSYS: the platform can't.
 */
int rf_machine_inject(struct rf_machine *m, u32 cpu, enum rf_inject what);

/* Fills *@err (may be NULL) and returns @code. */
int rf_error_set(struct rf_error *err, int code, const char *fmt, ...) __printf(3, 4);
