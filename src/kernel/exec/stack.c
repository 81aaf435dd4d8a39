/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stack a program starts with (System V ABI AMD64, "Process Initialization"), from the top:
 *
 *	8 zero bytes · file name · environment strings · argument strings · "x86_64" · 16 random bytes ·
 *	padding · auxiliary vector · envp[], NULL · argv[], NULL · argc   <- rsp, a multiple of 16
 */
#include "kernel/exec/exec.h"

#include "abi/linux/auxvec.h"
#include "abi/linux/mman.h"
#include "abi/linux/resource.h"
#include "kernel/core/random.h"

#define STACK_INITIAL (33 * PAGE_SIZE) /* 132 KiB, as Linux shows it */
#define RANDOM_BYTES  16u
#define BATCH         64u

static const char platform_name[] = "x86_64";

struct stack {
	struct mm *mm;
	uptr_t p; /* everything from here up is in use */
	uptr_t execfn, platform, random;
	/* pointer vectors on their way to the stack */
	uptr_t at;
	unsigned n;
	u64 batch[BATCH];
	int err;
};

/* argv as the program sees it: what scripts put in front replaces the caller's argv[0]. */
static size_t arg_count(const struct binprm *b)
{
	return b->npre ? b->npre + (b->argc ? b->argc - 1 : 0) : b->argc;
}

static const char *arg_get(const struct binprm *b, size_t i)
{
	if (!b->npre)
		return b->argv[i];
	return i < b->npre ? b->pre[b->npre - 1 - i] : b->argv[i - b->npre + 1];
}

static size_t arg_bytes(const struct binprm *b)
{
	size_t argc = arg_count(b), n = (argc + b->envc) * sizeof(u64);

	for (size_t i = 0; i < argc; i++)
		n += strlen(arg_get(b, i)) + 1;
	for (size_t i = 0; i < b->envc; i++)
		n += strlen(b->envp[i]) + 1;
	return n + strlen(b->filename) + 1;
}

int stack_check_args(const struct binprm *b)
{
	u64 limit = current_rlimit(RLIMIT_STACK) / 4;

	limit = MIN(limit, (u64)ARG_BYTES_MAX);
	limit = MAX(limit, (u64)ARG_MAX);
	return arg_bytes(b) > limit ? -E2BIG : 0;
}

static void push_bytes(struct stack *s, const void *data, size_t n)
{
	s->p -= n;
	if (!s->err && mm_write(s->mm, s->p, data, n) != (s64)n)
		s->err = -ENOMEM;
}

static uptr_t push_string(struct stack *s, const char *str)
{
	push_bytes(s, str, strlen(str) + 1);
	return s->p;
}

static void vector_flush(struct stack *s)
{
	size_t bytes = s->n * sizeof(u64);

	if (!s->err && mm_write(s->mm, s->at, s->batch, bytes) != (s64)bytes)
		s->err = -ENOMEM;
	s->at += bytes;
	s->n = 0;
}

static void vector_add(struct stack *s, u64 v)
{
	s->batch[s->n++] = v;
	if (s->n == BATCH)
		vector_flush(s);
}

/* The strings: later ones are higher, so from the last. */
static void push_strings(struct stack *s, const struct binprm *b)
{
	struct mm *mm = s->mm;

	s->execfn = push_string(s, b->filename);
	mm->env_end = s->p;
	for (size_t i = b->envc; i-- > 0;)
		push_string(s, b->envp[i]);
	mm->env_start = mm->arg_end = s->p;
	for (size_t i = arg_count(b); i-- > 0;)
		push_string(s, arg_get(b, i));
	mm->arg_start = s->p;
}

static void push_random(struct stack *s)
{
	u8 bytes[RANDOM_BYTES];

	random_bytes(bytes, sizeof(bytes));
	s->p = ALIGN_DOWN(s->p, 16) - (mm_random_offset(2) ? random_u64() & 0x1ff0 : 0);
	s->platform = push_string(s, platform_name);
	push_bytes(s, bytes, sizeof(bytes));
	s->random = s->p;
}

