/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every way out of KVM_RUN: what it is called, what it probably means in our design, and who
 * answers it in each residency. docs/exits.md is this table in prose. Pure: no KVM, no I/O.
 */
#pragma once

#include <linux/kvm.h>

#include "base/types.h"
#include <ringfence/platform.h>

/* Exit reasons of kernels newer than the oldest headers we build with. */
#define KVM_REASON_NOTIFY          37u
#define KVM_REASON_LOONGARCH_IOCSR 38u
#define KVM_REASON_MEMORY_FAULT    39u
#define KVM_REASON_TDX             40u
#define KVM_REASONS                41u

/* Who answers an exit; context_host.c and boot.c have a case each, by the same names. */
enum kvm_answer {
	KVM_ANSWER_FATAL,    /* nobody: dump, and the switch or the sandbox fails */
	KVM_ANSWER_EVENT,    /* host: an OUT of a stub, or the user's own */
	KVM_ANSWER_HOSTCALL, /* guest: the kernel asks for something */
	KVM_ANSWER_WINDOW,   /* guest: an interrupt can be injected now */
	KVM_ANSWER_SIGNAL,   /* a signal of the host: look at the flags */
	KVM_ANSWER_AGAIN,    /* run again, KVM_RETRIES_MAX times at most */
	KVM_ANSWER_BACKING,  /* host: memory behind a guest page is gone, SIGBUS for the program */
};

/* Of KVM_RUN without progress, before that is an error of its own. */
#define KVM_RETRIES_MAX 10000u

enum kvm_exit_class {
	KVM_CLASS_REASON,   /* kvm_run.exit_reason */
	KVM_CLASS_SUBERROR, /* of KVM_EXIT_INTERNAL_ERROR */
	KVM_CLASS_ERRNO,    /* KVM_RUN failed: positive errno */
	KVM_CLASSES
};

struct kvm_exit_row {
	u32 code;
	const char *name;
	const char *cause; /* what to look at */
	u8 host, guest;    /* enum kvm_answer */
};

/* The row of @code, or the class's row for codes nobody knows. Never NULL. */
const struct kvm_exit_row *kvm_exit_row(enum kvm_exit_class class, u64 code);
/* All rows of a class, for the tests. */
const struct kvm_exit_row *kvm_exit_rows(enum kvm_exit_class class, size_t *ret_count);
/* @error: 0 or what KVM_RUN failed with (negative). */
enum kvm_answer kvm_exit_answer(enum rf_residency residency, int error, u32 reason);
const char *kvm_answer_name(enum kvm_answer answer);
const char *kvm_exit_name(u32 reason);

/* hardware_entry_failure_reason of KVM_EXIT_FAIL_ENTRY. */
const char *kvm_entry_failure_name(u64 reason);
/*
 * What a CPU would refuse in this state, one line a finding (SDM vol. 3C section 26.3.1 "Checks on
 * the Guest State Area", APM vol. 2 section 15.5.1 "Canonicalization and Consistency Checks").
 * Returns the number of findings, of which as many are written as fit.
 */
u32 kvm_state_check(const struct kvm_sregs *s, u64 rip, u64 rflags, char *buf, size_t size);
