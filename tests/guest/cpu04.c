/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions that tell about the machine: UMIP's, RDTSCP, RDPID, RDPMC; CPUID and XGETBV agree, and show no virtualisation to use. */
#include "guest/trap.h"
#include "guest/xstate.h"

static const struct {
	const char *name, *code;
	size_t length;
} umip[] = {
	{ "sgdt", "\x0f\x01\x44\x24\xe0", 5 }, { "sidt", "\x0f\x01\x4c\x24\xe0", 5 },
	{ "sldt", "\x0f\x00\xc0", 3 },         { "str", "\x0f\x00\xc8", 3 },
	{ "smsw", "\x0f\x01\xe0", 3 },         { "smsw mem", "\x0f\x01\x64\x24\xe0", 5 },
};

/* With UMIP Linux makes up harmless values, or refuses; without, the CPU answers. */
static void check_umip(void)
{
	for (size_t i = 0; i < sizeof(umip) / sizeof(umip[0]); i++) {
		struct trap t = trap_run(umip[i].code, umip[i].length);

		if (t.sig && (t.sig != SIGSEGV || t.rip != 0))
			FAIL("%s: signal %d at %ld", umip[i].name, t.sig, t.rip);
	}
}

static bool has_feature(unsigned leaf, int reg, unsigned bit)
{
	unsigned r[4] = { 0 };

	return __get_cpuid_count(leaf, 0, &r[0], &r[1], &r[2], &r[3]) && r[reg] & bit;
}

/* RDTSCP's and RDPID's number is a CPU's number or 0. */
static void check_aux(void)
{
	unsigned aux = 0;
	uint64_t id = 0;

	if (has_feature(0x80000001, 3, 1u << 27)) {
		__asm__ volatile("rdtscp" : "=c"(aux) : : "rax", "rdx");
		CHECK((aux & 0xfff) < 4096 && aux >> 12 < 256);
	}
	if (has_feature(7, 2, 1u << 22)) {
		__asm__ volatile("rdpid %0" : "=r"(id));
		CHECK(!has_feature(0x80000001, 3, 1u << 27) || id >> 12 == aux >> 12);
	}
}

static void check_rdpmc(void)
{
	struct trap t = trap_run("\x31\xc9\x0f\x33", 4);

	say("rdpmc: signal %d code %d at %ld\n", t.sig, t.code, t.rip);
}

static void check_no_virtualisation(void)
{
	if (!getenv("GUEST_INSIDE"))
		return;
	CHECK(!has_feature(1, 2, 1u << 5));          /* VMX */
	CHECK(!has_feature(1, 2, 1u << 6));          /* SMX */
	CHECK(!has_feature(1, 2, 1u << 3));          /* MONITOR */
	CHECK(!has_feature(0x80000001, 2, 1u << 2)); /* SVM */
	/* OSPKE; but where ring 3 runs on the bare host CPU, that shows (pkey01). */
	CHECK(!has_feature(7, 2, 1u << 4) || xstate_enabled() & 1u << 9);
	CHECK(!has_feature(7, 3, 1u << 24)); /* AMX */
	CHECK(!has_feature(7, 1, 1u << 2));  /* SGX */
}

/* Leaf 0DH describes XCR0, and what it claims works. */
static void check_xsave(void)
{
	static uint8_t area[XSAVE_MAX] __attribute__((aligned(64)));
	uint64_t enabled = xstate_enabled();
	unsigned a, b, c, d, size = 576;

	CHECK_EQ(has_feature(1, 2, bit_OSXSAVE), enabled != 0);
	if (!enabled)
		return;
	CHECK((enabled & 3) == 3);
	__cpuid_count(0xd, 0, a, b, c, d);
	CHECK((enabled & ~(a | (uint64_t)d << 32)) == 0);
	CHECK(b <= c && b <= XSAVE_MAX);
	for (unsigned i = 2; i < 63; i++) {
		unsigned ca, cb, cc, cd;

		if (!(enabled >> i & 1))
			continue;
		__cpuid_count(0xd, i, ca, cb, cc, cd);
		CHECK(ca && cb >= 576);
		size = size > ca + cb ? size : ca + cb;
	}
	CHECK_EQ(b, size);
	memset(area, 0xcc, sizeof(area));
	memset(area + 512, 0, 64);
	__asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(-1), "d"(-1) : "memory");
	for (unsigned i = size; i < XSAVE_MAX; i++)
		CHECK_EQ(area[i], 0xcc);
	CHECK(!(FRAME_HEADER(area)->xstate_bv & ~enabled));
	CHECK(!has_feature(7, 1, 1u << 5) || (enabled & XSTATE_AVX));                /* AVX2 */
	CHECK(!has_feature(7, 1, 1u << 16) || (enabled & XSTATE_512) == XSTATE_512); /* AVX512F */
}

/* The same on every call, on every CPU, but for what names the CPU. */
static void check_stable(void)
{
	unsigned first[4], again[4];

	for (unsigned leaf = 0; leaf <= 0xd; leaf++) {
		if (leaf == 1 || leaf == 0xb)
			continue;
		__cpuid_count(leaf, 0, first[0], first[1], first[2], first[3]);
		for (int i = 0; i < 3; i++) {
			sched_yield();
			__cpuid_count(leaf, 0, again[0], again[1], again[2], again[3]);
			if (leaf != 4 && leaf != 2 && memcmp(first, again, sizeof(first)))
				FAIL("leaf %#x differs", leaf);
		}
	}
}

int main(void)
{
	trap_init();
	check_umip();
	check_aux();
	check_rdpmc();
	check_no_virtualisation();
	check_xsave();
	check_stable();
	say("ok\n");
	return 0;
}
