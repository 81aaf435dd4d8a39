/* SPDX-License-Identifier: Apache-2.0 */
/*
 * XSAVE images in the standard format (SDM vol. 1 §13.4 "XSAVE Area"): 512 bytes of legacy area, 64 bytes of header, then each
 * extended component at the offset CPUID leaf 0DH names.
 */
#include "kernel/platform/fpu.h"

#include "base/string.h"
#include "kernel/arch/arch.h"
#include "kernel/core/internal.h"
#include "kernel/platform/kplat.h"

#define COMPONENTS         63u
#define DEFAULT_MXCSR_MASK 0xffbfu

static struct {
	u32 offset, size;
} components[COMPONENTS];
static u32 mxcsr_mask = DEFAULT_MXCSR_MASK;

static bool has_header(void)
{
	return boot_info()->xsave_size >= XSAVE_EXTENDED;
}

void fpu_init(void)
{
	static u8 legacy[XSAVE_LEGACY_SIZE] __aligned(16);
	u32 out[4];

	__asm__ volatile("fxsave64 %0" : "=m"(legacy));
	memcpy(&mxcsr_mask, legacy + XSAVE_MXCSR_MASK, sizeof(mxcsr_mask));
	if (!mxcsr_mask)
		mxcsr_mask = DEFAULT_MXCSR_MASK;
	if (!has_header())
		return;
	for (u32 i = 2; i < COMPONENTS; i++) {
		if (!(boot_info()->xcr0 >> i & 1))
			continue;
		cpuid(0xd, i, out);
		/* The monitor's size rules: a component beyond it is as good as absent. */
		if ((u64)out[1] + out[0] > boot_info()->xsave_size)
			continue;
		components[i].size = out[0];
		components[i].offset = out[1];
	}
}

void fpu_image_init(void *buf)
{
	u8 *image = buf;
	u32 mxcsr = MXCSR_INIT;

	memset(image, 0, boot_info()->xsave_size);
	image[0] = FCW_INIT & 0xff;
	image[1] = FCW_INIT >> 8;
	memcpy(image + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(image + XSAVE_MXCSR_MASK, &mxcsr_mask, sizeof(mxcsr_mask));
}

void fpu_image_complete(void *buf)
{
	u8 *image = buf;
	u64 bv;

	if (!has_header())
		return;
	bv = *(u64 *)(image + XSAVE_XSTATE_BV);
	if (!(bv & XSTATE_X87)) {
		memset(image, 0, XSAVE_MXCSR);
		image[0] = FCW_INIT & 0xff;
		image[1] = FCW_INIT >> 8;
		memset(image + XSAVE_ST, 0, XSAVE_XMM - XSAVE_ST);
	}
	if (!(bv & XSTATE_SSE))
		memset(image + XSAVE_XMM, 0, XSAVE_XMM_SIZE);
	for (u32 i = 2; i < COMPONENTS; i++)
		if (components[i].size && !(bv >> i & 1))
			memset(image + components[i].offset, 0, components[i].size);
}

bool fpu_mxcsr_valid(const void *buf)
{
	u32 mxcsr;

	memcpy(&mxcsr, (const u8 *)buf + XSAVE_MXCSR, sizeof(mxcsr));
	return !(mxcsr & ~mxcsr_mask);
}

void fpu_sanitize(void *buf)
{
	u8 *image = buf;
	u32 mxcsr;

	memcpy(&mxcsr, image + XSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= mxcsr_mask;
	memcpy(image + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(image + XSAVE_MXCSR_MASK, &mxcsr_mask, sizeof(mxcsr_mask));
	if (!has_header())
		return;
	*(u64 *)(image + XSAVE_XSTATE_BV) &= boot_info()->xcr0;
	memset(image + XSAVE_XSTATE_BV + 8, 0, XSAVE_EXTENDED - XSAVE_XSTATE_BV - 8);
}
