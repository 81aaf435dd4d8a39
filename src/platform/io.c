/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address-space I/O for platforms whose mappings the host can look up: translate page by page
 * through as_next and work on the memory file. The caller keeps mappings and frames alive
 * meanwhile, but the file's end may come nearer at any time: every access is a guarded one.
 */
#include <errno.h>

#include "platform/guard.h"
#include "platform/platform.h"

/*
 * Host address of user address @addr if it is mapped with @access, else NULL. *@ret_len: bytes to
 * the end of the page.
 */
static void *translate(struct rf_address_space *as, u64 addr, u32 access, size_t *ret_len)
{
	u64 page = ALIGN_DOWN(addr, PAGE_SIZE), va, offset;
	u32 prot;

	if (addr < RF_MIN_USER_ADDRESS || addr >= RF_MAX_USER_ADDRESS)
		return NULL;
	if (as->machine->platform->as_next(as, page, page + PAGE_SIZE, &va, &offset, &prot) != 1)
		return NULL;
	if ((prot & access) != access)
		return NULL;
	*ret_len = PAGE_SIZE - (addr - page);
	return (u8 *)as->machine->memory.base + offset + (addr - page);
}

size_t rf_address_space_copy_in(struct rf_address_space *as, void *dst, uint64_t src, size_t n)
{
	size_t done = 0, run;

	while (done < n) {
		const void *p = translate(as, src + done, RF_READ, &run);
		size_t left;

		if (!p)
			break;
		run = MIN(run, n - done);
		left = guard_copy((u8 *)dst + done, p, run);
		done += run - left;
		if (left)
			break;
	}
	return done;
}

size_t rf_address_space_copy_out(struct rf_address_space *as, uint64_t dst, const void *src,
				 size_t n)
{
	size_t done = 0, run;

	while (done < n) {
		void *p = translate(as, dst + done, RF_WRITE, &run);
		size_t left;

		if (!p)
			break;
		run = MIN(run, n - done);
		left = guard_copy(p, (const u8 *)src + done, run);
		done += run - left;
		if (left)
			break;
	}
	return done;
}

size_t rf_address_space_zero_out(struct rf_address_space *as, uint64_t dst, size_t n)
{
	size_t done = 0, run;

	while (done < n) {
		void *p = translate(as, dst + done, RF_WRITE, &run);
		size_t left;

		if (!p)
			break;
		run = MIN(run, n - done);
		left = guard_zero(p, run);
		done += run - left;
		if (left)
			break;
	}
	return done;
}

static u32 *translate_u32(struct rf_address_space *as, u64 addr, u32 access)
{
	size_t run;

	return addr % sizeof(u32) ? NULL : translate(as, addr, access, &run);
}

int rf_address_space_load_u32(struct rf_address_space *as, uint64_t addr, uint32_t *ret)
{
	const u32 *p = translate_u32(as, addr, RF_READ);

	return p && guard_load_u32(p, ret) ? 0 : -EFAULT;
}

int rf_address_space_swap_u32(struct rf_address_space *as, uint64_t addr, uint32_t value,
			      uint32_t *ret_old)
{
	u32 *p = translate_u32(as, addr, RF_WRITE);

	return p && guard_swap_u32(p, value, ret_old) ? 0 : -EFAULT;
}

int rf_address_space_cas_u32(struct rf_address_space *as, uint64_t addr, uint32_t old,
			     uint32_t value, uint32_t *ret_old)
{
	u32 *p = translate_u32(as, addr, RF_WRITE);

	return p && guard_cas_u32(p, old, value, ret_old) ? 0 : -EFAULT;
}
