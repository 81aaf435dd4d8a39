/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User memory of the current task. Every function may fault pages in (and so sleep) and returns -EFAULT when the user could not
 * make the access itself. Kernel code reads each user value once.
 */
#pragma once

#include <stddef.h>
#include "base/types.h"

struct mm;

int copy_from_user(void *dst, uptr_t src, size_t n) __must_check;
int copy_to_user(uptr_t dst, const void *src, size_t n) __must_check;
int clear_user(uptr_t dst, size_t n) __must_check;
/* Partial versions for read/write: bytes copied before the fault. */
size_t copy_from_user_partial(void *dst, uptr_t src, size_t n);
size_t copy_to_user_partial(uptr_t dst, const void *src, size_t n);
/* Copies a string of at most size-1 bytes: its length, -EFAULT, or -ENAMETOOLONG if no NUL fits. */
s64 strncpy_from_user(char *dst, uptr_t src, size_t size) __must_check;
/* New kernel copy of a path (at most PATH_MAX with NUL). *ret is kfree()d by the caller. -ENOENT is not checked here. */
int path_from_user(char **ret, uptr_t src) __must_check;
int get_user_u32(u32 *ret, uptr_t src) __must_check;
int get_user_u64(u64 *ret, uptr_t src) __must_check;
int put_user_u32(uptr_t dst, u32 v) __must_check;
int put_user_u64(uptr_t dst, u64 v) __must_check;
/* Atomic compare-and-swap on user memory; *ret_old is what was there. */
int user_cmpxchg_u32(uptr_t addr, u32 old, u32 new, u32 *ret_old) __must_check;
bool user_range_ok(uptr_t addr, size_t n); /* below RF_MAX_USER_ADDRESS without wrap */

/* Another process's memory (/proc/PID/mem, cmdline, environ, process_vm_readv). Bytes done or -EFAULT for none. */
s64 mm_read(struct mm *mm, uptr_t src, void *dst, size_t n);
s64 mm_write(struct mm *mm, uptr_t dst, const void *src, size_t n);
