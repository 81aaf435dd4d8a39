/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of names, paths, pipes and arguments. */
#pragma once

#define NGROUPS_MAX 0x10000
#define PATH_MAX    4096
#define NAME_MAX    255
#define PIPE_BUF    4096

/* symbolic links followed in one path, path_resolution(7) */
#define MAXSYMLINKS 40

/* execve(2) */
#define MAX_ARG_STRLEN  131072
#define MAX_ARG_STRINGS 0x7fffffff
#define BINPRM_BUF_SIZE 256

/* size of argv and envp when RLIMIT_STACK is unlimited, and the least that is always allowed */
#define ARG_MAX       0x20000
#define TASK_COMM_LEN 16

/* pipe(7) */
#define PIPE_DEF_BUFFERS 16
#define PIPE_MAX_SIZE    1048576

/* xattr(7) */
#define XATTR_NAME_MAX 255
#define XATTR_SIZE_MAX 0x10000
#define XATTR_LIST_MAX 0x10000
