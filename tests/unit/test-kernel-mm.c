/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Address spaces on page tables nobody walks: a fake platform that notices frames freed before the flush.
 *
 * Test-Sources: src/kernel/mm/vma.c src/kernel/mm/gather.c src/kernel/mm/mm.c src/kernel/mm/map.c src/kernel/mm/remap.c
 * Test-Sources: src/kernel/mm/fault.c src/kernel/mm/uaccess.c src/kernel/fs/radix.c
 */
#include <asm/prctl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi/linux/resource.h"
#include "base/types.h"
#include "harness/test.h"
#include "kernel/core/random.h"
#include "kernel/fs/pcache.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/internal.h"
#include "kernel/mm/vdso.h"
#include "kernel/proc/task.h"

#define ARENA_SIZE   (64ul << 20)
#define FRAMES_START (1ul << 20)
#define FRAMES       ((ARENA_SIZE - FRAMES_START) / PAGE_SIZE)
#define BASE         0x10000000ull
#define P(n)         (BASE + (uptr_t)(n)*PAGE_SIZE)
#define RW           (RF_READ | RF_WRITE)

/* ---- page frames ---- */

static struct page frames[FRAMES];
static unsigned frame_next, frames_used;
static LIST_HEAD(frames_free);
static u64 stale[4096]; /* frames unmapped since the last flush */
static unsigned nr_stale;
struct page *zero_page;

struct page *page_alloc(unsigned order, unsigned flags)
{
	struct page *p;

	if (order || (list_empty(&frames_free) && frame_next == FRAMES))
		return NULL;
	if (list_empty(&frames_free)) {
		p = &frames[frame_next++];
	} else {
		p = list_first_entry(&frames_free, struct page, lru);
		list_del(&p->lru);
	}
	*p = (struct page){ .refs = 1 };
	list_init(&p->lru);
	frames_used++;
	memset(page_address(p), flags & ALLOC_ZERO ? 0 : 0xaa, PAGE_SIZE);
	return p;
}

/* There are only single frames here; test-kernel-tables.c has the large pages. */
void page_split(struct page *p)
{
	EXPECT_EQ(p->order, 0);
}

void page_unref(struct page *p)
{
	ASSERT_GT(p->refs, 0);
	if (--p->refs)
		return;
	for (unsigned i = 0; i < nr_stale; i++)
		EXPECT_NE(stale[i], page_offset(p)); /* reused while a CPU may still reach it */
	list_add(&p->lru, &frames_free);
	frames_used--;
}

u64 page_offset(const struct page *p)
{
	return FRAMES_START + (u64)(p - frames) * PAGE_SIZE;
}

void *page_address(const struct page *p)
{
	return (void *)(RF_ARENA_BASE + page_offset(p));
}

struct page *page_from_offset(u64 off)
{
	return off < FRAMES_START ? NULL : &frames[(off - FRAMES_START) / PAGE_SIZE];
}

void page_stats(u64 *ret_total, u64 *ret_free)
{
	*ret_total = FRAMES;
	*ret_free = FRAMES - frames_used;
}

/* ---- the fake platform ---- */

static void *table_alloc(void *ctx)
{
	void *p = aligned_alloc(4096, 4096);

	(void)ctx;
	return p ? memset(p, 0, 4096) : NULL;
}

static void table_free(void *ctx, void *p)
{
	(void)ctx;
	free(p);
}

static u64 table_gpa(void *ctx, const void *p)
{
	(void)ctx;
	return (u64)p;
}

static void *table_virt(void *ctx, u64 gpa)
{
	(void)ctx;
	return (void *)gpa;
}

static const struct pt_alloc_ops table_ops = { table_alloc, table_free, table_gpa, table_virt };

static int fake_as_new(struct kas *as)
{
	return pt_init(&as->pt, &table_ops, NULL);
}

static void fake_as_free(struct kas *as)
{
	pt_done(&as->pt);
}

static void note_stale(struct kas *as, uptr_t va, u64 len, u64 keep)
{
	struct pt_mapping m;

	for (uptr_t at = va; at < va + len && pt_next(&as->pt, at, va + len, &m);
	     at = m.va + m.size)
		if (m.gpa - RF_ARENA_GPA != keep && nr_stale < ARRAY_SIZE(stale))
			stale[nr_stale++] = m.gpa - RF_ARENA_GPA;
}

