/* SPDX-License-Identifier: Apache-2.0 */
/* Text from the sandbox: what may reach a terminal, and the bounded buffer of reports. */
#include <stdlib.h>
#include <string.h>

#include "harness/test.h"
#include "monitor/report.h"
#include "monitor/text.h"

static const struct {
	const char *from, *to;
} texts[] = {
	{ "plain text\n\t", "plain text\n\t" },
	{ "\x1b[2J\a\b\r\x7f", "?[2J????" },
	{ "\x9b"
	  "31m",
	  "?31m" }, /* CSI of 8 bits */
	{ "\xc2\x9b"
	  "31m",
	  "??31m" }, /* in UTF-8 */
	{ "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	  "\xc2\xa0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
	{ "\xe2\x9b\x84 \xc5\x9b", "\xe2\x9b\x84 \xc5\x9b" }, /* 9b as a continuation is text */
	{ "\xe0\x82\x9b", "\xe0??" },                         /* overlong */
	{ "\xc0\x9b\xf0\x80\x82\x9b", "\xc0?\xf0???" },
	{ "\xe2\x9b", "\xe2?" }, /* cut off */
	{ "\xed\xa0\x99\xf4\x90\x80\x80", "\xed\xa0?\xf4???" },
	{ "\xf5\x80\x80\x80", "\xf5???" },
	{ "\x80\x9f\xa0\xff", "??\xa0\xff" },
};

TEST(defuse_replaces_controls_only)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		char copy[64];

		strcpy(copy, texts[i].from);
		text_defuse(copy, strlen(copy));
		EXPECT_STR_EQ(copy, texts[i].to);
	}
}

/* Whatever the bytes: no control is left that a decoder of UTF-8, or one of single bytes after a broken sequence, could find. */
TEST(defuse_leaves_no_control_in_any_bytes)
{
	u8 text[4];

	for (u32 a = 0; a < 256; a++)
		for (u32 b = 0; b < 256; b++) {
			memcpy(text, (u8[]){ (u8)a, (u8)b, 0x9b, 'x' }, 4);
			text_defuse((char *)text, 4);
			EXPECT_FALSE(text[0] < 0x20 && text[0] != '\n' && text[0] != '\t');
			EXPECT_FALSE(text[0] >= 0x7f && text[0] <= 0x9f);
			EXPECT_FALSE(text[0] == 0xc2 && text[1] >= 0x80 && text[1] <= 0x9f);
			EXPECT_FALSE(text[1] == 0xc2 && text[2] >= 0x80 && text[2] <= 0x9f);
		}
}

TEST(report_is_bounded_and_defused)
{
	struct report *r = report_new();
	char *buf = malloc(REPORT_MAX + 1), chunk[1000];

	EXPECT_TRUE(r != NULL);
	EXPECT_TRUE(buf != NULL);
	EXPECT_EQ(report_take(r, buf), 0);
	report_add(r, "one\x1b", 4);
	EXPECT_EQ(report_take(r, buf), 4);
	EXPECT_STR_EQ(buf, "one?");
	memset(chunk, 'x', sizeof(chunk));
	for (u32 i = 0; i < REPORT_MAX / 500; i++)
		report_add(r, chunk, sizeof(chunk));
	EXPECT_EQ(report_take(r, buf), REPORT_MAX);
	atomic_store(&r->used, ~0u); /* a monitor that was taken over */
	report_add(r, chunk, sizeof(chunk));
	EXPECT_EQ(report_take(r, buf), REPORT_MAX);
	free(buf);
	report_free(r);
}
