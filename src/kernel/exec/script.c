/* SPDX-License-Identifier: Apache-2.0 */
/* Interpreter scripts: execve(2), "Interpreter scripts". */
#include "kernel/exec/script_line.h"

#include "abi/linux/fcntl.h"
#include "kernel/exec/exec.h"

static int push_arg(struct binprm *b, const char *s, size_t len)
{
	char *copy;

	if (b->npre >= ARRAY_SIZE(b->pre))
		return -ELOOP;
	copy = kstrndup(s, len);
	if (!copy)
		return -ENOMEM;
	b->pre[b->npre++] = copy;
	return 0;
}

/* The script's name as its interpreter's argument; for a nested script the name that was in the outer "#!" line. */
static int push_script_name(struct binprm *b)
{
	char *old;

	if (!b->npre)
		return push_arg(b, b->filename, strlen(b->filename));
	/* The interpreter named by the outer script was pushed last and is argv[0] already: it stays as the script's name. */
	old = b->pre[b->npre - 1];
	return old ? 0 : -ENOENT;
}

int script_load(struct binprm *b)
{
	struct script_line line;
	struct file *f;
	char *path;
	int r = script_line_parse(b->head, sizeof(b->head), &line);

	if (r < 0)
		return r;
	if (b->fd_cloexec)
		return -ENOENT; /* execveat(2), BUGS: the interpreter could not open it */
	r = push_script_name(b);
	if (r == 0 && line.arg_len)
		r = push_arg(b, (const char *)b->head + line.arg, line.arg_len);
	if (r == 0)
		r = push_arg(b, (const char *)b->head + line.interp, line.interp_len);
	if (r < 0)
		return r;
	path = b->pre[b->npre - 1];
	r = exec_open(AT_FDCWD, path, 0, &f);
	if (r < 0)
		return r;
	file_unref(b->file);
	b->file = f;
	return exec_read_head(b);
}
