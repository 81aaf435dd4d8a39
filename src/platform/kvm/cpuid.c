/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CPUID the guest sees: what KVM supports minus what no sandboxed program may rely on:
 * virtualisation, and XSAVE components beyond x87, SSE, AVX and AVX-512 (no MPX, PKRU, CET, AMX).
 */
#include "platform/kvm/kvm.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>

#define CPUID_ENTRIES_MAX 256u

#define XCR0_WANTED 0xe7ull /* x87, SSE, AVX, opmask, ZMM_Hi256, Hi16_ZMM */
#define XCR0_AVX512 0xe0ull

struct cpuid_mask {
	u32 function, index;
	u32 eax, ebx, ecx, edx; /* bits to clear */
};

static const struct cpuid_mask masks[] = {
	/* MONITOR, VMX, SMX, x2APIC and TSC deadline need devices we don't have */
	{ 1, 0, .ecx = 1u << 3 | 1u << 5 | 1u << 6 | 1u << 21 | 1u << 24 },
	/* SGX, MPX, PT; PKU, OSPKE, WAITPKG, shadow stacks, LA57, SGX_LC, PKS; IBT, AMX, UINTR */
	{ 7, 0, .ebx = 1u << 2 | 1u << 14 | 1u << 25,
	  .ecx = 1u << 3 | 1u << 4 | 1u << 5 | 1u << 7 | 1u << 16 | 1u << 30 | 1u << 31,
	  .edx = 1u << 5 | 1u << 20 | 1u << 22 | 1u << 24 | 1u << 25 },
	{ 7, 1, .eax = 1u << 21 | 1u << 17 }, /* AMX-FP16, FRED */
	{ 0xd, 1, .eax = 1u << 3 | 1u << 4 }, /* XSAVES, XFD */
	{ 0x80000001, 0, .ecx = 1u << 2 },    /* SVM */
	{ 0x8000000a, 0, ~0u, ~0u, ~0u, ~0u },
};

static void mask_apply(struct kvm_cpuid_entry2 *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(masks); i++) {
		const struct cpuid_mask *k = &masks[i];

		if (e->function != k->function || e->index != k->index)
			continue;
		e->eax &= ~k->eax;
		e->ebx &= ~k->ebx;
		e->ecx &= ~k->ecx;
		e->edx &= ~k->edx;
	}
}

static struct kvm_cpuid_entry2 *find(struct kvm_cpuid2 *c, u32 function, u32 index)
{
	for (u32 i = 0; i < c->nent; i++)
		if (c->entries[i].function == function && c->entries[i].index == index)
			return &c->entries[i];
	return NULL;
}

/* Size of a standard-format area for @xcr0: the end of its last component. */
static u32 xsave_size(struct kvm_cpuid2 *c, u64 xcr0)
{
	u32 size = 576;

	for (u32 i = 2; i < 63; i++) {
		const struct kvm_cpuid_entry2 *e = find(c, 0xd, i);

		if (xcr0 >> i & 1 && e && e->eax + e->ebx > size)
			size = e->eax + e->ebx;
	}
	return size;
}

static void fix_xsave(struct kvm_cpuid2 *c, struct kvm_cpu_features *f)
{
	struct kvm_cpuid_entry2 *d0 = find(c, 0xd, 0);

	f->xcr0 = d0 ? (d0->eax | (u64)d0->edx << 32) & XCR0_WANTED : 0;
	if (!f->xcr0) { /* no XSAVE at all: what FXSAVE keeps */
		f->xcr0 = 3;
		f->xsave_size = 512;
		return;
	}
	if ((f->xcr0 & XCR0_AVX512) != XCR0_AVX512)
		f->xcr0 &= ~XCR0_AVX512;
	f->xsave_size = xsave_size(c, f->xcr0);
	if (d0) {
		d0->eax = (u32)f->xcr0;
		d0->edx = 0;
		d0->ebx = d0->ecx = f->xsave_size;
	}
	for (u32 i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 0xd && e->index >= 2 &&
		    (e->index > 62 || !(f->xcr0 >> e->index & 1)))
			e->eax = e->ebx = e->ecx = e->edx = 0;
	}
}

/* The processor's name, which KVM leaves to us. */
static void fix_brand(struct kvm_cpuid2 *c)
{
	for (u32 i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function >= 0x80000002 && e->function <= 0x80000004)
			__cpuid(e->function, e->eax, e->ebx, e->ecx, e->edx);
	}
}

static const struct feature {
	u32 function, index, reg, bit, feature;
} feature_table[] = {
	{ 7, 0, 1, 20, RF_BOOT_F_SMAP },        { 7, 0, 1, 7, RF_BOOT_F_SMEP },
	{ 7, 0, 1, 0, RF_BOOT_F_FSGSBASE },     { 7, 0, 2, 2, RF_BOOT_F_UMIP },
	{ 1, 0, 2, 17, RF_BOOT_F_PCID },        { 7, 0, 1, 10, RF_BOOT_F_INVPCID },
	{ 0xd, 1, 0, 0, RF_BOOT_F_XSAVEOPT },   { 1, 0, 2, 26, RF_BOOT_F_XSAVE },
	{ 0x80000001, 0, 3, 26, RF_BOOT_F_1G },
};

