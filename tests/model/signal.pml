/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interrupting a switch in residency host: src/platform/kvm/signal.c and context_host.c. One thread runs a context on one vCPU, over
 * and over; others call rf_context_interrupt(), rf_context_preempt() and rf_machine_interrupt_cpu(), several at once. A signal is
 * pending until the thread handles it, between any two steps of its own; KVM_RUN returns at once if one is pending or immediate_exit
 * is set.
 *
 * Shown: an interrupt or kick, at whatever moment, is returned by a switch (this one or the next); a preempt that came during a
 * switch ends it or found it ending; user code never goes on with a request unseen and no signal on its way.
 *
 * Check: interrupt -DINT=2
 * Check: kick -DKICK=2
 * Check: preempt -DPREEMPT=2
 * Check: all three -DINT=1 -DKICK=1 -DPREEMPT=1
 * Mutations with: -DINT=1 -DKICK=1 -DPREEMPT=1
 * Mutation: M_SIGNAL_FIRST assertion the signal is sent before the flag is set
 * Mutation: M_TID_LATE assertion tid is published after the flags were looked at
 * Mutation: M_TID_PLAIN assertion tid is stored without a fence
 * Mutation: M_CLEAR_LATE assertion immediate_exit is cleared after the flags were looked at
 * Mutation: M_NO_IMMEDIATE assertion the handler does not set immediate_exit
 * Mutation: M_RUN_LATE assertion current_run is set after the flags were looked at
 * Mutation: M_SWALLOW assertion a request found is forgotten by the next KVM_RUN of the same entry
 * Mutation: M_FLUSH_STUB assertion KVM_RUN interrupted inside the stub that flushes is entered again
 * Mutation: M_CLEAR_BLIND assertion `interrupted` is cleared by a plain store when the switch begins
 */
#ifndef INT
#define INT 0
#endif
#ifndef KICK
#define KICK 0
#endif
#ifndef PREEMPT
#define PREEMPT 0
#endif
#define NCALL	    (INT + KICK + PREEMPT)
#define NCPU	    (NCALL + 1) /* 0: the thread that switches */
#define INTERRUPTED 0
#define KICKED	    1
#define PREEMPTED   2
#define TID	    3
#define NLOC	    4
#include "tso.inc"

byte signals;	     /* pending for the thread: real-time signals queue */
bool immediate_exit; /* of kvm_run: only the thread itself writes it, in the handler or outside */
bool current_run;
bool guest;	     /* user code runs */
byte callers;	     /* still to finish */
bool want[3];	     /* by flag: asked for and not yet returned by a switch */
bool finished;

/* kick_handler() runs between any two steps of the thread */
inline handler() {
	atomic {
		do
		:: signals > 0 ->
			signals--;
#ifndef M_NO_IMMEDIATE
			if :: current_run -> immediate_exit = true :: else fi
#endif
		:: break
		od
	}
}

/* back from the system call: what is pending is delivered */
inline handle_all() {
	atomic {
		do
		:: signals > 0 ->
			signals--;
#ifndef M_NO_IMMEDIATE
			if :: current_run -> immediate_exit = true :: else fi
#endif
		:: else -> break
		od
	}
}

/* requested(): takes one */
inline requested(t) {
	t = 255;
	if
	:: LD(0, INTERRUPTED) -> take(INTERRUPTED, t)
	:: LD(0, INTERRUPTED) == 0 ->
		handler();
		if
		:: LD(0, KICKED) -> take(KICKED, t)
		:: LD(0, KICKED) == 0 ->
			handler();
			if
			:: LD(0, PREEMPTED) -> take(PREEMPTED, t)
			:: LD(0, PREEMPTED) == 0
			fi
		fi
	fi
}
inline take(flag, t) {
	handler();
	atomic { FENCED(0) -> mem[flag] = 0; t = flag; want[flag] = false }
}