static int fake_as_map(struct kas *as, uptr_t va, u64 off, u64 len, u32 prot)
{
	struct pt_change c = { 0 };

	note_stale(as, va, len, off);
	return pt_map(&as->pt, va, RF_ARENA_GPA + off, len, prot | PT_USER, PT_SIZE_4K, NULL, &c);
}

static void fake_as_unmap(struct kas *as, uptr_t va, u64 len)
{
	struct pt_change c = { 0 };

	note_stale(as, va, len, ~0ull);
	EXPECT_OK(pt_unmap(&as->pt, va, len, NULL, &c));
}

static void fake_as_protect(struct kas *as, uptr_t va, u64 len, u32 mask)
{
	struct pt_change c = { 0 };
	struct pt_mapping m;

	for (uptr_t at = va; at < va + len && pt_next(&as->pt, at, va + len, &m);
	     at = m.va + m.size) {
		EXPECT_NE(m.prot & mask & 7, 0); /* would lose the frame */
		EXPECT_OK(pt_protect(&as->pt, m.va, m.size, (m.prot & mask & 7) | PT_USER, &c));
	}
}

static bool fake_as_next(struct kas *as, uptr_t va, uptr_t end, uptr_t *ret_va, u64 *ret_off,
			 u32 *ret_prot)
{
	struct pt_mapping m;

	if (!pt_next(&as->pt, va, end, &m))
		return false;
	*ret_va = m.va;
	*ret_off = m.gpa - RF_ARENA_GPA;
	*ret_prot = m.prot & 7;
	return true;
}

static void fake_as_flush(struct kas *as)
{
	(void)as;
	nr_stale = 0;
}

static u8 *user_page(struct kas *as, uptr_t addr, u32 access)
{
	uptr_t va;
	u64 off;
	u32 prot;

	if (!fake_as_next(as, addr & ~PAGE_MASK, (addr & ~PAGE_MASK) + PAGE_SIZE, &va, &off,
			  &prot) ||
	    (prot & access) != access)
		return NULL;
	return (u8 *)(RF_ARENA_BASE + off + (addr & PAGE_MASK));
}

static size_t fake_copy(struct kas *as, u8 *buf, uptr_t user, size_t n, u32 access)
{
	for (size_t i = 0; i < n; i++) {
		u8 *p = user_page(as, user + i, access);

		if (!p)
			return i;
		if (access == RF_WRITE)
			*p = buf ? buf[i] : 0;
		else
			buf[i] = *p;
	}
	return n;
}

static size_t fake_copy_in(struct kas *as, void *dst, uptr_t src, size_t n)
{
	return fake_copy(as, dst, src, n, RF_READ);
}

static size_t fake_copy_out(struct kas *as, uptr_t dst, const void *src, size_t n)
{
	return fake_copy(as, (u8 *)(uintptr_t)src, dst, n, RF_WRITE);
}

static size_t fake_zero_out(struct kas *as, uptr_t dst, size_t n)
{
	return fake_copy(as, NULL, dst, n, RF_WRITE);
}

static int fake_cas(struct kas *as, uptr_t addr, u32 old, u32 new, u32 *ret_old)
{
	u32 *p = (u32 *)user_page(as, addr, RF_WRITE);

	if (!p)
		return -EFAULT;
	*ret_old = *p;
	if (*p == old)
		*p = new;
	return 0;
}

static void fake_task_switched(struct task *a, struct task *b)
{
	(void)a;
	(void)b;
}

#define FAKE_OPS                                                                                   \
	{                                                                                          \
		.as_new = fake_as_new, .as_free = fake_as_free, .as_map = fake_as_map,             \
		.as_unmap = fake_as_unmap, .as_protect = fake_as_protect, .as_next = fake_as_next, \
		.as_flush = fake_as_flush, .copy_in = fake_copy_in, .copy_out = fake_copy_out,     \
		.zero_out = fake_zero_out, .cas_u32 = fake_cas,                                    \
		.task_switched = fake_task_switched                                                \
	}
const struct kplat_ops kplat_guest = FAKE_OPS, kplat_host = FAKE_OPS;
const struct kplat_ops *kplat;

/* ---- the rest of the kernel ---- */

