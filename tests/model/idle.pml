/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idle CPUs, kicks and host events: sched_idle(), make_runnable() and cpu_kick() of src/kernel/core/sched.c, cpu_events_run() of
 * src/kernel/core/host.c, run_user() of src/kernel/platform/; hc_idle(), monitor_kick(), monitor_kick_any() of
 * src/monitor/hc_control.c; events_cpu_busy() and events_timeout_ms() of src/monitor/events.c. CPU 1 is given tasks by CPU 0, both
 * run user code; the event thread announces host events. KVM's part of a kick is signal.pml and boot.pml.
 *
 * Shown: a task that was queued for a CPU, and a host event, are taken up by a CPU; the ticker does not sleep while a CPU is awake.
 *
 * Check: tasks -DTASKS=2 -DEVENTS=0
 * Check: events -DTASKS=0 -DEVENTS=2
 * Check: both -DTASKS=1 -DEVENTS=1
 * Check: a timer -DTASKS=0 -DEVENTS=0 -DTIMEOUTS=1
 * Check: all of it -DTASKS=1 -DEVENTS=1 -DTIMEOUTS=1
 * Mutation: -DTASKS=1 -DEVENTS=1 M_NO_FUTEX_CHECK assertion the futex does not compare the word
 * Mutation: -DTASKS=0 -DEVENTS=2 M_KICK_LATE assertion monitor_kick() looks at idle before it sets kick
 * Mutation: -DTASKS=0 -DEVENTS=2 M_CLEAR_LATE assertion cpu_events_run() clears kick after it has looked
 * Mutation: -DTASKS=1 -DEVENTS=1 M_IDLING_LATE assertion idling is set after the kernel lock is dropped
 * Mutation: -DTASKS=1 -DEVENTS=1 M_IN_USER_PLAIN assertion in_user is stored without a fence
 * Mutation: -DTASKS=1 -DEVENTS=1 M_KICK_UNREAD assertion run_user() does not look at kick
 * Mutation: -DTASKS=1 -DEVENTS=1 M_IDLE_ONLY assertion monitor_kick() wakes idle CPUs and interrupts nobody
 * Mutation: -DTASKS=0 -DEVENTS=2 M_KICK_FIRST assertion the event thread kicks first and announces then
 * Mutation: -DTASKS=0 -DEVENTS=0 -DTIMEOUTS=1 M_TICKER_ONCE assertion the ticker goes to sleep without a second look
 * Mutation: -DTASKS=0 -DEVENTS=0 -DTIMEOUTS=1 M_BUSY_LATE assertion a CPU looks whether the ticker sleeps before it says it is awake
 */
#ifndef TIMEOUTS
#define TIMEOUTS 0
#endif
#define NCPU	   3 /* 2: the event thread */
#define EVENT	   2
#define LOCK	   0
#define KICK(c)	   (1 + (c))
#define IN_USER(c) (3 + (c))
#define IDLE(c)	   (5 + (c))
#define PENDING	   7 /* watch_pending, signals_pending */
#define BUSY	   8
#define ASLEEP	   9 /* ticker_asleep */
#define NLOC	   10
#include "tso.inc"

bool queued[2];	 /* the run queue has a task that is not running: kernel lock */
bool idling[2];	 /* kernel lock */
bool running[2]; /* a task is current */
bool futex[2];	 /* asleep in the futex */
bool irq[2];
bool user[2];
byte tasks = TASKS;
byte timeouts = TIMEOUTS;
byte events = EVENTS;
bool wake_fd, sleeping;
bool event_done;

/* as a host thread does it, w: whose store buffer */
inline monitor_kick(w, c) {
#ifdef M_KICK_LATE
	is_idle = LD(w, IDLE(c));
	ST_SC(w, KICK(c), 1);
#else
	ST_SC(w, KICK(c), 1);
	is_idle = LD(w, IDLE(c));
#endif
	if
	:: is_idle -> futex[c] = false
#ifndef M_IDLE_ONLY
	:: !is_idle && LD(w, IN_USER(c)) -> irq[c] = true
#endif
	:: else
	fi;
	is_idle = false
}

/* cpu_kick() by CPU 0 of CPU 1, kernel lock held */
inline cpu_kick(me, c) {
	ST_SC(me, KICK(c), 1);
	if
	:: idling[c] || LD(me, IN_USER(c)) -> monitor_kick(me, c)
	:: else
	fi
}

inline host_events_run(c) {
	if
	:: LD(c, PENDING) -> ST_SC(c, PENDING, 0)
	:: LD(c, PENDING) == 0
	fi
}
inline cpu_events_run(c) {
#ifndef M_CLEAR_LATE
	ST_SC(c, KICK(c), 0);
	host_events_run(c)
#else
	host_events_run(c);
	ST_SC(c, KICK(c), 0)
#endif
}

