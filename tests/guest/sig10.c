/* SPDX-License-Identifier: Apache-2.0 */
/* SSE and x87 state survive a handler that uses them; a handler starts with the default control words. */
#include "guest/guest.h"

static volatile unsigned handler_mxcsr;
static volatile unsigned short handler_cw;

static void handler(int sig)
{
	unsigned mxcsr;
	unsigned short cw;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	__asm__ volatile("fnstcw %0" : "=m"(cw));
	handler_mxcsr = mxcsr;
	handler_cw = cw;
	__asm__ volatile(
		"xorps %%xmm0, %%xmm0; xorps %%xmm7, %%xmm7; xorps %%xmm15, %%xmm15; fninit; fld1; fld1" ::
			: "xmm0", "xmm7", "xmm15");
}

int main(void)
{
	const unsigned mxcsr = 0x7f80; /* round to zero */
	const unsigned short cw = 0x0c7f;
	unsigned long in[4] = { 0x1111222233334444, 0x5555666677778888, 0x9999aaaabbbbcccc,
				0xddddeeeeffff0000 },
		      out[4];
	unsigned after;
	unsigned short cw_after;
	double top;

	handle(SIGUSR1, handler, 0);
	for (int i = 0; i < 100; i++) {
		__asm__ volatile("ldmxcsr %[mxcsr]\n\t"
				 "fldcw %[cw]\n\t"
				 "fldpi\n\t"
				 "movups %[a], %%xmm0\n\t"
				 "movups %[b], %%xmm15\n\t"
				 "syscall\n\t"
				 "movups %%xmm0, %[c]\n\t"
				 "movups %%xmm15, %[d]\n\t"
				 "fstpl %[top]\n\t"
				 "stmxcsr %[after]\n\t"
				 "fnstcw %[cw_after]"
				 : [c] "=m"(*(char(*)[16])out), [d] "=m"(*(char(*)[16])(out + 2)),
				   [top] "=m"(top), [after] "=m"(after), [cw_after] "=m"(cw_after)
				 : [a] "m"(*(char(*)[16])in), [b] "m"(*(char(*)[16])(in + 2)),
				   [mxcsr] "m"(mxcsr), [cw] "m"(cw), "a"((long)SYS_kill),
				   "D"((long)getpid()), "S"((long)SIGUSR1)
				 : "rcx", "r11", "memory", "xmm0", "xmm15");
		CHECK(memcmp(in, out, sizeof(in)) == 0);
		CHECK(top > 3.14 && top < 3.15);
		CHECK_EQ(after & ~0x3fu, mxcsr);
		CHECK_EQ(cw_after, cw);
	}
	say("in the handler: mxcsr %#x cw %#x\n", handler_mxcsr, handler_cw);
	return 0;
}