void *kmalloc(size_t n)
{
	return malloc(n);
}
void *kzalloc(size_t n)
{
	return calloc(1, n);
}
void kfree(void *p)
{
	free(p);
}
bool cred_capable(const struct cred *c, int cap)
{
	(void)c;
	(void)cap;
	return false;
}
u64 random_u64(void)
{
	return 0x123456789abcull;
}
struct file *file_ref(struct file *f)
{
	f->refs++;
	return f;
}
void file_unref(struct file *f)
{
	if (f)
		f->refs--;
}
struct page *pcache_find(struct inode *i, u64 index)
{
	(void)i;
	(void)index;
	return NULL;
}
int vdso_fault(struct vma *v, uptr_t va)
{
	(void)v;
	(void)va;
	return -EFAULT;
}

/* A file of 16 pages; byte 0 of each is its number + 1. */
static struct page *file_pages[16];
static unsigned file_faults, file_write_faults;

static int test_fault_page(struct file *f, u64 index, bool write, struct page **ret)
{
	(void)f;
	if (index >= ARRAY_SIZE(file_pages))
		return -EIO;
	file_faults++;
	file_write_faults += write;
	page_ref(file_pages[index]);
	*ret = file_pages[index];
	return 0;
}

static const struct file_ops test_fops = { .fault_page = test_fault_page };
static struct inode test_inode;
static struct file test_file = { .ops = &test_fops, .inode = &test_inode, .refs = 1, .flags = 2 };

static struct process process;
static struct task task;
static void *cpu_area[32]; /* struct cpu: `current` is the second word */
static struct mm *mm;

static void setup(bool host)
{
	static bool once;

	kplat = host ? &kplat_host : &kplat_guest;
	if (!once) {
		void *arena =
			mmap((void *)RF_ARENA_BASE, ARENA_SIZE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE | MAP_NORESERVE, -1,
			     0);

		ASSERT_PTR_EQ(arena, (void *)RF_ARENA_BASE);
		((struct boot_info *)arena)->free_start = FRAMES_START;
		for (unsigned i = 0; i < 16; i++)
			process.rlimit[i].rlim_cur = RLIM_INFINITY;
		process.rlimit[RLIMIT_STACK].rlim_cur = 8 << 20;
		task.proc = &process;
		cpu_area[1] = &task;
		zero_page = page_alloc(0, ALLOC_ZERO);
		list_init(&test_inode.vmas);
		for (unsigned i = 0; i < ARRAY_SIZE(file_pages); i++) {
			file_pages[i] = page_alloc(0, ALLOC_ZERO);
			*(u8 *)page_address(file_pages[i]) = (u8)(i + 1);
		}
		once = true;
	}
	ASSERT_EQ(syscall(SYS_arch_prctl, ARCH_SET_GS, cpu_area), 0);
	ASSERT_OK(mm_new(&mm));
	task.mm = mm;
}

/* Everything must be back. */
static void teardown(void)
{
	mm_unref(mm);
	EXPECT_EQ(frames_used, 1 + ARRAY_SIZE(file_pages));
	EXPECT_EQ(test_file.refs, 1);
	EXPECT_TRUE(list_empty(&test_inode.vmas));
}

static void map_anon(unsigned from, unsigned to, u32 prot)
{
	ASSERT_EQ(mm_map(mm, P(from), P(to) - P(from), prot, MAP_PRIVATE | MAP_FIXED, NULL, 0, 0),
		  (s64)P(from));
}

static void poke(struct mm *m, unsigned page, u8 v)
{
	EXPECT_EQ(mm_write(m, P(page), &v, 1), 1);
}

static int peek(struct mm *m, unsigned page)
{
	u8 v = 0;

	return mm_read(m, P(page), &v, 1) == 1 ? v : -1;
}

static void both(void (*test)(void))
{
	for (int host = 0; host < 2; host++) {
		setup(host);
		test();
		teardown();
	}
}

static void anon_test(void)
{
	map_anon(0, 8, RW);
	EXPECT_EQ(peek(mm, 3), 0);
	poke(mm, 3, 7);
	poke(mm, 4, 8);
	EXPECT_EQ(peek(mm, 3), 7);
	EXPECT_EQ(peek(mm, 8), -1);
	EXPECT_EQ(mm_fault(mm, P(8), RF_READ), -EFAULT);
	EXPECT_EQ(mm_fault(mm, P(3), RF_EXEC), -EACCES);
	EXPECT_GE(mm->rss, 2);
	EXPECT_OK(mm_unmap(mm, P(2), 2 * PAGE_SIZE));
	EXPECT_EQ(peek(mm, 3), -1);
	EXPECT_EQ(peek(mm, 4), 8);
}

