/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs: tables of entries. A file's text is made when it is read from its start and kept by the open file. An inode remembers its
 * task by number and start time, never by pointer, so a dead task costs nothing and a new one with the number is another.
 */
#pragma once

#include "base/types.h"
#include "kernel/fs/vfs.h"

#define PROC_TEXT_MAX  (4u << 20) /* bytes of one file */
#define PROC_WRITE_MAX 4096u

struct task;
struct mm;
struct proc_node;

/* A growing text. Once memory or the limit is exceeded it stays as it is and `failed` is set. */
struct text {
	u32 refs;
	bool failed;
	size_t len, cap;
	char *buf;
};
void text_printf(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void text_write(struct text *t, const void *data, size_t n);
void text_puts(struct text *t, const char *s);
/* Escapes \n, \t, space and backslash as octal, as /proc/mounts does; `also`: further characters. */
void text_puts_mangled(struct text *t, const char *s, const char *also);
static inline void text_putc(struct text *t, char c)
{
	text_write(t, &c, 1);
}

/* Entries named by numbers: processes, threads, descriptors. */
struct proc_numbers {
	int (*next)(struct proc_node *dir,
		    int from); /* smallest number >= from, or -1; for listing */
	bool (*valid)(struct proc_node *dir, int nr); /* may be entered */
	const struct proc_entry *entry;               /* what each is */
};

#define PROC_F_OWNER 1u /* of a task: only who may trace it may read */

struct proc_entry {
	const char *name; /* NULL ends a table */
	u32 mode;
	u32 flags;
	const struct proc_entry *dir;
	const struct proc_numbers *numbers;
	int (*show)(struct proc_node *n, struct text *t);
	s64 (*write)(struct proc_node *n, char *buf,
		     size_t len); /* NUL-terminated copy of what was written */
	s64 (*readlink)(struct proc_node *n, char *buf, size_t size);
	int (*follow)(struct proc_node *n, struct path *ret);
	const struct file_ops *fops; /* in place of the ordinary ones */
	const char *value;           /* constant text for proc_show_value() */
};

struct proc_node {
	struct inode inode; /* first */
	const struct proc_entry *entry;
	int tid;      /* 0: no task's */
	bool thread;  /* below task/: of the thread alone */
	u64 start_ns; /* of the task's process */
	int nr;       /* fd of fd/N and fdinfo/N */
};
static inline struct proc_node *proc_node_of(struct inode *i)
{
	return container_of(i, struct proc_node, inode);
}

/* Borrowed; NULL: gone. */
struct task *proc_task(const struct proc_node *n);
/* May current look into t (ptrace(2), "Ptrace access mode checking")? */
bool proc_may_access(const struct task *t);
/* New reference; NULL: a zombie, or gone. */
struct mm *proc_mm(const struct proc_node *n);
int proc_show_value(struct proc_node *n, struct text *t);

extern const struct proc_entry proc_root_entries[]; /* procfs_global.c */
extern const struct proc_numbers proc_processes;    /* procfs_pid.c */
extern const struct file_ops proc_mem_fops;
int proc_show_mounts(struct proc_node *n, struct text *t); /* procfs_mounts.c */
int proc_show_mountinfo(struct proc_node *n, struct text *t);
int proc_show_maps(struct proc_node *n, struct text *t); /* procfs_maps.c */
int proc_show_smaps(struct proc_node *n, struct text *t);
int proc_show_stat(struct proc_node *n, struct text *t); /* procfs_status.c */
int proc_show_statm(struct proc_node *n, struct text *t);
int proc_show_status(struct proc_node *n, struct text *t);
int proc_show_cpuinfo(struct proc_node *n, struct text *t); /* procfs_cpuinfo.c */
