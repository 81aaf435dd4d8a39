/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mountinfo.h"

#include <string.h>

#include "base/parse.h"

void unescape_octal(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] >= '0' && s[2] <= '7' &&
		    s[3] >= '0' && s[3] <= '7') {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = 0;
}

/* "36 35 98:0 /root /point rw,noatime master:1 - ext3 /dev/root rw" */
bool mountinfo_parse(char *line, struct host_mount *ret)
{
	char *field[5], *save, *rest = strstr(line, " - ");

	if (!rest)
		return false;
	*rest = 0;
	for (int i = 0; i < 5; i++) {
		field[i] = strtok_r(i ? NULL : line, " ", &save);
		if (!field[i])
			return false;
	}
	unescape_octal(field[3]);
	unescape_octal(field[4]);
	*ret = (struct host_mount){ .dev = field[2],
				    .root = field[3],
				    .point = field[4],
				    .type = strtok_r(rest + 3, " ", &save) };
	return parse_u64(field[0], 10, UINT64_MAX, &ret->id) && ret->type && ret->root[0] == '/' &&
	       ret->point[0] == '/';
}