proctype switcher()
{
	byte t;
	byte rounds;
	bool stub;

again:	/* kvm_context_switch() */
	handler();
#ifdef M_CLEAR_BLIND
	ST_SC(0, INTERRUPTED, 0);
#endif
	atomic { FENCED(0) -> mem[PREEMPTED] = 0; want[PREEMPTED] = false }; /* what came before it is nobody's */
	/* kvm_signal_enter() */
	handler();
#ifndef M_RUN_LATE
	current_run = true;
#endif
#ifdef M_TID_PLAIN
	ST(0, TID, 1);
#else
#ifndef M_TID_LATE
	ST_SC(0, TID, 1);
#endif
#endif
loop:	/* run_until_trap() */
#ifndef M_CLEAR_LATE
	handler();
	immediate_exit = false;
#ifndef M_TID_PLAIN
	FENCED(0);
#endif
#endif
	handler();
	requested(t);
	handler();
#ifdef M_CLEAR_LATE
	immediate_exit = false;
#endif
#ifdef M_TID_LATE
	ST_SC(0, TID, 1);
#endif
	if :: t != 255 -> goto out :: else fi;
#ifdef M_RUN_LATE
	handler();
	current_run = true;
#endif
#ifdef M_FLUSH_STUB
	stub = true; /* prepare_entry() found `flush` set */
#endif
kvm_run: /* KVM_RUN: immediate_exit is looked at after signals, with those blocked that come later until the guest is left */
	handler();
	atomic {
		guest = true;
		if
		:: immediate_exit || signals > 0 -> guest = false
		:: else
		fi
	};
end_guest:
	do
	:: atomic { guest && signals > 0 -> guest = false } /* -EINTR */
	:: atomic { guest && rounds < 2 -> rounds++; guest = false; goto out } /* a system call or fault */
	:: !guest -> break
	od;
	handle_all();
#ifdef M_FLUSH_STUB
	/* trap_intr(): "still KVM's to deliver", immediate_exit = 0, and in again: the stub ends in user mode */
	if :: stub -> stub = false; immediate_exit = false; goto kvm_run :: else fi;
#endif
#ifdef M_SWALLOW
	/* trap_intr() sees no event, but the caller enters again without a look at the flags */
	immediate_exit = false;
	goto kvm_run;
#endif
	goto loop;
out:	/* kvm_signal_leave() */
	handler();
	ST_SC(0, TID, 0);
	handler();
	current_run = false;
	t = 0; stub = false;
	handler();
	goto again
}

proctype caller(byte c; byte flag)
{
	bool old;
	byte tid;

#ifdef M_SIGNAL_FIRST
	if :: LD(c, TID) -> signals++ :: else fi;
#endif
	if
	:: flag == PREEMPTED && LD(c, TID) == 0 -> goto done /* kvm_context_preempt(): nothing to preempt */
	:: else
	fi;
	atomic { FENCED(c) -> old = mem[flag]; mem[flag] = 1; want[flag] = true };
#ifndef M_SIGNAL_FIRST
	if
	:: !old ->
		tid = LD(c, TID); /* send_if_running() */
		if :: tid -> signals++ :: else fi
	:: else /* who turned it on sends */
	fi;
#endif
done:	callers--
}

/* User code runs, nothing is on its way to stop it. */
proctype quiet()
{
	atomic { timeout -> assert(guest && callers == 0 && !want[INTERRUPTED] && !want[KICKED] && !want[PREEMPTED]) }
}

init {
	byte i;

	atomic {
		callers = NCALL;
		run drain(0);
		run switcher();
		i = 1;
		do
		:: i <= INT -> run caller(i, INTERRUPTED); i++
		:: i > INT && i <= INT + KICK -> run caller(i, KICKED); i++
		:: i > INT + KICK && i <= NCALL -> run caller(i, PREEMPTED); i++
		:: i > NCALL -> break
		od;
		run quiet()
	}
}
