/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/cpuinfo from the CPUID instruction, which may leave the sandbox: asked once. Bits by Intel SDM vol. 2, CPUID. */
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/fs/procfs.h"

enum cpuid_reg { EAX, EBX, ECX, EDX, CPUID_REGS };
struct cpuid_leaf {
	u32 leaf, subleaf;
};
enum { L0, L1, L7, LD1, LX0, LX1, LX7, LX8, LBRAND, LEAVES = LBRAND + 3 };
static const struct cpuid_leaf leaves[LEAVES] = {
	[L0] = { 0, 0 },
	[L1] = { 1, 0 },
	[L7] = { 7, 0 },
	[LD1] = { 0xd, 1 },
	[LX0] = { 0x80000000, 0 },
	[LX1] = { 0x80000001, 0 },
	[LX7] = { 0x80000007, 0 },
	[LX8] = { 0x80000008, 0 },
	[LBRAND] = { 0x80000002, 0 },
	[LBRAND + 1] = { 0x80000003, 0 },
	[LBRAND + 2] = { 0x80000004, 0 },
};
static u32 cpuid_cache[LEAVES][CPUID_REGS];
static bool cpuid_cached;

static void cpuid(const struct cpuid_leaf *l, u32 r[CPUID_REGS])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[EAX]), "=b"(r[EBX]), "=c"(r[ECX]), "=d"(r[EDX])
			 : "a"(l->leaf), "c"(l->subleaf));
}

static void cpuid_fill(void)
{
	u32 max, max_ext;

	if (cpuid_cached)
		return;
	cpuid(&leaves[L0], cpuid_cache[L0]);
	cpuid(&leaves[LX0], cpuid_cache[LX0]);
	max = cpuid_cache[L0][EAX];
	max_ext = cpuid_cache[LX0][EAX];
	for (unsigned i = 0; i < LEAVES; i++)
		if (leaves[i].leaf <= (leaves[i].leaf >> 31 ? max_ext : max))
			cpuid(&leaves[i], cpuid_cache[i]);
	cpuid_cached = true;
}

struct cpu_flag {
	u8 leaf, reg, bit;
	const char *name;
};
static const struct cpu_flag flags[] = {
	{ L1, EDX, 0, "fpu" },
	{ L1, EDX, 1, "vme" },
	{ L1, EDX, 2, "de" },
	{ L1, EDX, 3, "pse" },
	{ L1, EDX, 4, "tsc" },
	{ L1, EDX, 5, "msr" },
	{ L1, EDX, 6, "pae" },
	{ L1, EDX, 7, "mce" },
	{ L1, EDX, 8, "cx8" },
	{ L1, EDX, 9, "apic" },
	{ L1, EDX, 11, "sep" },
	{ L1, EDX, 12, "mtrr" },
	{ L1, EDX, 13, "pge" },
	{ L1, EDX, 14, "mca" },
	{ L1, EDX, 15, "cmov" },
	{ L1, EDX, 16, "pat" },
	{ L1, EDX, 17, "pse36" },
	{ L1, EDX, 19, "clflush" },
	{ L1, EDX, 23, "mmx" },
	{ L1, EDX, 24, "fxsr" },
	{ L1, EDX, 25, "sse" },
	{ L1, EDX, 26, "sse2" },
	{ L1, EDX, 27, "ss" },
	{ L1, EDX, 28, "ht" },
	{ LX1, EDX, 11, "syscall" },
	{ LX1, EDX, 20, "nx" },
	{ LX1, EDX, 22, "mmxext" },
	{ LX1, EDX, 25, "fxsr_opt" },
	{ LX1, EDX, 26, "pdpe1gb" },
	{ LX1, EDX, 27, "rdtscp" },
	{ LX1, EDX, 29, "lm" },
	{ LX7, EDX, 8, "constant_tsc" },
	{ LX7, EDX, 8, "nonstop_tsc" },
	{ L1, ECX, 0, "pni" },
	{ L1, ECX, 1, "pclmulqdq" },
	{ L1, ECX, 9, "ssse3" },
	{ L1, ECX, 12, "fma" },
	{ L1, ECX, 13, "cx16" },
	{ L1, ECX, 17, "pcid" },
	{ L1, ECX, 19, "sse4_1" },
	{ L1, ECX, 20, "sse4_2" },
	{ L1, ECX, 21, "x2apic" },
	{ L1, ECX, 22, "movbe" },
	{ L1, ECX, 23, "popcnt" },
	{ L1, ECX, 25, "aes" },
	{ L1, ECX, 26, "xsave" },
	{ L1, ECX, 28, "avx" },
	{ L1, ECX, 29, "f16c" },
	{ L1, ECX, 30, "rdrand" },
	{ L1, ECX, 31, "hypervisor" },
	{ LX1, ECX, 0, "lahf_lm" },
	{ LX1, ECX, 5, "abm" },
	{ LX1, ECX, 6, "sse4a" },
	{ LX1, ECX, 7, "misalignsse" },
	{ LX1, ECX, 8, "3dnowprefetch" },
	{ L7, EBX, 0, "fsgsbase" },
	{ L7, EBX, 3, "bmi1" },
	{ L7, EBX, 5, "avx2" },
	{ L7, EBX, 7, "smep" },
	{ L7, EBX, 8, "bmi2" },
	{ L7, EBX, 9, "erms" },
	{ L7, EBX, 16, "avx512f" },
	{ L7, EBX, 17, "avx512dq" },
	{ L7, EBX, 18, "rdseed" },
	{ L7, EBX, 19, "adx" },
	{ L7, EBX, 20, "smap" },
	{ L7, EBX, 21, "avx512ifma" },
	{ L7, EBX, 23, "clflushopt" },
	{ L7, EBX, 24, "clwb" },
	{ L7, EBX, 28, "avx512cd" },
	{ L7, EBX, 29, "sha_ni" },
	{ L7, EBX, 30, "avx512bw" },
	{ L7, EBX, 31, "avx512vl" },
	{ LD1, EAX, 0, "xsaveopt" },
	{ LD1, EAX, 1, "xsavec" },
	{ LD1, EAX, 2, "xgetbv1" },
	{ LD1, EAX, 3, "xsaves" },
	{ L7, ECX, 1, "avx512vbmi" },
	{ L7, ECX, 2, "umip" },
	{ L7, ECX, 3, "pku" },
	{ L7, ECX, 4, "ospke" },
	{ L7, ECX, 6, "avx512_vbmi2" },
	{ L7, ECX, 8, "gfni" },
	{ L7, ECX, 9, "vaes" },
	{ L7, ECX, 10, "vpclmulqdq" },
	{ L7, ECX, 11, "avx512_vnni" },
	{ L7, ECX, 12, "avx512_bitalg" },
	{ L7, ECX, 14, "avx512_vpopcntdq" },
	{ L7, ECX, 16, "la57" },
	{ L7, ECX, 22, "rdpid" },
	{ L7, EDX, 4, "fsrm" },
};

