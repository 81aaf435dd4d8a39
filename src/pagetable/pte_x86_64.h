/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of x86-64 4-level paging structures (Intel SDM vol. 3A, §4.5 "4-Level Paging and 5-Level
 * Paging", figure 4-11 and tables 4-15 to 4-20; AMD APM vol. 2, §5.3 "Long-Mode Page Translation").
 *
 *  63 62   59 58   52 51                                12 11  9  8   7   6  5   4   3   2   1  0
 * +--+-------+-------+------------------------------------+-----+---+---+---+--+---+---+---+---+--+
 * |XD| PKEY* | avail | frame or next table, bits 51:12    |avail| G*| PS| D*| A|PCD|PWT|U/S|R/W| P|
 * +--+-------+-------+------------------------------------+-----+---+---+---+--+---+---+---+---+--+
 *    *: in entries that map a page only.
 *
 *  Bit 7 (PS) in a PDPT or PD entry: the entry maps a page of 1 GiB or 2 MiB, whose frame has its
 *  low bits 0 (bit 12 is then PAT, which Ringfence leaves 0). In a PT entry bit 7 is PAT, also left
 *  0. Bit 7 in a PML4 entry is reserved.
 *
 * A permission holds when every level grants it: R/W and U/S are ANDed, XD is ORed (SDM §4.6.1).
 * An entry without P is all zero here: the processor ignores its other bits architecturally, but
 * may use them speculatively (L1 terminal fault).
 *
 * Linear address (48 bits, bits 63:48 equal to bit 47):
 *
 *   63   48 47     39 38     30 29     21 20     12 11         0
 *  +-------+---------+---------+---------+---------+------------+
 *  | sign  |  PML4   |  PDPT   |   PD    |   PT    |   offset   |
 *  +-------+---------+---------+---------+---------+------------+
 *   level:      4         3         2         1
 */
#pragma once

#include "base/types.h"

#define PTE_P    (1ull << 0)
#define PTE_RW   (1ull << 1)
#define PTE_US   (1ull << 2)
#define PTE_PWT  (1ull << 3)
#define PTE_PCD  (1ull << 4)
#define PTE_A    (1ull << 5)
#define PTE_D    (1ull << 6)
#define PTE_PS   (1ull << 7)
#define PTE_G    (1ull << 8)
#define PTE_XD   (1ull << 63)
#define PTE_ADDR 0x000ffffffffff000ull

/*
 * An entry that points to a table grants everything: the entry that maps the page decides. A is set
 * from the start, which spares the processor a locked write on the first walk.
 */
#define PTE_TABLE (PTE_P | PTE_RW | PTE_US | PTE_A)

#define PTE_ENTRIES 512u
#define PTE_LEVELS  4u

/* The number of address bits below level @level's index: 12, 21, 30, 39. */
static inline unsigned int pte_shift(unsigned int level)
{
	return PAGE_SHIFT + 9 * (level - 1);
}

/* The bytes one entry of @level spans: 4 KiB, 2 MiB, 1 GiB, 512 GiB. */
static inline u64 pte_span(unsigned int level)
{
	return 1ull << pte_shift(level);
}

static inline unsigned int pte_index(u64 va, unsigned int level)
{
	return (unsigned int)(va >> pte_shift(level)) & (PTE_ENTRIES - 1);
}

static inline bool pte_is_present(u64 pte)
{
	return pte & PTE_P;
}

/* Of a present entry: does it map a page, rather than point to a table? */
static inline bool pte_is_leaf(u64 pte, unsigned int level)
{
	return level == 1 || (level < PTE_LEVELS && (pte & PTE_PS));
}

static inline u64 pte_addr(u64 pte)
{
	return pte & PTE_ADDR;
}

static inline bool va_is_canonical(u64 va)
{
	return (u64)((s64)(va << 16) >> 16) == va;
}
