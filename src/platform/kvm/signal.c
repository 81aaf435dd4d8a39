/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interruption. Whoever wants a vCPU's attention sets a flag and sends the thread that runs it a
 * signal; the handler makes KVM_RUN return at once through kvm_run->immediate_exit. The runner
 * clears immediate_exit, then looks at the flags, then enters: a signal at any point after the
 * clearing is seen by one or the other, so none is lost. A late signal costs one empty exit.
 *
 * Only who turns a flag on sends: real-time signals queue, and a caller that repeats itself would
 * bury the thread in them. Who finds it on relies on the signal of the other, which is sent or
 * about to be.
 */
#include "platform/kvm/kvm.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The second real-time signal, out of the way of what programs usually take. */
#define KICK_SIGNAL (SIGRTMIN + 1)

static _Thread_local struct kvm_run *volatile current_run;
static _Thread_local pid_t current_tid;

static void kick_handler(int signo)
{
	struct kvm_run *run = current_run;

	if (run)
		WRITE_ONCE(run->immediate_exit, 1);
}

static int install_error;

static void install_handler(void)
{
	struct sigaction action = { .sa_handler = kick_handler, .sa_flags = SA_RESTART };

	sigemptyset(&action.sa_mask);
	install_error = sigaction(KICK_SIGNAL, &action, NULL) ? -errno : 0;
}

int kvm_signal_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, install_handler);
	return install_error;
}

/* Once per thread: its id, and the signal unblocked. */
static void thread_init(void)
{
	sigset_t set;

	current_tid = (pid_t)syscall(SYS_gettid);
	sigemptyset(&set);
	sigaddset(&set, KICK_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

void kvm_signal_enter(struct kvm_vcpu *v)
{
	if (unlikely(!current_tid))
		thread_init();
	current_run = v->run;
	atomic_store(&v->tid, current_tid);
}

void kvm_signal_leave(struct kvm_vcpu *v)
{
	atomic_store(&v->tid, 0);
	current_run = NULL;
}

/* ESRCH (the thread has ended since) is as good as delivered: it is in no switch any more. */
void kvm_signal_send(pid_t tid)
{
	int saved = errno;

	syscall(SYS_tgkill, getpid(), tid, KICK_SIGNAL);
	errno = saved;
}

void kvm_signal_send_running(_Atomic(pid_t) *tid_of)
{
	pid_t tid = atomic_load(tid_of);

	if (tid)
		kvm_signal_send(tid);
}

void kvm_context_interrupt(struct rf_context *base)
{
	struct kvm_context *c = kvm_context(base);

	if (!atomic_exchange(&c->interrupted, true))
		kvm_signal_send_running(&c->tid);
}

void kvm_context_preempt(struct rf_context *base)
{
	struct kvm_context *c = kvm_context(base);

	if (atomic_load(&c->tid) && !atomic_exchange(&c->preempted, true))
		kvm_signal_send_running(&c->tid);
}

void kvm_machine_interrupt_cpu(struct rf_machine *base, u32 cpu)
{
	struct kvm_machine *m = kvm_machine(base);

	if (cpu >= m->cpus)
		return;
	atomic_fetch_add(&m->interrupts, 1);
	if (!atomic_exchange(&m->vcpus[cpu].kicked, true))
		kvm_signal_send_running(&m->vcpus[cpu].tid);
}
