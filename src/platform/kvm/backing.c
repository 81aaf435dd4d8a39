/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which page was lost? KVM_RUN fails with EFAULT and, before Linux 6.8, says no more (later:
 * KVM_EXIT_MEMORY_FAULT). So the pages user code is likely to have touched are tried, without
 * touching them ourselves.
 */
#include "platform/guard.h"
#include "platform/kvm/kvm.h"

/* Bounds of the search among everything that is mapped: leaves looked at, pages tried. */
#define SCAN_LEAVES_MAX 65536u
#define SCAN_PAGES_MAX  4096u
/* The widest access of one instruction; XSAVE and string instructions go on from there. */
#define ACCESS_MAX      64u

/* Whether @addr is mapped and its memory is gone. */
static bool lost(struct kvm_address_space *as, u64 addr)
{
	u64 page = ALIGN_DOWN(addr, PAGE_SIZE), va, offset;
	u32 prot;

	if (addr < RF_MIN_USER_ADDRESS || addr >= RF_MAX_USER_ADDRESS ||
	    kvm_as_next(&as->base, page, page + PAGE_SIZE, &va, &offset, &prot) != 1)
		return false;
	return !guard_present((const u8 *)as->base.machine->memory.base + offset, prot & RF_WRITE);
}

/* @addr, or the next page if an access at @addr may reach it. */
static bool lost_near(struct kvm_address_space *as, u64 addr, u64 *ret)
{
	u64 next = ALIGN_DOWN(addr, PAGE_SIZE) + PAGE_SIZE;

	*ret = addr;
	if (lost(as, addr))
		return true;
	*ret = next;
	return next - addr < ACCESS_MAX && lost(as, next);
}

static bool lost_by_registers(struct kvm_address_space *as, const struct rf_regs *r, u64 *ret)
{
	const u64 candidates[] = {
		r->rip, r->rsp - 8, r->rsp, r->rdi, r->rsi, r->rax, r->rbx, r->rcx, r->rdx,
		r->rbp, r->r8,      r->r9,  r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
		if (lost_near(as, candidates[i], ret))
			return true;
	return false;
}

static bool lost_anywhere(struct kvm_address_space *as, u64 *ret)
{
	u64 addr = RF_MIN_USER_ADDRESS, offset;
	u32 prot;

	for (u32 i = 0; i < SCAN_PAGES_MAX; i++) {
		if (kvm_as_next(&as->base, addr, RF_MAX_USER_ADDRESS, &addr, &offset, &prot) != 1)
			return false;
		*ret = addr;
		if (lost(as, addr))
			return true;
		addr += PAGE_SIZE;
	}
	return false;
}

/* Where @gpa is mapped. */
static bool find_gpa(struct kvm_address_space *as, gpa_t gpa, u64 *ret)
{
	u64 offset, want = gpa - as->base.machine->memory.gpa, addr = RF_MIN_USER_ADDRESS;
	struct pt_mapping map;
	bool found = false;

	pthread_mutex_lock(&as->lock);
	for (u32 i = 0;
	     !found && i < SCAN_LEAVES_MAX && pt_next(&as->pt, addr, RF_MAX_USER_ADDRESS, &map);
	     i++) {
		offset = pt_mapping_gpa(&map, map.va) - as->base.machine->memory.gpa;
		found = want >= offset && want - offset < map.size;
		*ret = map.va + (want - offset);
		addr = map.va + map.size;
	}
	pthread_mutex_unlock(&as->lock);
	return found;
}

u64 kvm_backing_find(struct kvm_vcpu *v, struct kvm_address_space *as, const struct rf_regs *r)
{
	u64 addr;

	if (v->run->exit_reason == KVM_REASON_MEMORY_FAULT) {
		/* KVM knows the page only: a register that points into it knows more. */
		if (find_gpa(as, kvm_memory_fault(v->run)->gpa, &addr)) {
			u64 exact;

			return lost_by_registers(as, r, &exact) &&
					       ALIGN_DOWN(exact, PAGE_SIZE) ==
						       ALIGN_DOWN(addr, PAGE_SIZE)
				       ? exact
				       : addr;
		}
	}
	if (lost_by_registers(as, r, &addr) || lost_anywhere(as, &addr))
		return addr;
	return r->rip;
}
