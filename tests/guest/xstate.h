/* SPDX-License-Identifier: Apache-2.0 */
/* xstate.h: XSAVE images in signal frames and in memory (SDM vol. 1 §13.4), and vector registers as memory. */
#pragma once

#include <cpuid.h>

#include "guest/guest.h"

#define XSTATE_X87 1ul
#define XSTATE_SSE 2ul
#define XSTATE_AVX 4ul
#define XSTATE_512 0xe0ul
#define XSAVE_MAX  16384u

#ifndef FP_XSTATE_MAGIC1 /* <asm/sigcontext.h>, which can't be included with <signal.h> */
#define FP_XSTATE_MAGIC1      0x46505853u
#define FP_XSTATE_MAGIC2      0x46505845u
#define FP_XSTATE_MAGIC2_SIZE 4u
#endif

static inline unsigned get_mxcsr(void)
{
	unsigned v;

	__asm__ volatile("stmxcsr %0" : "=m"(v));
	return v;
}

static inline void set_mxcsr(unsigned v)
{
	__asm__ volatile("ldmxcsr %0" : : "m"(v));
}

/* XCR0, 0 without XSAVE. */
static inline uint64_t xstate_enabled(void)
{
	unsigned a, b, c = 0, d, lo, hi;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
		return 0;
	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (uint64_t)hi << 32;
}

struct xstate_header {
	uint64_t xstate_bv, xcomp_bv, reserved[6];
};

/* The frame's FPU state, its software bytes, header, and closing word. */
#define FRAME_STATE(uc)     ((uint8_t *)(uc)->uc_mcontext.fpregs)
#define FRAME_SW(state)     ((struct _fpx_sw_bytes *)((state) + 464))
#define FRAME_HEADER(state) ((struct xstate_header *)((state) + 512))
#define FRAME_MAGIC2(state) (*(uint32_t *)((state) + FRAME_SW(state)->xstate_size))
#define FRAME_MXCSR(state)  (*(uint32_t *)((state) + 24))

/* All vector registers this CPU has, 0 bytes where it has less than AVX-512. */
struct vectors {
	uint8_t zmm[32][64];
	uint64_t k[8];
} __attribute__((aligned(64)));

/* Loads and stores; n is 16, 32 or 64 bytes a register. Done by the caller's asm around its event. */
#define EACH16(m) \
	m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15)
#define EACH32(m)                                                                                 \
	EACH16(m)                                                                                 \
	m(16) m(17) m(18) m(19) m(20) m(21) m(22) m(23) m(24) m(25) m(26) m(27) m(28) m(29) m(30) \
		m(31)
#define LOAD_X(n) "movups 64*" #n "(%[in]), %%xmm" #n "\n"
#define KEEP_X(n) "movups %%xmm" #n ", 64*" #n "(%[out])\n"
#define LOAD_Y(n) "vmovups 64*" #n "(%[in]), %%ymm" #n "\n"
#define KEEP_Y(n) "vmovups %%ymm" #n ", 64*" #n "(%[out])\n"
#define LOAD_Z(n) "vmovups 64*" #n "(%[in]), %%zmm" #n "\n"
#define KEEP_Z(n) "vmovups %%zmm" #n ", 64*" #n "(%[out])\n"
#define EACH8(m)  m(0) m(1) m(2) m(3) m(4) m(5) m(6) m(7)
#define LOAD_K(n) "kmovw 2048+8*" #n "(%[in]), %%k" #n "\n"
#define KEEP_K(n) "kmovw %%k" #n ", 2048+8*" #n "(%[out])\n"

#define VECTOR_CALL(loads, keeps)                                                                  \
	__asm__ volatile(loads "syscall\n" keeps                                                   \
			 : "+a"(number)                                                            \
			 : [in] "r"(in), [out] "r"(out), "D"(a), "S"(b), "d"(0L)                   \
			 : "rcx", "r11", "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", \
			   "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13",     \
			   "xmm14", "xmm15")

/* Loads all registers, makes the system call, stores all registers. Returns its result. */
static __attribute__((noinline, unused)) long vectors_call(const struct vectors *in,
							   struct vectors *out, long number, long a,
							   long b)
{
	uint64_t enabled = xstate_enabled();

	if ((enabled & XSTATE_512) == XSTATE_512)
		VECTOR_CALL(EACH32(LOAD_Z) EACH8(LOAD_K), EACH32(KEEP_Z) EACH8(KEEP_K));
	else if (enabled & XSTATE_AVX)
		VECTOR_CALL(EACH16(LOAD_Y), EACH16(KEEP_Y));
	else
		VECTOR_CALL(EACH16(LOAD_X), EACH16(KEEP_X));
	return number;
}

/* The part of each register that this CPU has; 0: register n does not exist. */
static inline size_t vectors_width(unsigned n)
{
	uint64_t enabled = xstate_enabled();

	if ((enabled & XSTATE_512) == XSTATE_512)
		return 64;
	if (n >= 16)
		return 0;
	return enabled & XSTATE_AVX ? 32 : 16;
}

static inline void vectors_fill(struct vectors *v, unsigned seed)
{
	for (unsigned i = 0; i < sizeof(v->zmm); i++)
		((uint8_t *)v->zmm)[i] = (uint8_t)((seed * 37 + i * 11 + (i >> 6) * 5) | 1);
	for (unsigned i = 0; i < 8; i++)
		v->k[i] = (uint16_t)(seed * 257 + i * 4099 + 1);
}

static inline bool vectors_equal(const struct vectors *a, const struct vectors *b)
{
	for (unsigned i = 0; i < 32; i++)
		if (memcmp(a->zmm[i], b->zmm[i], vectors_width(i)))
			return false;
	if (vectors_width(31) == 64)
		for (unsigned i = 0; i < 8; i++)
			if ((uint16_t)a->k[i] != (uint16_t)b->k[i])
				return false;
	return true;
}
