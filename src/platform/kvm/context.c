/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts and their FPU state, which stays in a vCPU's registers until another context needs that
 * vCPU, or this context another vCPU, or somebody asks.
 *
 * Ownership: vcpu->fpu_owner says whose state the registers hold, context->fpu_vcpu the inverse.
 * Both change under the vCPU's fpu_lock. The vCPU of a running switch is its thread's, so nobody
 * takes state from under it.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define XSAVE_MXCSR      24u
#define XSAVE_XSTATE_BV  512u
#define XSAVE_XCOMP_BV   520u
#define XSAVE_HEADER_END 576u
#define MXCSR_DEFAULT    0x1f80u
#define MXCSR_VALID      0xffffu
#define FCW_DEFAULT      0x37fu
/*
 * Always given as present: kernels differ in whether they load MXCSR of an image that says SSE is
 * in its initial state.
 */
#define XSTATE_X87_SSE   3ull
#define XSTATE_SSE       2ull
#define XSAVE_XMM        160u
#define XSAVE_XMM_END    416u

struct kvm_context *kvm_context(struct rf_context *c)
{
	return container_of(c, struct kvm_context, base);
}

static u8 *bytes(struct kvm_xsave *x)
{
	return (u8 *)x->region;
}

static void fpu_init(struct kvm_xsave *x)
{
	u16 fcw = FCW_DEFAULT;
	u32 mxcsr = MXCSR_DEFAULT;

	memset(x, 0, sizeof(*x));
	memcpy(bytes(x), &fcw, sizeof(fcw));
	memcpy(bytes(x) + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
	memcpy(bytes(x) + XSAVE_XSTATE_BV, &(u64){ XSTATE_X87_SSE }, sizeof(u64));
}

int kvm_context_new(struct rf_machine *m, struct rf_context **ret)
{
	struct kvm_machine *machine = kvm_machine(m);
	struct kvm_context *c;

	if (atomic_fetch_add(&machine->contexts, 1) >= RF_MAX_CONTEXTS) {
		atomic_fetch_sub(&machine->contexts, 1);
		return -ENOSPC;
	}
	c = calloc(1, sizeof(*c));
	if (!c) {
		atomic_fetch_sub(&machine->contexts, 1);
		return -ENOMEM;
	}
	c->base.machine = m;
	c->id = atomic_fetch_add(&kvm_machine(m)->context_ids, 1) + 1;
	c->last_cpu = KVM_NO_CPU;
	fpu_init(&c->fpu);
	*ret = &c->base;
	return 0;
}

int kvm_context_detect_preemption(struct rf_context *c, bool on)
{
	kvm_context(c)->detects_preemption = on;
	return 0;
}

/* Takes @c's state away from the vCPU that has it; with @save into c->fpu. */
static int fpu_detach(struct kvm_context *c, bool save)
{
	struct kvm_vcpu *v = atomic_load(&c->fpu_vcpu);
	int r = 0;

	if (!v)
		return 0;
	pthread_mutex_lock(&v->fpu_lock);
	if (atomic_load(&v->fpu_owner) == c) {
		if (save)
			r = kvm_ioctl(v->fd, KVM_GET_XSAVE, &c->fpu);
		if (!r) {
			atomic_store(&v->fpu_owner, NULL);
			atomic_store(&c->fpu_vcpu, NULL);
		}
	}
	pthread_mutex_unlock(&v->fpu_lock);
	return r;
}

void kvm_context_free(struct rf_context *base)
{
	struct kvm_context *c = kvm_context(base);

	fpu_detach(c, false);
	atomic_fetch_sub(&kvm_machine(base->machine)->contexts, 1);
	free(c);
}

/* Saves what @v's registers hold for another context. v->fpu_lock held. */
static int fpu_evict(struct kvm_vcpu *v)
{
	struct kvm_context *owner = atomic_load(&v->fpu_owner);
	int r;

	if (!owner)
		return 0;
	r = kvm_ioctl(v->fd, KVM_GET_XSAVE, &owner->fpu);
	if (r)
		return r;
	atomic_store(&v->fpu_owner, NULL);
	atomic_store(&owner->fpu_vcpu, NULL);
	return 0;
}

/* Brings @c's state into @v. */
int kvm_fpu_load(struct kvm_context *c, struct kvm_vcpu *v)
{
	int r;

	if (likely(atomic_load(&v->fpu_owner) == c))
		return 0;
	r = fpu_detach(c, true);
	if (r)
		return r;
	pthread_mutex_lock(&v->fpu_lock);
	r = fpu_evict(v);
	if (!r)
		r = kvm_ioctl(v->fd, KVM_SET_XSAVE, &c->fpu);
	if (!r) {
		atomic_store(&v->fpu_owner, c);
		atomic_store(&c->fpu_vcpu, v);
	}
	pthread_mutex_unlock(&v->fpu_lock);
	return r;
}

/* The registers keep their contents: the next switch on the same vCPU need not load them again. */
static int fpu_peek(struct kvm_context *c)
{
	struct kvm_vcpu *v = atomic_load(&c->fpu_vcpu);
	int r = 0;

	if (!v)
		return 0;
	pthread_mutex_lock(&v->fpu_lock);
	if (atomic_load(&v->fpu_owner) == c)
		r = kvm_ioctl(v->fd, KVM_GET_XSAVE, &c->fpu);
	pthread_mutex_unlock(&v->fpu_lock);
	return r;
}

/* Components that are not offered stay out: KVM reports PKRU, say, wherever the host has it. */
int kvm_fpu_get(struct rf_context *base, void *buf, size_t size)
{
	struct kvm_context *c = kvm_context(base);
	int r = fpu_peek(c);
	u64 bv;

	if (r)
		return r;
	memcpy(buf, &c->fpu, MIN(size, sizeof(c->fpu)));
	if (size < XSAVE_XSTATE_BV + sizeof(bv))
		return 0;
	memcpy(&bv, bytes(&c->fpu) + XSAVE_XSTATE_BV, sizeof(bv));
	bv &= kvm_machine(base->machine)->xcr0;
	memcpy((u8 *)buf + XSAVE_XSTATE_BV, &bv, sizeof(bv));
	return 0;
}

/* Clears what XRSTOR would refuse: the image may come from a hostile signal frame. */
static void fpu_sanitise(struct kvm_xsave *x, u64 xcr0)
{
	u64 bv;
	u32 mxcsr;

	memcpy(&bv, bytes(x) + XSAVE_XSTATE_BV, sizeof(bv));
	bv &= xcr0;
	if (!(bv & XSTATE_SSE)) {
		memset(bytes(x) + XSAVE_XMM, 0, XSAVE_XMM_END - XSAVE_XMM);
		bv |= XSTATE_SSE;
	}
	memcpy(bytes(x) + XSAVE_XSTATE_BV, &bv, sizeof(bv));
	memset(bytes(x) + XSAVE_XCOMP_BV, 0, XSAVE_HEADER_END - XSAVE_XCOMP_BV);
	memcpy(&mxcsr, bytes(x) + XSAVE_MXCSR, sizeof(mxcsr));
	mxcsr &= MXCSR_VALID;
	memcpy(bytes(x) + XSAVE_MXCSR, &mxcsr, sizeof(mxcsr));
}

int kvm_fpu_set(struct rf_context *base, const void *buf, size_t size)
{
	struct kvm_context *c = kvm_context(base);
	struct kvm_machine *m = kvm_machine(base->machine);
	int r = fpu_detach(c, false);

	if (r)
		return r;
	size = MIN(size, (size_t)m->fpu_size);
	memcpy(&c->fpu, buf, MIN(size, sizeof(c->fpu)));
	fpu_sanitise(&c->fpu, m->xcr0);
	return 0;
}

int kvm_fpu_reset(struct rf_context *base)
{
	struct kvm_context *c = kvm_context(base);
	int r = fpu_detach(c, false);

	if (!r)
		fpu_init(&c->fpu);
	return r;
}
