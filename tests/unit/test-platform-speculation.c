/* SPDX-License-Identifier: Apache-2.0 */
/* Which measures against speculative execution follow from what the virtual CPU offers. */
#include <string.h>

#include "harness/test.h"
#include "platform/kvm/speculation.h"

#define MMIO_NO (ARCH_CAP_SBDR_SSDP_NO | ARCH_CAP_FBSDP_NO | ARCH_CAP_PSDP_NO)

static struct speculation_plan decide(struct speculation_facts f, bool ring0)
{
	struct speculation_plan p;

	memset(&p, 0xff, sizeof(p));
	speculation_decide(&f, ring0, &p);
	return p;
}

TEST(nothing_offered_means_retpolines)
{
	struct speculation_plan p = decide((struct speculation_facts){ 0 }, true);

	EXPECT_TRUE(p.retpoline && !p.ibrs && !p.auto_ibrs && !p.verw && !p.fill_rsb);
	p = decide((struct speculation_facts){ .intel = true }, true);
	EXPECT_TRUE(p.retpoline && p.fill_rsb);
}

TEST(isolated_predictors_need_no_retpolines)
{
	struct speculation_plan p =
		decide((struct speculation_facts){ .intel = true,
						   .spec_ctrl = true,
						   .arch_capabilities =
							   ARCH_CAP_IBRS_ALL | ARCH_CAP_MDS_NO },
		       true);

	EXPECT_TRUE(p.ibrs && !p.auto_ibrs && !p.retpoline && !p.verw);
	p = decide((struct speculation_facts){ .auto_ibrs = true, .spec_ctrl = true }, true);
	EXPECT_TRUE(p.auto_ibrs && !p.ibrs && !p.retpoline);
	/* The capability without the MSR, and the MSR of plain IBRS. */
	p = decide((struct speculation_facts){ .arch_capabilities = ARCH_CAP_IBRS_ALL }, true);
	EXPECT_TRUE(p.retpoline && !p.ibrs);
	p = decide((struct speculation_facts){ .spec_ctrl = true }, true);
	EXPECT_TRUE(p.retpoline && !p.ibrs);
}

TEST(in_the_monitors_process_ring_0_has_no_say)
{
	struct speculation_plan p =
		decide((struct speculation_facts){ .auto_ibrs = true,
						   .spec_ctrl = true,
						   .intel = true,
						   .md_clear = true,
						   .arch_capabilities = ARCH_CAP_IBRS_ALL },
		       false);

	EXPECT_TRUE(p.retpoline && !p.ibrs && !p.auto_ibrs && !p.verw);
}

TEST(a_refusal_brings_retpolines_back)
{
	struct speculation_facts f = { .auto_ibrs = true };
	struct speculation_plan p = decide(f, true);

	EXPECT_FALSE(p.retpoline);
	speculation_without_ibrs(&f, &p);
	EXPECT_TRUE(p.retpoline && !p.auto_ibrs && !p.ibrs);
	f.not_affected = true;
	p = decide(f, true);
	speculation_without_ibrs(&f, &p);
	EXPECT_FALSE(p.retpoline);
}

TEST(buffers_are_cleared_where_they_leak)
{
	static const struct {
		u64 caps;
		bool rtm, verw;
	} rows[] = {
		{ 0, false, true },
		{ ARCH_CAP_MDS_NO, false, false },
		{ ARCH_CAP_MDS_NO, true, true },
		{ ARCH_CAP_MDS_NO | ARCH_CAP_TAA_NO, true, false },
		{ ARCH_CAP_MDS_NO | ARCH_CAP_FB_CLEAR, false, true },
		{ ARCH_CAP_MDS_NO | ARCH_CAP_FB_CLEAR | MMIO_NO, false, false },
		{ ARCH_CAP_MDS_NO | ARCH_CAP_FB_CLEAR | ARCH_CAP_PSDP_NO, false, true },
		{ ARCH_CAP_MDS_NO | ARCH_CAP_RFDS_CLEAR, false, true },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct speculation_facts f = { .intel = true,
					       .md_clear = true,
					       .rtm = rows[i].rtm,
					       .arch_capabilities = rows[i].caps };

		EXPECT_EQ(decide(f, true).verw, rows[i].verw);
		f.md_clear = false; /* VERW does nothing there */
		EXPECT_FALSE(decide(f, true).verw);
		f.md_clear = true;
		f.intel = false;
		EXPECT_FALSE(decide(f, true).verw);
	}
}
