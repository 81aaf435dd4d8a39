/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to the memory file that survive its truncation. A mapped page beyond the end of its file
 * raises SIGBUS (mmap(2)); asking first cannot help, as another process may truncate in between, and
 * the kernel's own copies (process_vm_readv(2)) have no atomic operations and cost a system call
 * each. So the instruction may fault, and a handler for SIGBUS makes the function return.
 */
#pragma once

#include "base/types.h"

/* Installs the handler, once per process; it passes on what is not ours. 0 or -errno. */
int guard_init(void);

/* Bytes not done; they end exactly where the memory ends. */
size_t guard_copy(void *dst, const void *src, size_t n);
size_t guard_zero(void *dst, size_t n);
/* False: the word is not there, and nothing was changed. Words are aligned. */
bool guard_load_u32(const u32 *p, u32 *ret);
bool guard_swap_u32(u32 *p, u32 value, u32 *ret_old);
bool guard_cas_u32(u32 *p, u32 old, u32 value, u32 *ret_old);

/*
 * Whether the page of @p can be had, without touching it: for a page whose loss has to be found.
 * The answer may be old when it arrives.
 */
bool guard_present(const void *p, bool write);
