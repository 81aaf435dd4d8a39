/* SPDX-License-Identifier: Apache-2.0 */
#include "kernel/exec/script_line.h"

#include "abi/linux/errno.h"

static bool is_blank(u8 c)
{
	return c == ' ' || c == '\t';
}

static u32 skip_blanks(const u8 *head, u32 at, u32 end)
{
	while (at < end && is_blank(head[at]))
		at++;
	return at;
}

static u32 skip_word(const u8 *head, u32 at, u32 end)
{
	while (at < end && !is_blank(head[at]) && head[at])
		at++;
	return at;
}

int script_line_parse(const u8 *head, u32 n, struct script_line *ret)
{
	u32 end = 2, at;
	bool whole;

	if (n < 2 || head[0] != '#' || head[1] != '!')
		return -ENOEXEC;
	while (end < n && head[end] != '\n' && head[end])
		end++;
	whole = end < n;
	at = skip_blanks(head, 2, end);
	ret->interp = at;
	at = skip_word(head, at, end);
	ret->interp_len = at - ret->interp;
	/* A name that runs to the end of what was read may be longer than that. */
	if (!ret->interp_len || (!whole && at == end))
		return -ENOEXEC;
	ret->arg = skip_blanks(head, at, end);
	while (end > ret->arg && is_blank(head[end - 1]))
		end--;
	ret->arg_len = end - ret->arg;
	return 0;
}
