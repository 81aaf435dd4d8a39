/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to break down, for tests of what is reported then. Nothing here runs unless the monitor asked for it before boot. */
#include "abi/boot.h"
#include "base/bug.h"
#include "kernel/core/host.h"
#include "kernel/core/panic.h"

/* Nothing is ever mapped in the arena's last page, on either side. */
#define UNMAPPED (RF_ARENA_BASE + RF_ARENA_MAX - PAGE_SIZE)
#define FRAME    512u

static __attribute__((noinline)) u64 overflow(u64 depth)
{
	volatile u8 frame[FRAME];

	frame[depth % FRAME] = (u8)depth;
	return depth == ~0ull ? frame[0] : overflow(depth + 1) + frame[depth % FRAME];
}

static void hang(void)
{
	for (;;)
		__asm__ volatile("pause" ::: "memory");
}

/* The first exception finds no gate, nor does the double fault. In ring 3 LIDT itself is refused. */
static void shut_down(void)
{
	static const struct {
		u16 limit;
		u64 base;
	} __packed none = { 0 };

	__asm__ volatile("lidt %0; ud2" : : "m"(none));
}

/* What a kernel that was taken over would do first, where it runs in a process of the host: getppid(2), which no monitor needs. */
static void call_host(void)
{
	u64 ret;

	__asm__ volatile("syscall" : "=a"(ret) : "a"(110ul) : "rcx", "r11", "memory");
}

void debug_crash(u32 kind)
{
	switch (kind) {
	case BOOT_DEBUG_FAULT:
		READ_ONCE(*(u64 *)UNMAPPED);
		break;
	case BOOT_DEBUG_STACK:
		overflow(1);
		break;
	case BOOT_DEBUG_HANG:
		hang();
		break;
	case BOOT_DEBUG_SHUTDOWN:
		shut_down();
		break;
	case BOOT_DEBUG_SYSCALL:
		call_host();
		break;
	default:
		BUG_ON(kind == BOOT_DEBUG_BUG);
		break;
	}
}
