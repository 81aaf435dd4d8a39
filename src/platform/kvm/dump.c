/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A dump of a vCPU at any time. KVM's ioctls for registers wait while KVM_RUN is in progress, so the
 * vCPU's own thread has to make it: a request is left at the vCPU, a signal brings its thread out.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <semaphore.h>
#include <time.h>
#include <unistd.h>

#define WAIT_SLICE_MS 50

struct kvm_dump_request {
	struct rf_regs *regs;
	char *buf;
	size_t size;
	int result;
	sem_t done;
};

static int get_regs(struct kvm_vcpu *v, struct rf_regs *ret)
{
	struct kvm_regs k;
	struct kvm_sregs s;
	int r = kvm_ioctl(v->fd, KVM_GET_REGS, &k);

	if (!r)
		r = kvm_ioctl(v->fd, KVM_GET_SREGS, &s);
	if (r)
		return r;
	kvm_regs_to_rf(&k, ret);
	ret->orig_rax = ~0ull;
	ret->cs = s.cs.selector;
	ret->ss = s.ss.selector;
	ret->fs_base = s.fs.base;
	ret->gs_base = s.gs.base;
	return 0;
}

/* The vCPU is outside KVM_RUN. */
static int dump_now(struct kvm_vcpu *v, struct rf_regs *regs, char *buf, size_t size)
{
	kvm_vcpu_dump(v, buf, size);
	return regs ? get_regs(v, regs) : 0;
}

void kvm_dump_serve(struct kvm_vcpu *v)
{
	struct kvm_dump_request *q;

	pthread_mutex_lock(&v->dump_lock);
	q = atomic_exchange(&v->dump, NULL);
	if (q) {
		q->result = dump_now(v, q->regs, q->buf, q->size);
		sem_post(&q->done); /* last: @q is gone then */
	}
	pthread_mutex_unlock(&v->dump_lock);
}

static bool wait_slice(sem_t *done)
{
	struct timespec until;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += WAIT_SLICE_MS * 1000000l;
	until.tv_sec += until.tv_nsec / 1000000000l;
	until.tv_nsec %= 1000000000l;
	do
		r = sem_clockwait(done, CLOCK_MONOTONIC, &until);
	while (r && errno == EINTR);
	return !r;
}

/*
 * Makes the dump here if no thread is on the vCPU. One that comes stops at kvm_dump_serve(): it
 * stores v->tid before it reads v->dump, and we stored v->dump before we read v->tid.
 */
static bool serve_absent(struct kvm_vcpu *v, struct kvm_dump_request *q)
{
	bool done = false;

	pthread_mutex_lock(&v->dump_lock);
	if (atomic_load(&v->dump) == q && !atomic_load(&v->tid)) {
		q->result = dump_now(v, q->regs, q->buf, q->size);
		atomic_store(&v->dump, NULL);
		done = true;
	}
	pthread_mutex_unlock(&v->dump_lock);
	return done;
}

/* False: nobody served the request, and nobody will. */
static bool wait_served(struct kvm_vcpu *v, struct kvm_dump_request *q)
{
	struct kvm_dump_request *expected = q;

	for (int i = 0; i < RF_DUMP_WAIT_MS / WAIT_SLICE_MS; i++) {
		pid_t tid = atomic_load(&v->tid);

		if (tid)
			kvm_signal_send(tid);
		else if (serve_absent(v, q))
			return true;
		if (wait_slice(&q->done))
			return true;
	}
	if (atomic_compare_exchange_strong(&v->dump, &expected, NULL))
		return false;
	while (sem_wait(&q->done)) /* taken: being written, which is bounded */
		;
	return true;
}

/* Another thread's vCPU, or nobody's. */
static int dump_other(struct kvm_vcpu *v, struct rf_regs *regs, char *buf, size_t size)
{
	struct kvm_dump_request q = { .regs = regs, .buf = buf, .size = size }, *none = NULL;
	int r;

	sem_init(&q.done, 0, 0);
	if (!atomic_compare_exchange_strong(&v->dump, &none, &q)) {
		r = -EBUSY;
	} else if (wait_served(v, &q)) {
		r = q.result;
		pthread_mutex_lock(&v->dump_lock); /* the server is out of q.done when it lets go */
		pthread_mutex_unlock(&v->dump_lock);
	} else {
		kvm_ring_dump(v, buf, size);
		r = -ETIMEDOUT;
	}
	sem_destroy(&q.done);
	return r;
}

int kvm_machine_dump_cpu(struct rf_machine *base, u32 cpu, struct rf_regs *ret_regs, char *buf,
			 size_t size)
{
	struct kvm_machine *m = kvm_machine(base);
	struct kvm_vcpu *v;

	if (cpu >= m->cpus)
		return -EINVAL;
	v = &m->vcpus[cpu];
	if (atomic_load(&v->tid) == gettid())
		return dump_now(v, ret_regs, buf, size);
	return dump_other(v, ret_regs, buf, size);
}
