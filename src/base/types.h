/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Integer types and the small macros everything else is written with. Freestanding-safe.
 *
 * u64 is `unsigned long` (uint64_t of the x86-64 ABI): print it with %lu or %lx.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

/* A user virtual address of the sandboxed program. An integer, so that nobody dereferences it. */
typedef u64 uptr_t;
/* A guest-physical address. */
typedef u64 gpa_t;
/* What a system call returns to the program: a value, or −errno of Linux. */
typedef s64 sysret_t;

#ifndef static_assert
#define static_assert _Static_assert
#endif

#define __must_check   __attribute__((warn_unused_result))
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define __noreturn     __attribute__((noreturn))
#define __maybe_unused __attribute__((unused))

#undef __packed
#define __packed __attribute__((packed))
#undef __aligned
#define __aligned(n) __attribute__((aligned(n)))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* On every program's hottest paths: such functions lie together, in few pages and cache lines. */
#define __hot __attribute__((hot))

/* Orders the compiler's memory accesses, not the processor's. */
#define barrier() __asm__ volatile("" : : : "memory")

/* One access of the object's own width: neither torn, repeated nor invented by the compiler. */
#define READ_ONCE(x)       (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, val) (*(volatile __typeof__(x) *)&(x) = (val))

/* <sys/param.h> and <sys/user.h> have macros of these names: include those before this file. */
#undef MIN
#undef MAX
#undef PAGE_SHIFT
#undef PAGE_SIZE
#undef PAGE_MASK

#define PAGE_SHIFT 12
#define PAGE_SIZE  4096UL
/* The offset bits within a page. (Linux's macro of this name is the complement.) */
#define PAGE_MASK  (PAGE_SIZE - 1)

/* MIN and MAX evaluate their arguments once and refuse two different types. */
#define MIN(a, b)                                  \
	__extension__({                            \
		__auto_type min_a_ = (a);          \
		__auto_type min_b_ = (b);          \
		(void)(&min_a_ == &min_b_);        \
		min_a_ < min_b_ ? min_a_ : min_b_; \
	})
#define MAX(a, b)                                  \
	__extension__({                            \
		__auto_type max_a_ = (a);          \
		__auto_type max_b_ = (b);          \
		(void)(&max_a_ == &max_b_);        \
		max_a_ > max_b_ ? max_a_ : max_b_; \
	})

/* Refuses pointers: the type of an array differs from that of its first element's address. */
#define ARRAY_SIZE(a)                                                                   \
	(sizeof(a) / sizeof((a)[0]) +                                                   \
	 0 * sizeof(struct {                                                            \
		 int not_a_pointer                                                      \
		     : __builtin_types_compatible_p(__typeof__(a), __typeof__(&(a)[0])) \
		       ? -1                                                             \
		       : 1;                                                             \
	 }))

/*
 * Powers of two only. The result has the type of @x, so an @align wider than @x must not be used.
 * ALIGN_UP wraps to 0 at the top of the type: check guest-supplied values with base/checked.h.
 */
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align)-1))
#define ALIGN_UP(x, align)   (((x) + ((__typeof__(x))(align)-1)) & ~((__typeof__(x))(align)-1))
#define IS_ALIGNED(x, align) (((x) & ((__typeof__(x))(align)-1)) == 0)

#define container_of(ptr, type, member)                           \
	__extension__({                                           \
		__typeof__(((type *)0)->member) *mptr_ = (ptr);   \
		(type *)((char *)mptr_ - offsetof(type, member)); \
	})

static_assert(sizeof(void *) == 8, "Ringfence is written for 64-bit machines");
