/* SPDX-License-Identifier: Apache-2.0 */
/* User address spaces: VMAs, demand paging, copy-on-write. All under the kernel lock. */
#pragma once

#include "base/list.h"
#include "base/rbtree.h"
#include "base/types.h"
#include "kernel/fs/radix.h"
#include "kernel/platform/kplat.h"

struct file;
struct inode;
struct page;

#define VMA_F_READ       RF_READ
#define VMA_F_WRITE      RF_WRITE
#define VMA_F_EXEC       RF_EXEC
#define VMA_F_SHARED     (1u << 3)
#define VMA_F_GROWSDOWN  (1u << 4)
#define VMA_F_STACK      (1u << 5)
#define VMA_F_HEAP       (1u << 6)
#define VMA_F_VDSO       (1u << 7)
#define VMA_F_VVAR       (1u << 8)
#define VMA_F_DONTFORK   (1u << 9)
#define VMA_F_WIPEONFORK (1u << 10)
#define VMA_F_LOCKED     (1u << 11)
#define VMA_F_MAYWRITE   (1u << 12) /* mprotect may add write */
#define VMA_F_DONTDUMP   (1u << 13)
#define VMA_F_NORESERVE  (1u << 14)
#define VMA_F_HUGE       (1u << 15) /* madvise(2): MADV_HUGEPAGE */
#define VMA_F_NOHUGE     (1u << 16) /* MADV_NOHUGEPAGE */
#define VMA_F_ACCESS     (VMA_F_READ | VMA_F_WRITE | VMA_F_EXEC)

struct vma {
	struct rb_node node;
	struct mm *mm;
	uptr_t start, end; /* [start, end) */
	u32 flags;         /* VMA_F_* */
	struct file *file; /* reference, or NULL: anonymous */
	u64 pgoff; /* page index in the file of `start`; for shared anonymous memory the file is a memfs file */
	struct list inode_link; /* on inode->vmas when file */
	/* fault.c: how many pages the next fault brings in, and the pages next to which it would be a sequential one */
	uptr_t fault_lo, fault_hi;
	u32 fault_window;
	u32 fault_run; /* pages of the sequence so far */
};

struct mm {
	struct kas as; /* platform address space; first */
	u32 users;     /* tasks + temporary references */
	struct rb_root vmas;
	u32 nr_vmas;
	u64 gen;         /* bumped when VMAs change: a fault that slept looks again */
	u64 total_pages; /* of VMAs, for RLIMIT_AS */
	u64 data_pages;  /* private writable ones, for RLIMIT_DATA */
	struct radix
		parked; /* by virtual page number: frames that PROT_NONE keeps out of the page tables */
	u64 rss;        /* mapped frames */
	u64 locked_pages;
	uptr_t mmap_base; /* top-down from here */
	uptr_t brk_start, brk;
	uptr_t stack_top;
	uptr_t arg_start, arg_end, env_start, env_end;
	uptr_t vdso;
	u64 auxv[48];
	u32 auxv_len; /* u64 words */
	struct file *exe;
	u32 def_flags; /* VMA_F_LOCKED after mlockall(MCL_FUTURE) */
	uptr_t code_start, code_end, data_start, data_end; /* /proc/PID/stat */
};
#define MM_VMAS_MAX 65530u

int mm_new(struct mm **ret);
struct mm *mm_ref(struct mm *mm);
void mm_unref(struct mm *mm);                 /* last one unmaps everything */
int mm_fork(struct mm *old, struct mm **ret); /* copy-on-write duplicate */
/* mm runs f (NULL: nothing any more); nobody may open it for writing meanwhile. */
void mm_set_exe(struct mm *mm, struct file *f);
void mm_switch(
	struct mm *mm); /* current's mm changed (execve): platform switches tables at next entry */

/*
 * Resolves a fault: access is RF_READ/WRITE/EXEC. 0 = retry the access. -EFAULT: no mapping (SEGV_MAPERR); -EACCES: not permitted
 * (SEGV_ACCERR); -EIO: beyond the end of the file or unreadable (SIGBUS BUS_ADRERR); -ENOMEM: kill.
 */
int mm_fault(struct mm *mm, uptr_t addr, u32 access);

/* Mapping for kernel callers (exec, SysV shm). addr 0 = choose. flags: Linux MAP_*; prot: RF_*. Returns the address or -errno. */
s64 mm_map(struct mm *mm, uptr_t addr, u64 len, u32 prot, u32 map_flags, struct file *file,
	   u64 offset, u32 vma_flags);
int mm_unmap(struct mm *mm, uptr_t addr, u64 len);
int mm_protect(struct mm *mm, uptr_t addr, u64 len, u32 prot);
struct vma *mm_find_vma(struct mm *mm, uptr_t addr); /* first with end > addr */
struct vma *mm_first_vma(struct mm *mm);
struct vma *vma_next(struct vma *v);
/* Truncation and cache invalidation: no mm keeps pages of the inode from page index `from` on. */
void mm_unmap_inode(struct inode *inode, u64 from);
/* Write-protects shared mappings of one page again so that the next write is seen (write-back). */
void mm_clean_inode_page(struct inode *inode, u64 index);
