/* SPDX-License-Identifier: Apache-2.0 */
/* The CPUID of virtual CPUs: the minimum that is refused below, and features withheld. */
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "platform/kvm/kvm.h"

static struct kvm_cpuid2 *table_new(void)
{
	static const struct kvm_cpuid_entry2 entries[] = {
		{ .function = 1, .ecx = ~0u, .edx = ~0u },
		{ .function = 7, .ebx = ~0u, .ecx = ~0u, .edx = ~0u },
		{ .function = 0xd, .index = 0, .eax = 7, .ebx = 832, .ecx = 832 },
		{ .function = 0xd, .index = 1, .eax = 1 },
		{ .function = 0x80000001, .ecx = ~0u, .edx = ~0u },
	};
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + sizeof(entries));

	c->nent = ARRAY_SIZE(entries);
	memcpy(c->entries, entries, sizeof(entries));
	return c;
}

static u32 *edx_of(struct kvm_cpuid2 *c, u32 function)
{
	for (u32 i = 0; i < c->nent; i++)
		if (c->entries[i].function == function)
			return &c->entries[i].edx;
	return NULL;
}

TEST(the_minimum_is_named)
{
	static const struct {
		u32 function, bit;
		const char *name;
	} cases[] = {
		{ 1, 26, "SSE2" },
		{ 1, 24, "FXSAVE" },
		{ 0x80000001, 11, "SYSCALL" },
		{ 0x80000001, 20, "NX" },
		{ 0x80000001, 29, "long mode" },
	};
	struct kvm_cpuid2 *c = table_new();

	EXPECT_NULL(kvm_cpuid_missing(c));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		u32 *edx = edx_of(c, cases[i].function);

		*edx &= ~(1u << cases[i].bit);
		EXPECT_STR_EQ(kvm_cpuid_missing(c), cases[i].name);
		*edx |= 1u << cases[i].bit;
	}
	c->nent = 0;
	EXPECT_NOT_NULL(kvm_cpuid_missing(c));
	free(c);
}

TEST(withheld_features_leave_cpuid_too)
{
	struct kvm_cpu_features f = { .cpuid = table_new(), .xcr0 = 7, .xsave_size = 832 };

	f.boot_features = RF_BOOT_F_SMAP | RF_BOOT_F_PCID | RF_BOOT_F_INVPCID | RF_BOOT_F_XSAVE |
			  RF_BOOT_F_XSAVEOPT | RF_BOOT_F_1G;
	kvm_cpuid_withhold(&f, RF_BOOT_F_SMAP);
	EXPECT_EQ(f.boot_features & RF_BOOT_F_SMAP, 0);
	EXPECT_EQ(f.cpuid->entries[1].ebx, ~(1u << 20));
	EXPECT_EQ(f.xsave_size, 832);
	/* Those that need another go with it. */
	kvm_cpuid_withhold(&f, RF_BOOT_F_PCID | RF_BOOT_F_XSAVE);
	EXPECT_EQ(f.boot_features, RF_BOOT_F_1G);
	EXPECT_EQ(f.cpuid->entries[0].ecx, ~(1u << 17 | 1u << 26));
	EXPECT_EQ(f.cpuid->entries[3].eax, 0);
	EXPECT_EQ(f.xcr0, 3);
	EXPECT_EQ(f.xsave_size, 512);
	free(f.cpuid);
}
