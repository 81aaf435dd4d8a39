/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exception means to a program: signal and si_code, as Linux reports them on x86
 * (sigaction(2)).
 */
#include "platform/kvm/kvm.h"

#include <signal.h>
#include <string.h>

/* si_code values that sys headers may not have. */
#define CODE_KERNEL      0x80 /* SI_KERNEL */
#define CODE_SEGV_MAPERR 1
#define CODE_SEGV_PKUERR 4
#define CODE_ILL_ILLOPN  2
#define CODE_FPE_INTDIV  1
#define CODE_FPE_FLTDIV  3
#define CODE_FPE_FLTOVF  4
#define CODE_FPE_FLTUND  5
#define CODE_FPE_FLTRES  6
#define CODE_FPE_FLTINV  7
#define CODE_BUS_ADRALN  1
#define CODE_BUS_ADRERR  2
#define CODE_TRAP_BRKPT  1
#define CODE_TRAP_TRACE  2

#define VECTOR_PF 14u
/* Protection keys are never enabled, but a KVM without hardware virtualisation leaves ring 3 those of its host. */
#define PF_KEY    0x20u

static const struct {
	s32 signo, code;
} meanings[32] = {
	[0] = { SIGFPE, CODE_FPE_INTDIV },    /* #DE */
	[1] = { SIGTRAP, CODE_TRAP_TRACE },   /* #DB */
	[2] = { SIGSEGV, CODE_KERNEL },       /* NMI */
	[3] = { SIGTRAP, CODE_KERNEL },       /* #BP: Linux sends SI_KERNEL for INT3 */
	[4] = { SIGSEGV, CODE_KERNEL },       /* #OF */
	[5] = { SIGSEGV, CODE_KERNEL },       /* #BR */
	[6] = { SIGILL, CODE_ILL_ILLOPN },    /* #UD */
	[7] = { SIGSEGV, CODE_KERNEL },       /* #NM */
	[8] = { SIGSEGV, CODE_KERNEL },       /* #DF */
	[9] = { SIGFPE, CODE_KERNEL },        /* coprocessor segment overrun */
	[10] = { SIGSEGV, CODE_KERNEL },      /* #TS */
	[11] = { SIGBUS, CODE_KERNEL },       /* #NP */
	[12] = { SIGBUS, CODE_KERNEL },       /* #SS */
	[13] = { SIGSEGV, CODE_KERNEL },      /* #GP */
	[14] = { SIGSEGV, CODE_SEGV_MAPERR }, /* #PF */
	[16] = { SIGFPE, 0 },                 /* #MF: from the status word */
	[17] = { SIGBUS, CODE_BUS_ADRALN },   /* #AC */
	[18] = { SIGBUS, CODE_BUS_ADRERR },   /* #MC: memory is gone */
	[19] = { SIGFPE, 0 },                 /* #XM: from MXCSR */
};

/*
 * The first unmasked exception in Linux's order of importance; flags are laid out as in FSW and
 * MXCSR.
 */
static s32 float_code(u32 raised)
{
	if (raised & 1)
		return CODE_FPE_FLTINV;
	if (raised & 4)
		return CODE_FPE_FLTDIV;
	if (raised & 8)
		return CODE_FPE_FLTOVF;
	if (raised & 0x12)
		return CODE_FPE_FLTUND;
	if (raised & 0x20)
		return CODE_FPE_FLTRES;
	return 0;
}

static s32 x87_code(const struct kvm_xsave *fpu)
{
	u16 cw, sw;

	memcpy(&cw, (const u8 *)fpu->region, 2);
	memcpy(&sw, (const u8 *)fpu->region + 2, 2);
	return float_code(sw & ~(u32)cw & 0x3f);
}

static s32 sse_code(const struct kvm_xsave *fpu)
{
	u32 mxcsr;

	memcpy(&mxcsr, (const u8 *)fpu->region + 24, 4);
	return float_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
}

/* Error code bits of #PF: 1 write, 4 instruction fetch (SDM vol. 3A §4.7). */
static u32 access_of(u64 error_code)
{
	if (error_code & 16)
		return RF_EXEC;
	return error_code & 2 ? RF_WRITE : RF_READ;
}

void kvm_trap_classify(struct rf_trap *t, const struct kvm_xsave *fpu)
{
	t->signo = SIGSEGV;
	t->code = CODE_KERNEL;
	t->access = 0;
	if (t->vector < ARRAY_SIZE(meanings) && meanings[t->vector].signo) {
		t->signo = meanings[t->vector].signo;
		t->code = meanings[t->vector].code;
	}
	if (t->vector == VECTOR_PF) {
		t->access = access_of(t->error_code);
		if (t->error_code & PF_KEY)
			t->code = CODE_SEGV_PKUERR;
	}
	if (t->vector == 16 && fpu)
		t->code = x87_code(fpu);
	else if (t->vector == 19 && fpu)
		t->code = sse_code(fpu);
}