static u32 *feature_register(struct kvm_cpuid2 *c, const struct feature *f)
{
	struct kvm_cpuid_entry2 *e = find(c, f->function, f->index);
	u32 *regs[4];

	if (!e)
		return NULL;
	regs[0] = &e->eax;
	regs[1] = &e->ebx;
	regs[2] = &e->ecx;
	regs[3] = &e->edx;
	return regs[f->reg];
}

static u32 boot_features(struct kvm_cpuid2 *c)
{
	u32 features = 0;

	for (size_t i = 0; i < ARRAY_SIZE(feature_table); i++) {
		const u32 *reg = feature_register(c, &feature_table[i]);

		if (reg && *reg >> feature_table[i].bit & 1)
			features |= feature_table[i].feature;
	}
	return features;
}

void kvm_cpuid_withhold(struct kvm_cpu_features *f, u32 features)
{
	/* XSAVEOPT is a kind of XSAVE, and INVPCID is nothing without PCID. */
	features |= (features & RF_BOOT_F_XSAVE ? RF_BOOT_F_XSAVEOPT : 0) |
		    (features & RF_BOOT_F_PCID ? RF_BOOT_F_INVPCID : 0);
	for (size_t i = 0; i < ARRAY_SIZE(feature_table); i++) {
		u32 *reg = feature_register(f->cpuid, &feature_table[i]);

		if (reg && features & feature_table[i].feature)
			*reg &= ~(1u << feature_table[i].bit);
	}
	f->boot_features &= ~features;
	/* Only then: there is a KVM that keeps AVX state without offering the instruction. */
	if (features & RF_BOOT_F_XSAVE) {
		f->xcr0 = 3;
		f->xsave_size = 512; /* FXSAVE's */
	}
}

/* What every x86-64 CPU has but a cut-down CPUID may not: used without asking. docs/cpu-features.md says for what. */
static const struct {
	u32 function, reg, bit;
	const char *name;
} minimum[] = {
	{ 1, 3, 0, "an FPU" },        { 1, 3, 4, "a TSC" },
	{ 1, 3, 5, "MSRs" },          { 1, 3, 6, "PAE" },
	{ 1, 3, 13, "global pages" }, { 1, 3, 24, "FXSAVE" },
	{ 1, 3, 25, "SSE" },          { 1, 3, 26, "SSE2" },
	{ 1, 2, 13, "CMPXCHG16B" },   { 0x80000001, 3, 11, "SYSCALL" },
	{ 0x80000001, 3, 20, "NX" },  { 0x80000001, 3, 29, "long mode" },
};

const char *kvm_cpuid_missing(struct kvm_cpuid2 *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(minimum); i++) {
		const struct feature f = { .function = minimum[i].function, .reg = minimum[i].reg };
		const u32 *reg = feature_register(c, &f);

		if (!reg || !(*reg >> minimum[i].bit & 1))
			return minimum[i].name;
	}
	return NULL;
}

int kvm_cpuid_get(int device, struct kvm_cpu_features *ret, struct rf_error *err)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + CPUID_ENTRIES_MAX * sizeof(c->entries[0]));
	const char *missing;
	int r;

	if (!c)
		return rf_error_set(err, -ENOMEM, "no memory for the CPUID table");
	c->nent = CPUID_ENTRIES_MAX;
	r = kvm_ioctl(device, KVM_GET_SUPPORTED_CPUID, c);
	if (r) {
		free(c);
		return rf_error_set(err, r, "KVM_GET_SUPPORTED_CPUID failed (errno %d)", -r);
	}
	missing = kvm_cpuid_missing(c);
	if (missing) {
		free(c);
		return rf_error_set(err, -EOPNOTSUPP, "the virtual CPU of this KVM lacks %s",
				    missing);
	}
	for (u32 i = 0; i < c->nent; i++)
		mask_apply(&c->entries[i]);
	fix_xsave(c, ret);
	fix_brand(c);
	ret->boot_features = boot_features(c);
	ret->cpuid = c;
	return 0;
}

/* Gives a vCPU the table with its own number as APIC id. */
int kvm_cpuid_set(int vcpu_fd, struct kvm_cpuid2 *c, u32 index)
{
	for (u32 i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		if (e->function == 1)
			e->ebx = (e->ebx & 0x00ffffff) | index << 24;
		if (e->function == 0xb || e->function == 0x1f)
			e->edx = index;
	}
	return kvm_ioctl(vcpu_fd, KVM_SET_CPUID2, c);
}
