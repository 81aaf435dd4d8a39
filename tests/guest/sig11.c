/* SPDX-License-Identifier: Apache-2.0 */
/* AVX registers survive a handler that clobbers them. */
#include <cpuid.h>

#include "guest/guest.h"

static void __attribute__((target("avx"))) handler(int sig)
{
	__asm__ volatile("vzeroall" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm8", "xmm15", "memory");
}

static void __attribute__((target("avx"))) run(void)
{
	unsigned long in[4] = { 1, 2, 3, 0x123456789abcdef }, out[4], out15[4];

	for (int i = 0; i < 200; i++) {
		in[0]++;
		memset(out, 0, sizeof(out));
		__asm__ volatile("vmovups %[in], %%ymm3\n\t"
				 "vmovups %[in], %%ymm15\n\t"
				 "syscall\n\t"
				 "vmovups %%ymm3, %[out]\n\t"
				 "vmovups %%ymm15, %[out15]"
				 : [out] "=m"(*(char(*)[32])out), [out15] "=m"(*(char(*)[32])out15)
				 : [in] "m"(*(char(*)[32])in), "a"((long)SYS_kill),
				   "D"((long)getpid()), "S"((long)SIGUSR1)
				 : "rcx", "r11", "memory", "xmm3", "xmm15");
		CHECK(memcmp(in, out, sizeof(in)) == 0);
		CHECK(memcmp(in, out15, sizeof(in)) == 0);
	}
}

int main(void)
{
	unsigned a, b, c = 0, d;

	handle(SIGUSR1, handler, 0);
	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_AVX))
		run();
	say("ok\n");
	return 0;
}
