/* SPDX-License-Identifier: Apache-2.0 */
/* FUTEX_WAKE_OP changes the second word and wakes by its old value. */
#include "guest/futex.h"

static uint32_t one(uint32_t op, uint32_t argument, uint32_t start)
{
	uint32_t first = 0, second = start;

	CHECK_EQ(futex(&first, FUTEX_WAKE_OP_PRIVATE, 1, (void *)1, &second,
		       (uint32_t)FUTEX_OP(op, argument, FUTEX_OP_CMP_EQ, 0)),
		 0);
	return second;
}

int main(void)
{
	say("%u\n", one(FUTEX_OP_SET, 7, 1));
	say("%u\n", one(FUTEX_OP_ADD, 7, 1));
	say("%u\n", one(FUTEX_OP_OR, 6, 1));
	say("%u\n", one(FUTEX_OP_ANDN, 5, 7));
	say("%u\n", one(FUTEX_OP_XOR, 5, 7));
	say("%u\n", one(FUTEX_OP_OR | FUTEX_OP_OPARG_SHIFT, 4, 1));
	FAILS(futex(&(uint32_t){ 0 }, FUTEX_WAKE_OP, 1, (void *)1, bad_address(), 0), EFAULT);
	return 0;
}