TEST(mm_anonymous_memory_is_zero_then_ours)
{
	both(anon_test);
}

static void fork_test(void)
{
	struct mm *child;
	unsigned before;

	map_anon(0, 100, RW);
	poke(mm, 0, 1);
	poke(mm, 1, 2);
	before = frames_used;
	ASSERT_OK(mm_fork(mm, &child));
	EXPECT_EQ(frames_used, before);
	poke(mm, 0, 11);
	poke(child, 1, 22);
	EXPECT_EQ(peek(child, 0), 1);
	EXPECT_EQ(peek(mm, 0), 11);
	EXPECT_EQ(peek(mm, 1), 2);
	EXPECT_EQ(peek(child, 1), 22);
	mm_unref(child);
	before = frames_used;
	poke(mm, 1, 3); /* the only owner now: no copy */
	EXPECT_EQ(frames_used, before);
}

/* Where faults are exits, pages of small areas are copied at once. */
static void fork_early_test(void)
{
	struct mm *child;
	unsigned before;

	map_anon(0, 4, RW);
	poke(mm, 0, 1);
	ASSERT_OK(mm_fork(mm, &child));
	before = frames_used;
	poke(mm, 0, 2);
	EXPECT_EQ(frames_used, before + (kplat == &kplat_guest));
	poke(child, 0, 3);
	EXPECT_EQ(peek(mm, 0), 2);
	EXPECT_EQ(peek(child, 0), 3);
	mm_unref(child);
}

TEST(mm_fork_copies_small_areas_early_in_residency_host)
{
	both(fork_early_test);
}

TEST(mm_fork_copies_on_write)
{
	both(fork_test);
}

static void none_test(void)
{
	struct mm *child;

	map_anon(0, 4, RW);
	poke(mm, 1, 5);
	poke(mm, 2, 6);
	ASSERT_OK(mm_protect(mm, P(1), 2 * PAGE_SIZE, 0));
	EXPECT_EQ(peek(mm, 1), -1);
	EXPECT_EQ(mm_fault(mm, P(1), RF_READ), -EACCES);
	ASSERT_OK(mm_fork(mm, &child));
	ASSERT_OK(mm_protect(mm, P(1), PAGE_SIZE, RW));
	EXPECT_EQ(peek(mm, 1), 5);
	poke(mm, 1, 9);
	ASSERT_OK(mm_protect(child, P(0), 4 * PAGE_SIZE, RF_READ));
	EXPECT_EQ(peek(child, 1), 5);
	EXPECT_EQ(peek(child, 2), 6);
	EXPECT_EQ(mm_fault(child, P(2), RF_WRITE), -EACCES);
	mm_unref(child);
	EXPECT_OK(mm_unmap(mm, P(2), PAGE_SIZE)); /* still parked */
}

TEST(mm_protect_none_keeps_contents)
{
	both(none_test);
}

static void file_test(void)
{
	ASSERT_EQ(mm_map(mm, P(0), 20 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, &test_file, 0, 0),
		  (s64)P(0));
	EXPECT_EQ(peek(mm, 3), 4);
	poke(mm, 3, 99);
	poke(mm, 5, 98);
	EXPECT_EQ(peek(mm, 3), 99);
	EXPECT_EQ(*(u8 *)page_address(file_pages[3]), 4);
	EXPECT_EQ(mm_fault(mm, P(16), RF_READ), -EIO);
	EXPECT_OK(mm_unmap(mm, P(8), 4 * PAGE_SIZE));
	EXPECT_EQ(peek(mm, 13), 14);
	mm_unmap_inode(&test_inode, 0);
	EXPECT_EQ(peek(mm, 3), 99); /* the copy is the process's */
}

TEST(mm_private_file_pages_are_copied_on_write)
{
	both(file_test);
}

