/* SPDX-License-Identifier: Apache-2.0 */
#include "monitor/text.h"

/* Others would be overlong forms, surrogates or beyond Unicode. */
static bool second_fits(u8 lead, u8 second)
{
	u8 least = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
	u8 most = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;

	return second >= least && second <= most;
}

/* Bytes of the well-formed UTF-8 sequence at @p (Unicode 15, table 3-7), 0 if there is none. */
static size_t sequence_length(const u8 *p, size_t left)
{
	size_t n = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
		   : (p[0] & 0xf0) == 0xe0        ? 3
		   : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						  : 0;

	if (!n || n > left || !second_fits(p[0], p[1]))
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static bool is_control(u8 c)
{
	return (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c <= 0x9f);
}

void text_defuse(char *text, size_t len)
{
	u8 *p = (u8 *)text;

	for (size_t i = 0, n; i < len; i += n) {
		n = sequence_length(p + i, len - i);
		if (n == 2 && p[i] == 0xc2 && p[i + 1] <= 0x9f)
			p[i] = p[i + 1] = '?';
		if (n)
			continue;
		n = 1;
		if (is_control(p[i]))
			p[i] = '?';
	}
}
