/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kick of a CPU in residency guest: src/platform/kvm/boot.c (run_loop, inject_kick), signal.c (kvm_machine_interrupt_cpu), and
 * what KVM promises of KVM_INTERRUPT and the interrupt window (Documentation/virt/kvm/api.rst). The guest is in ring 3 with
 * interrupts on, or in ring 0 with interrupts off, where only HLT (a hostcall) and signals end KVM_RUN.
 *
 * Shown: after the last kick the vector is delivered in ring 3 as soon as the guest is there; never in ring 0.
 *
 * Check: one caller -DNKICK=1
 * Check: two callers -DNKICK=2
 * Check: three callers -DNKICK=3
 * Mutations with: -DNKICK=2
 * Mutation: M_NO_WINDOW assertion no window is asked for when the guest cannot take it
 * Mutation: M_BLIND assertion the interrupt is queued without a look at ready_for_interrupt_injection
 * Mutation: M_CLEAR_ALWAYS assertion `kicked` is cleared although nothing was injected
 * Mutation: M_CLEAR_LATE assertion immediate_exit is cleared after `kicked` was looked at
 * Mutation: M_SIGNAL_FIRST assertion the signal is sent before `kicked` is set
 * Mutation: M_TID_PLAIN assertion tid is stored without a fence
 * Mutation: M_TID_LATE assertion tid is published after `kicked` was looked at
 * Mutation: M_EINTR_CLEARS assertion an interrupted KVM_RUN counts as the delivery
 */
#define NCPU   (NKICK + 1) /* 0: the vCPU's thread */
#define KICKED 0
#define TID    1
#define NLOC   2
#include "tso.inc"

byte signals;
bool immediate_exit;
bool ring3;	/* and IF = 1 */
bool injected;	/* KVM_INTERRUPT done, delivered at the next entry */
bool window;	/* run->request_interrupt_window */
bool ready;	/* run->ready_for_interrupt_injection && run->if_flag, as of the last exit */
bool guest;
bool want;	/* kicked, and the vector not delivered since */
byte rounds;
byte callers;

inline handler() { /* pending signals may be delivered between any two steps */
	atomic { do :: signals > 0 -> signals--; immediate_exit = true :: break od }
}
inline handle_all() {
	atomic { do :: signals > 0 -> signals--; immediate_exit = true :: else -> break od }
}

inline inject_kick() {
	window = false;
	handler();
	if
	:: LD(0, KICKED) ->
#ifdef M_CLEAR_ALWAYS
		ST_SC(0, KICKED, 0);
#endif
		if
#ifdef M_BLIND
		:: true ->
#else
		:: ready ->
#endif
			ST_SC(0, KICKED, 0);
			handler();
			injected = true; /* KVM_INTERRUPT */
			ready = false
#ifndef M_BLIND
		:: !ready ->
#ifndef M_NO_WINDOW
			window = true
#else
			skip
#endif
#endif
		fi
	:: LD(0, KICKED) == 0
	fi
}

proctype vcpu()
{
	bool eintr;

enter:	/* kvm_run_cpu(): kvm_signal_enter() */
	handler();
#ifdef M_TID_PLAIN
	ST(0, TID, 1);
#else
#ifndef M_TID_LATE
	ST_SC(0, TID, 1);
#endif
#endif
loop:	/* run_loop() */
	handler();
#ifndef M_CLEAR_LATE
	immediate_exit = false;
#ifndef M_TID_PLAIN
	FENCED(0);
#endif
	handler();
#endif
	inject_kick();
	handler();
#ifdef M_CLEAR_LATE
	immediate_exit = false;
#endif
#ifdef M_TID_LATE
	ST_SC(0, TID, 1);
#endif
	handler();
	/* KVM_RUN */
	atomic {
		eintr = (immediate_exit || signals > 0);
		guest = !eintr;
		if
		:: guest && injected -> assert(ring3); injected = false; want = false; ring3 = false /* the stub of the vector */
		:: else
		fi
	};
end_guest:
	do
	:: atomic { guest && signals > 0 -> guest = false; eintr = true }
	:: atomic { guest && window && ring3 -> guest = false } /* KVM_EXIT_IRQ_WINDOW_OPEN */
	:: atomic { guest && !ring3 -> ring3 = true }
	:: atomic { guest && ring3 && !window && rounds < 2 -> rounds++; ring3 = false } /* a trap */
	:: atomic { guest && !ring3 && rounds < 2 -> rounds++; guest = false; ready = false; goto hostcall } /* HLT */
	:: !guest -> break
	od;
	ready = ring3 && !injected;
	handle_all();
#ifdef M_EINTR_CLEARS
	if :: eintr -> ST_SC(0, KICKED, 0) :: else fi;
#endif
	eintr = false;
	goto loop;
hostcall:
	handle_all();
	ST_SC(0, TID, 0); /* kvm_signal_leave() */
	eintr = false;
	goto enter /* monitor_serve(), then again */
}

/* kvm_machine_interrupt_cpu() */
proctype kick(byte c)
{
	bool old;

#ifdef M_SIGNAL_FIRST
	if :: LD(c, TID) -> signals++ :: else fi;
#endif
	atomic { FENCED(c) -> old = mem[KICKED]; mem[KICKED] = 1; want = true };
#ifndef M_SIGNAL_FIRST
	if
	:: !old -> if :: LD(c, TID) -> signals++ :: else fi
	:: else
	fi;
#endif
	callers--
}

proctype quiet()
{
	atomic { timeout -> assert(guest && ring3 && callers == 0 && !want) }
}

init {
	byte i;

	atomic {
		callers = NKICK;
		run drain(0); /* the callers' own stores are exchanges */
		run vcpu();
		i = 1;
		do :: i <= NKICK -> run kick(i); i++ :: else -> break od;
		run quiet()
	}
}