static void shared_test(void)
{
	struct mm *child;

	file_write_faults = 0;
	ASSERT_EQ(mm_map(mm, P(0), 4 * PAGE_SIZE, RW, MAP_SHARED | MAP_FIXED, &test_file,
			 4 * PAGE_SIZE, 0),
		  (s64)P(0));
	EXPECT_EQ(peek(mm, 0), 5);
	EXPECT_EQ(file_write_faults, 0);
	poke(mm, 0, 50);
	EXPECT_EQ(file_write_faults, 1);
	ASSERT_OK(mm_fork(mm, &child));
	poke(child, 0, 51);
	EXPECT_EQ(peek(mm, 0), 51);
	EXPECT_EQ(*(u8 *)page_address(file_pages[4]), 51);
	mm_clean_inode_page(&test_inode, 4);
	file_write_faults = 0;
	poke(mm, 0, 5);
	EXPECT_EQ(file_write_faults, 1);
	mm_unref(child);
}

TEST(mm_shared_file_pages_are_dirtied_by_write_faults)
{
	both(shared_test);
}

static void remap_test(void)
{
	s64 at;

	map_anon(0, 4, RW);
	map_anon(4, 5, RF_READ);
	for (unsigned i = 0; i < 4; i++)
		poke(mm, i, (u8)(i + 1));
	EXPECT_EQ(mm_remap(mm, P(0), 4 * PAGE_SIZE, 8 * PAGE_SIZE, 0, 0), -ENOMEM);
	at = mm_remap(mm, P(0), 4 * PAGE_SIZE, 8 * PAGE_SIZE, MREMAP_MAYMOVE, 0);
	ASSERT_GT(at, 0);
	EXPECT_EQ(peek(mm, 0), -1);
	EXPECT_EQ(mm_remap(mm, (uptr_t)at, 8 * PAGE_SIZE, 2 * PAGE_SIZE, 0, 0), at);
	EXPECT_EQ(mm_remap(mm, (uptr_t)at, 2 * PAGE_SIZE, 2 * PAGE_SIZE,
			   MREMAP_MAYMOVE | MREMAP_FIXED, P(20)),
		  (s64)P(20));
	EXPECT_EQ(peek(mm, 21), 2);
	EXPECT_EQ(mm_remap(mm, P(20), 2 * PAGE_SIZE, 3 * PAGE_SIZE, 0, 0), (s64)P(20));
	EXPECT_EQ(peek(mm, 22), 0);
	EXPECT_EQ(mm_remap(mm, P(40), PAGE_SIZE, 2 * PAGE_SIZE, MREMAP_MAYMOVE, 0), -EFAULT);
}

TEST(mm_remap_moves_pages)
{
	both(remap_test);
}

static void stack_test(void)
{
	ASSERT_EQ(mm_map(mm, P(4096), 4 * PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED | MAP_GROWSDOWN,
			 NULL, 0, VMA_F_STACK),
		  (s64)P(4096));
	EXPECT_OK(mm_fault(mm, P(4090), RF_WRITE));
	EXPECT_EQ(mm_find_vma(mm, P(4090))->start, P(4090));
	map_anon(3500, 3501, RW);
	EXPECT_EQ(mm_fault(mm, P(3600), RF_WRITE), -EFAULT); /* within the guard gap */
	EXPECT_OK(mm_fault(mm, P(3800), RF_WRITE));
	EXPECT_OK(mm_unmap(mm, P(3500), PAGE_SIZE));
	EXPECT_EQ(mm_fault(mm, P(4100 - 2049), RF_WRITE), -EFAULT); /* RLIMIT_STACK */
	EXPECT_OK(mm_fault(mm, P(4100 - 2048), RF_WRITE));
}

TEST(mm_stack_grows_to_its_limits)
{
	both(stack_test);
}

static void brk_test(void)
{
	mm->brk_start = mm->brk = P(0) + 100;
	EXPECT_EQ(mm_brk(mm, 0), P(0) + 100);
	EXPECT_EQ(mm_brk(mm, P(10)), P(10));
	EXPECT_EQ(mm_brk(mm, P(12) + 1), P(12) + 1);
	EXPECT_EQ(mm->nr_vmas, 1);
	poke(mm, 12, 1);
	EXPECT_EQ(mm_brk(mm, P(5)), P(5));
	EXPECT_EQ(peek(mm, 12), -1);
	map_anon(20, 21, RW);
	EXPECT_EQ(mm_brk(mm, P(30)), P(5));
	EXPECT_EQ(mm_brk(mm, P(12) + 1), P(12) + 1);
	EXPECT_EQ(peek(mm, 12), 0);
}

