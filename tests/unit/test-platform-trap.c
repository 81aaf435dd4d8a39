/* SPDX-License-Identifier: Apache-2.0 */
/* Exceptions to signals, as Linux does it. */
#include <signal.h>
#include <string.h>

#include "harness/test.h"
#include "platform/kvm/kvm.h"

static struct rf_trap classify(u32 vector, u64 error_code, const struct kvm_xsave *fpu)
{
	struct rf_trap t = { .kind = RF_TRAP_FAULT, .vector = vector, .error_code = error_code };

	kvm_trap_classify(&t, fpu);
	return t;
}

TEST(vectors_map_to_signals)
{
	static const struct {
		u32 vector;
		s32 signo, code;
	} cases[] = {
		{ 0, SIGFPE, FPE_INTDIV },    { 1, SIGTRAP, TRAP_TRACE },
		{ 3, SIGTRAP, SI_KERNEL },    { 4, SIGSEGV, SI_KERNEL },
		{ 6, SIGILL, ILL_ILLOPN },    { 11, SIGBUS, SI_KERNEL },
		{ 12, SIGBUS, SI_KERNEL },    { 13, SIGSEGV, SI_KERNEL },
		{ 14, SIGSEGV, SEGV_MAPERR }, { 17, SIGBUS, BUS_ADRALN },
		{ 31, SIGSEGV, SI_KERNEL },   { 200, SIGSEGV, SI_KERNEL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rf_trap t = classify(cases[i].vector, 0, NULL);

		EXPECT_EQ(t.signo, cases[i].signo);
		EXPECT_EQ(t.code, cases[i].code);
	}
}

TEST(page_fault_access_comes_from_the_error_code)
{
	EXPECT_EQ(classify(14, 4, NULL).access, RF_READ);
	EXPECT_EQ(classify(14, 5, NULL).access, RF_READ);
	EXPECT_EQ(classify(14, 6, NULL).access, RF_WRITE);
	EXPECT_EQ(classify(14, 0x15, NULL).access, RF_EXEC);
	EXPECT_EQ(classify(13, 6, NULL).access, 0);
}

TEST(float_codes_come_from_the_status)
{
	static const struct {
		u32 flags;
		s32 code;
	} cases[] = {
		{ 1, FPE_FLTINV },  { 4, FPE_FLTDIV }, { 8, FPE_FLTOVF },
		{ 16, FPE_FLTUND }, { 2, FPE_FLTUND }, { 32, FPE_FLTRES },
	};
	static struct kvm_xsave fpu;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 mxcsr = cases[i].flags;
		u16 fsw = (u16)cases[i].flags, fcw = 0;

		memcpy((u8 *)fpu.region + 24, &mxcsr, 4);
		memcpy(fpu.region, &fcw, 2);
		memcpy((u8 *)fpu.region + 2, &fsw, 2);
		EXPECT_EQ(classify(19, 0, &fpu).code, cases[i].code);
		EXPECT_EQ(classify(16, 0, &fpu).code, cases[i].code);
		mxcsr |= 0x1f80; /* all masked */
		memcpy((u8 *)fpu.region + 24, &mxcsr, 4);
		EXPECT_EQ(classify(19, 0, &fpu).code, 0);
	}
}

TEST(exits_have_names)
{
	EXPECT_STR_EQ(kvm_exit_name(KVM_EXIT_SHUTDOWN), "SHUTDOWN");
	EXPECT_STR_EQ(kvm_exit_name(KVM_EXIT_INTERNAL_ERROR), "INTERNAL_ERROR");
	EXPECT_STR_EQ(kvm_exit_name(9999), "unknown");
}