static void auxv_add(struct mm *mm, u64 type, u64 value)
{
	BUG_ON(mm->auxv_len + 2 > ARRAY_SIZE(mm->auxv));
	mm->auxv[mm->auxv_len++] = type;
	mm->auxv[mm->auxv_len++] = value;
}

static void auxv_build(struct stack *s, const struct binprm *b, const struct elf_loaded *l)
{
	const struct boot_info *bi = boot_info();
	const struct cred *c = b->cred;
	struct mm *mm = s->mm;

	mm->auxv_len = 0;
	auxv_add(mm, AT_SYSINFO_EHDR, mm->vdso);
	auxv_add(mm, AT_MINSIGSTKSZ, bi->min_sigstack);
	auxv_add(mm, AT_HWCAP, bi->hwcap);
	auxv_add(mm, AT_PAGESZ, PAGE_SIZE);
	auxv_add(mm, AT_CLKTCK, USER_HZ);
	auxv_add(mm, AT_PHDR, l->phdr);
	auxv_add(mm, AT_PHENT, sizeof(struct linux_elf64_phdr));
	auxv_add(mm, AT_PHNUM, l->phnum);
	auxv_add(mm, AT_BASE, l->interp_base);
	auxv_add(mm, AT_FLAGS, 0);
	auxv_add(mm, AT_ENTRY, l->entry);
	auxv_add(mm, AT_UID, c->uid);
	auxv_add(mm, AT_EUID, c->euid);
	auxv_add(mm, AT_GID, c->gid);
	auxv_add(mm, AT_EGID, c->egid);
	auxv_add(mm, AT_SECURE, b->secure);
	auxv_add(mm, AT_RANDOM, s->random);
	auxv_add(mm, AT_HWCAP2, bi->hwcap2);
	auxv_add(mm, AT_EXECFN, s->execfn);
	auxv_add(mm, AT_PLATFORM, s->platform);
	auxv_add(mm, AT_NULL, 0);
}

/* Pointers to n strings that lie one after the other from `at`. */
static uptr_t vector_strings(struct stack *s, const struct binprm *b, size_t n, bool env, uptr_t at)
{
	for (size_t i = 0; i < n; i++) {
		vector_add(s, at);
		at += strlen(env ? b->envp[i] : arg_get(b, i)) + 1;
	}
	vector_add(s, 0);
	return at;
}

static void push_vectors(struct stack *s, const struct binprm *b)
{
	struct mm *mm = s->mm;
	size_t argc = arg_count(b), words = 1 + argc + 1 + b->envc + 1 + mm->auxv_len;

	s->p = ALIGN_DOWN(s->p - words * sizeof(u64), 16);
	s->at = s->p;
	vector_add(s, argc);
	vector_strings(s, b, argc, false, mm->arg_start);
	vector_strings(s, b, b->envc, true, mm->env_start);
	for (u32 i = 0; i < mm->auxv_len; i++)
		vector_add(s, mm->auxv[i]);
	vector_flush(s);
}

static int stack_map(struct mm *mm, size_t args, bool exec_stack)
{
	u64 size = ALIGN_UP(args + STACK_INITIAL, PAGE_SIZE);
	u32 prot = RF_READ | RF_WRITE | (exec_stack ? RF_EXEC : 0);
	s64 at = mm_map(mm, mm->stack_top - size, size, prot,
			MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN, NULL, 0, VMA_F_STACK);

	return at < 0 ? (int)at : 0;
}

int stack_build(struct binprm *b, const struct elf_loaded *l)
{
	struct stack *s = kzalloc(sizeof(*s));
	int r;

	if (!s)
		return -ENOMEM;
	r = stack_map(b->mm, arg_bytes(b), l->exec_stack);
	if (r == 0) {
		s->mm = b->mm;
		s->p = b->mm->stack_top - sizeof(u64);
		push_strings(s, b);
		push_random(s);
		auxv_build(s, b, l);
		push_vectors(s, b);
		b->sp = s->p;
		r = s->err;
	}
	kfree(s);
	return r;
}