static void show_flags(struct text *t)
{
	bool first = true;

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (!(cpuid_cache[flags[i].leaf][flags[i].reg] >> flags[i].bit & 1))
			continue;
		if (!first)
			text_putc(t, ' ');
		text_puts(t, flags[i].name);
		first = false;
	}
}

static void show_identity(struct text *t)
{
	const u32 *id = cpuid_cache[L0];
	u32 vendor[3] = { id[EBX], id[EDX], id[ECX] }, sig = cpuid_cache[L1][EAX],
	    family = sig >> 8 & 0xf, model = sig >> 4 & 0xf;
	char name[49] = { 0 }, *brand = name;

	memcpy(name, cpuid_cache[LBRAND], 48);
	while (*brand == ' ')
		brand++;
	if (family == 6 || family == 15)
		model |= sig >> 12 & 0xf0;
	if (family == 15)
		family += sig >> 20 & 0xff;
	text_puts(t, "vendor_id\t: ");
	text_write(t, vendor, sizeof(vendor));
	text_printf(
		t,
		"\ncpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\nmicrocode\t: 0x1\n",
		family, model, *brand ? brand : "unknown", sig & 0xf);
}

static void show_cpu(struct text *t, unsigned cpu)
{
	u64 khz = boot_info()->tsc_khz;
	u32 ext = cpuid_cache[LX8][EAX], flush = (cpuid_cache[L1][EBX] >> 8 & 0xff) * 8;

	text_printf(t, "processor\t: %u\n", cpu);
	show_identity(t);
	text_printf(
		t,
		"cpu MHz\t\t: %lu.%03lu\ncache size\t: 1024 KB\nphysical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n",
		khz / 1000, khz % 1000, nr_cpus, cpu, nr_cpus);
	text_printf(
		t,
		"apicid\t\t: %u\ninitial apicid\t: %u\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t: ",
		cpu, cpu, cpuid_cache[L0][EAX]);
	show_flags(t);
	text_printf(
		t,
		"\nbugs\t\t:\nbogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n",
		khz / 500, khz / 5 % 100, flush, flush);
	text_printf(t, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		    ext & 0xff, ext >> 8 & 0xff);
}

int proc_show_cpuinfo(struct proc_node *n, struct text *t)
{
	(void)n;
	cpuid_fill();
	for (unsigned cpu = 0; cpu < nr_cpus; cpu++)
		show_cpu(t, cpu);
	return 0;
}
