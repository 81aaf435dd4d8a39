/* SPDX-License-Identifier: Apache-2.0 */
/* XSAVE images: layout and initial values (SDM vol. 1 §10.5.1 "FXSAVE Area", §13.4 "XSAVE Area", §13.6 "Processor Tracking"). */
#pragma once

#include "base/types.h"

#define XSAVE_MXCSR       24u
#define XSAVE_MXCSR_MASK  28u
#define XSAVE_ST          32u
#define XSAVE_XMM         160u
#define XSAVE_XMM_SIZE    256u
#define XSAVE_LEGACY_SIZE 512u
#define XSAVE_XSTATE_BV   512u
#define XSAVE_EXTENDED    576u
#define XSTATE_X87        1u
#define XSTATE_SSE        2u
#define XSTATE_AVX        4u
#define FCW_INIT          0x37fu
#define MXCSR_INIT        0x1f80u

/* The state after execve(2), boot_info()->xsave_size bytes. */
void fpu_image_init(void *buf);
/* Would the CPU load the MXCSR in the image? */
bool fpu_mxcsr_valid(const void *buf);
/* Fills in the initial values of components that XSAVEOPT left out because they were in their initial state. */
void fpu_image_complete(void *buf);
