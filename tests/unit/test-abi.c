/* SPDX-License-Identifier: Apache-2.0 */
/* src/abi/linux against the Linux and libc headers of the build machine. */
#include "unit/test-abi.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/sysmacros.h>

#include "abi/linux/kdev.h"
#include "base/types.h"
#include "harness/test.h"

/* Returns abi_count zeroed values. */
static struct abi_value *values_new(void)
{
	struct abi_value *values = calloc(abi_count, sizeof(*values));

	ASSERT_NOT_NULL(values);
	return values;
}

static struct abi_value *values_ours(void)
{
	struct abi_value *values = values_new();

	abi_ours(values);
	return values;
}

static struct abi_value *values_theirs(void)
{
	struct abi_value *values = values_new();

	for (size_t i = 0; i < abi_system_count; i++)
		abi_system[i](values);
	return values;
}

/* Returns how many entries differ. */
static size_t values_compare(const struct abi_value *ours, const struct abi_value *theirs,
			     bool report)
{
	size_t different = 0;

	for (size_t i = 0; i < abi_count; i++) {
		if (!theirs[i].known || ours[i].value == theirs[i].value)
			continue;
		different++;
		if (report)
			test_note(
				"abi/linux/%s.h: %s is %lld (%#llx), the system's is %lld (%#llx)",
				abi_names[i].header, abi_names[i].name, ours[i].value,
				ours[i].value, theirs[i].value, theirs[i].value);
	}
	return different;
}

TEST(values_equal_the_systems)
{
	struct abi_value *ours = values_ours(), *theirs = values_theirs();

	EXPECT_GT(abi_count, 3000);
	EXPECT_EQ(values_compare(ours, theirs, true), 0);
	free(ours);
	free(theirs);
}

/* Only names on the generator's list may be unknown: the comparison must not lose one silently. */
TEST(unknown_values_are_listed)
{
	struct abi_value *theirs = values_theirs();
	size_t unlisted = 0, unknown = 0;

	for (size_t i = 0; i < abi_count; i++) {
		if (theirs[i].known)
			continue;
		unknown++;
		unlisted += !abi_names[i].may_be_unknown;
		test_note("abi/linux/%s.h: no system header knows %s%s", abi_names[i].header,
			  abi_names[i].name,
			  abi_names[i].may_be_unknown ? ""
						      : ", which tools/gen-abi-test doesn't list");
	}
	test_note("%zu values compared, %zu unknown to the system", abi_count - unknown, unknown);
	EXPECT_EQ(unlisted, 0);
	free(theirs);
}

TEST(every_wrong_value_is_noticed)
{
	struct abi_value *ours = values_ours(), *theirs = values_theirs();
	size_t noticed = 0, known = 0;

	for (size_t i = 0; i < abi_count; i++) {
		if (!theirs[i].known)
			continue;
		known++;
		ours[i].value = theirs[i].value ^ 1;
		noticed += values_compare(ours, theirs, false) > 0;
		ours[i].value = theirs[i].value;
	}
	EXPECT_EQ(noticed, known);
	free(ours);
	free(theirs);
}

TEST(device_numbers_equal_libcs)
{
	static const unsigned int majors[] = { 0, 1, 5, 136, 255, 256, 4095 };
	static const unsigned int minors[] = { 0, 1, 255, 256, 4095, 65536, 0xfffff };

	for (size_t i = 0; i < ARRAY_SIZE(majors); i++) {
		for (size_t j = 0; j < ARRAY_SIZE(minors); j++) {
			u64 dev = kdev_make(majors[i], minors[j]);

			EXPECT_EQ(dev, gnu_dev_makedev(majors[i], minors[j]));
			EXPECT_EQ(kdev_major(dev), majors[i]);
			EXPECT_EQ(kdev_minor(dev), minors[j]);
		}
	}
}