inline events_cpu_busy(c) {
#ifndef M_BUSY_LATE
	atomic { FENCED(c) -> mem[BUSY]++ };
	if :: LD(c, ASLEEP) -> atomic { FENCED(c) -> if :: mem[ASLEEP] -> mem[ASLEEP] = 0; wake_fd = true :: else fi } :: else fi
#else
	if :: LD(c, ASLEEP) -> atomic { FENCED(c) -> if :: mem[ASLEEP] -> mem[ASLEEP] = 0; wake_fd = true :: else fi } :: else fi;
	atomic { FENCED(c) -> mem[BUSY]++ }
#endif
}

inline hc_idle(c) {
	ST_SC(c, IDLE(c), 1);
	atomic { FENCED(c) -> mem[BUSY]-- }; /* events_cpu_idle() */
	do
	:: LD(c, KICK(c)) -> break
	:: LD(c, KICK(c)) == 0 ->
		/* FUTEX_WAIT: sleeps only while the word is 0 */
#ifdef M_NO_FUTEX_CHECK
		futex[c] = true;
#else
		atomic { FENCED(c) -> if :: mem[KICK(c)] == 0 -> futex[c] = true :: else fi };
#endif
end_futex:	if
		:: !futex[c]
		:: atomic { futex[c] && timeouts > 0 -> timeouts--; futex[c] = false; timed = true; break } /* ETIMEDOUT */
		fi
	od;
	ST_SC(c, IDLE(c), 0);
	events_cpu_busy(c)
}

proctype cpu(byte c)
{
	bool is_idle, timed;

	atomic { FENCED(c) && mem[LOCK] == 0 -> mem[LOCK] = c + 1 };
idle:	/* sched_idle() */
	cpu_events_run(c);
	atomic { queued[c] = queued[c] || timed; timed = false }; /* ktimer_run() wakes somebody */
	/* schedule() */
	if :: queued[c] -> queued[c] = false; running[c] = true; goto leave :: else fi;
	if :: LD(c, KICK(c)) -> goto idle :: else fi;
#ifndef M_IDLING_LATE
	idling[c] = true;
#endif
	ST(c, LOCK, 0); /* HC_IDLE drops it */
	hc_idle(c);
	atomic { FENCED(c) && mem[LOCK] == 0 -> mem[LOCK] = c + 1 };
	idling[c] = false;
	goto idle;

leave:	/* user_loop() */
	if
	:: c == 0 && tasks > 0 -> /* a system call that wakes a task which may run on CPU 1 only */
		tasks--; queued[1] = true; cpu_kick(0, 1)
	:: c != 0 || tasks == 0
	fi;
	ST(c, LOCK, 0);
#ifdef M_IN_USER_PLAIN
	ST(c, IN_USER(c), 1);
#else
	ST_SC(c, IN_USER(c), 1);
#endif
#ifndef M_KICK_UNREAD
	if :: LD(c, KICK(c)) -> goto trap :: else fi;
#endif
	user[c] = true;
end_user:
	if
	:: irq[c] -> irq[c] = false
	:: c == 0 && tasks > 0
	fi;
	user[c] = false;
trap:	ST(c, IN_USER(c), 0);
	atomic { FENCED(c) && mem[LOCK] == 0 -> mem[LOCK] = c + 1 };
	cpu_events_run(c);
	queued[c] = false; /* sched_tick(): a queued task gets its turn */
	goto leave
}

/* epoll: an event, then monitor_kick_any() */
proctype event_thread()
{
	bool is_idle;
	byte c;

end:	do
	:: events > 0 ->
		events--;
#ifndef M_KICK_FIRST
		ST_SC(EVENT, PENDING, 1);
#endif
		if
		:: LD(EVENT, IDLE(0)) -> c = 0
		:: LD(EVENT, IDLE(0)) == 0 -> if :: LD(EVENT, IDLE(1)) -> c = 1 :: LD(EVENT, IDLE(1)) == 0 -> c = 0 fi
		fi;
		monitor_kick(EVENT, c);
#ifdef M_KICK_FIRST
		ST_SC(EVENT, PENDING, 1);
#endif
		c = 0
	:: mem[BUSY] == 0 -> /* events_timeout_ms(); with a CPU awake it only ticks */
		ST_SC(EVENT, ASLEEP, 1);
		if
#ifdef M_TICKER_ONCE
		:: true ->
#else
		:: LD(EVENT, BUSY) == 0 ->
#endif
			sleeping = true;
end_wait:		if :: wake_fd :: events > 0 fi;
			atomic { sleeping = false; wake_fd = false };
			ST_SC(EVENT, ASLEEP, 0)
#ifndef M_TICKER_ONCE
		:: LD(EVENT, BUSY) -> ST_SC(EVENT, ASLEEP, 0)
#endif
		fi
	od
}

proctype quiet()
{
	atomic {
		timeout ->
		assert(mem[PENDING] == 0 && events == 0 && tasks == 0);
		assert(!queued[0] && !queued[1]);
		assert((futex[0] || user[0]) && (futex[1] || user[1]));
		assert(!sleeping || mem[BUSY] == 0)
	}
}

init {
	atomic {
		mem[BUSY] = 2;
		queued[0] = (TASKS > 0);
		run drain(0); run drain(1); run drain(EVENT);
		run cpu(0); run cpu(1); run event_thread(); run quiet()
	}
}
