/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of execve(2) share. */
#pragma once

#include "abi/linux/errno.h"
#include "abi/linux/limits.h"
#include "base/string.h"
#include "kernel/exec/elf_check.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/internal.h"
#include "kernel/proc/task.h"

#define SCRIPT_DEPTH_MAX 5u /* binary formats in a row, execve(2) */
#define ARG_BYTES_MAX \
	(6u << 20) /* 3/4 of the default stack limit: argv and envp with their pointers */
#define EXEC_ET_DYN_BASE 0x555555554000ull /* position-independent programs, as on Linux */

/* A program about to be run. */
struct binprm {
	struct file *file;
	const char *filename;     /* as the caller named it: AT_EXECFN, comm */
	char *fd_name;            /* kmalloc()ed filename of execveat(2) on a descriptor, or NULL */
	bool fd_cloexec;          /* that name is gone for an interpreter */
	u8 head[BINPRM_BUF_SIZE]; /* start of the file, zeros after its end */
	/* arguments: what scripts put in front of the caller's, then the caller's */
	char *pre[2 * SCRIPT_DEPTH_MAX + 1]; /* kmalloc()ed, last one first */
	unsigned npre;
	char *const *argv, *const *envp;
	size_t argc, envc; /* of argv, envp */
	/* result */
	struct mm *mm;
	struct cred *cred;
	bool secure;
	uptr_t entry, sp;
};

/* open.c: *ret is a regular file that current may execute. at_flags: AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW. */
int exec_open(int dirfd, const char *path, u32 at_flags, struct file **ret);
int exec_read_head(struct binprm *b);
/* script.c: "#!" line: replaces b->file by the interpreter. -ENOEXEC: no script. */
int script_load(struct binprm *b);
/* elf.c: maps the program and its interpreter into b->mm, builds the stack. */
int elf_load(struct binprm *b);

/* What the auxiliary vector says of the loaded program. */
struct elf_loaded {
	uptr_t phdr, entry, interp_base, start;
	u32 phnum;
	bool exec_stack;
};
/* stack.c: argv, envp and auxv at the top of a new stack; sets b->sp. */
int stack_build(struct binprm *b, const struct elf_loaded *l);
/* Do the arguments fit? execve(2), "Limits on size of arguments and environment". -E2BIG. */
int stack_check_args(const struct binprm *b);
