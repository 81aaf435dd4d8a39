/* SPDX-License-Identifier: Apache-2.0 */
/* execve(2), execveat(2): taking over the user's strings. */
#include "kernel/exec/exec.h"

#include "abi/linux/fcntl.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/syscall.h"

#define CHUNK_FIRST     (16u << 10)
#define CHUNK_SIZE      (256u << 10)                  /* at least MAX_ARG_STRLEN */
#define ARG_STRINGS_MAX (ARG_BYTES_MAX / sizeof(u64)) /* each takes a pointer of the allowance */
#define POINTERS_FIRST  64u

_Static_assert(CHUNK_SIZE >= MAX_ARG_STRLEN, "any one string fits in a chunk");

struct chunk {
	struct chunk *next;
	size_t size, used;
	char data[];
};

/* A vector of strings copied from the user. */
struct strings {
	struct chunk *chunks;
	char **v;
	size_t n, room;
	size_t *bytes; /* of all strings of the call */
};

static int chunk_add(struct strings *s, size_t size)
{
	struct chunk *c = kmalloc(sizeof(*c) + size);

	if (!c)
		return -ENOMEM;
	c->next = s->chunks;
	c->size = size;
	c->used = 0;
	s->chunks = c;
	return 0;
}

static int strings_reserve(struct strings *s)
{
	size_t room = s->room ? s->room * 2 : POINTERS_FIRST;
	char **v;

	if (s->n + 1 < s->room)
		return 0;
	v = krealloc(s->v, room * sizeof(*v));
	if (!v)
		return -ENOMEM;
	s->v = v;
	s->room = room;
	return 0;
}

/* Into the last chunk, or a new one if it doesn't fit there. */
static s64 string_copy(struct strings *s, uptr_t src, char **ret)
{
	struct chunk *c = s->chunks;
	s64 n = c ? strncpy_from_user(c->data + c->used, src,
				      MIN(c->size - c->used, (size_t)MAX_ARG_STRLEN))
		  : -ENAMETOOLONG;

	if (n == -ENAMETOOLONG && c && c->size - c->used >= MAX_ARG_STRLEN)
		return -E2BIG;
	if (n == -ENAMETOOLONG) {
		n = chunk_add(s, c ? CHUNK_SIZE : CHUNK_FIRST);
		return n < 0 ? n : string_copy(s, src, ret);
	}
	if (n < 0)
		return n;
	*ret = c->data + c->used;
	c->used += (size_t)n + 1;
	return n;
}

static int strings_add(struct strings *s, uptr_t src)
{
	s64 n = strings_reserve(s);

	if (n == 0)
		n = string_copy(s, src, &s->v[s->n]);
	if (n < 0)
		return (int)n;
	s->n++;
	*s->bytes += (size_t)n + 1 + sizeof(u64);
	return *s->bytes > ARG_BYTES_MAX || s->n > ARG_STRINGS_MAX ? -E2BIG : 0;
}

static int strings_import(struct strings *s, uptr_t vector)
{
	int r = strings_reserve(s);

	while (r == 0 && vector) {
		u64 p;

		r = get_user_u64(&p, vector + s->n * sizeof(u64));
		if (r < 0 || !p)
			break;
		r = strings_add(s, p);
	}
	if (r == 0)
		s->v[s->n] = NULL;
	return r;
}

static void strings_free(struct strings *s)
{
	while (s->chunks) {
		struct chunk *c = s->chunks;

		s->chunks = c->next;
		kfree(c);
	}
	kfree(s->v);
}

static int do_execve(int dirfd, uptr_t upath, uptr_t argv, uptr_t envp, u32 flags)
{
	size_t bytes = 0;
	struct strings args = { .bytes = &bytes }, env = { .bytes = &bytes };
	char *path;
	int r = path_from_user(&path, upath);

	if (r < 0)
		return r;
	r = strings_import(&args, argv);
	if (r == 0)
		r = strings_import(&env, envp);
	if (r == 0)
		r = exec_load(dirfd, path, args.v, env.v, flags);
	strings_free(&args);
	strings_free(&env);
	kfree(path);
	return r;
}

sysret_t sys_execve(const struct sysargs *a)
{
	return do_execve(AT_FDCWD, arg_ptr(a, 0), arg_ptr(a, 1), arg_ptr(a, 2), 0);
}

sysret_t sys_execveat(const struct sysargs *a)
{
	u32 flags = arg_u32(a, 4);

	if (flags & ~(u32)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	return do_execve(arg_int(a, 0), arg_ptr(a, 1), arg_ptr(a, 2), arg_ptr(a, 3), flags);
}