TEST(mm_brk_moves_between_its_neighbours)
{
	both(brk_test);
}

static void limits_test(void)
{
	u64 huge = 1ull << 40;
	s64 at = mm_map(mm, 0, huge, 0, MAP_PRIVATE | MAP_NORESERVE, NULL, 0, 0);

	EXPECT_GT(at, 0);
	EXPECT_EQ(mm_map(mm, 0, huge, RW, MAP_PRIVATE, NULL, 0, 0), -ENOMEM);
	EXPECT_EQ(mm_map(mm, P(0), PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, NULL, 0, 0),
		  (s64)P(0));
	EXPECT_EQ(mm_map(mm, P(0), PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED_NOREPLACE, NULL, 0, 0),
		  -EEXIST);
	EXPECT_EQ(mm_map(mm, P(0) + 1, PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0, 0),
		  -EINVAL);
	EXPECT_EQ(mm_map(mm, RF_MAX_USER_ADDRESS, PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0,
			 0),
		  -ENOMEM);
	process.rlimit[RLIMIT_AS].rlim_cur = mm->total_pages * PAGE_SIZE;
	EXPECT_EQ(mm_map(mm, 0, PAGE_SIZE, RW, MAP_PRIVATE, NULL, 0, 0), -ENOMEM);
	EXPECT_EQ(mm_map(mm, P(0), PAGE_SIZE, RW, MAP_PRIVATE | MAP_FIXED, NULL, 0, 0),
		  (s64)P(0)); /* replaces */
	process.rlimit[RLIMIT_AS].rlim_cur = RLIM_INFINITY;
}

TEST(mm_map_keeps_limits)
{
	both(limits_test);
}

static void access_test(void)
{
	char buf[8] = "abcdefg", out[8];
	char *path;
	u32 old;

	map_anon(0, 2, RW);
	EXPECT_OK(copy_to_user(P(1) - 4, buf, 8));
	EXPECT_OK(copy_from_user(out, P(1) - 4, 8));
	EXPECT_STR_EQ(out, "abcdefg");
	EXPECT_EQ(copy_to_user_partial(P(2) - 4, buf, 8), 4);
	EXPECT_EQ(copy_to_user(P(2) - 4, buf, 8), -EFAULT);
	EXPECT_EQ(strncpy_from_user(out, P(1) - 4, 8), 7);
	EXPECT_EQ(strncpy_from_user(out, P(1) - 4, 7), -ENAMETOOLONG);
	EXPECT_EQ(strncpy_from_user(out, P(2) - 4, 8), -EFAULT);
	ASSERT_OK(path_from_user(&path, P(1) - 4));
	EXPECT_STR_EQ(path, "abcdefg");
	kfree(path);
	EXPECT_OK(clear_user(P(1) - 4, 4));
	EXPECT_OK(user_cmpxchg_u32(P(1) - 4, 0, 7, &old));
	EXPECT_EQ(old, 0);
	EXPECT_OK(get_user_u32(&old, P(1) - 4));
	EXPECT_EQ(old, 7);
	EXPECT_EQ(copy_from_user(out, RF_MAX_USER_ADDRESS - 4, 8), -EFAULT);
	EXPECT_EQ(copy_from_user(out, ~0ull - 3, 8), -EFAULT);
}

TEST(uaccess_faults_pages_in_and_stops_at_holes)
{
	both(access_test);
}

static void window_test(void)
{
	unsigned faults = 0;

	map_anon(0, 1024, RW);
	for (unsigned i = 0; i < 1024; i++) {
		uptr_t va;
		u64 off;
		u32 prot;

		if (fake_as_next(&mm->as, P(i), P(i + 1), &va, &off, &prot))
			continue;
		faults++;
		ASSERT_OK(mm_fault(mm, P(i), RF_WRITE));
	}
	EXPECT_LE(faults, 80); /* sequential ones bring in up to 16 pages */
	EXPECT_EQ(mm->rss, 1024);
	map_anon(2000, 3000, RW);
	for (unsigned i = 0; i < 10; i++)
		ASSERT_OK(mm_fault(mm, P(2050 + 90 * i), RF_WRITE));
	EXPECT_LE(mm->rss, 1024 + 10 * 4); /* scattered ones don't */
}

TEST(mm_sequential_faults_bring_in_more)
{
	both(window_test);
}
