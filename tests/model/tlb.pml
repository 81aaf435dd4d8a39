/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Translations, roots and kicks in residency guest: src/kernel/platform/guest*.c, cpu_kick() of src/kernel/core/sched.c,
 * monitor_kick() of src/monitor/hc_control.c. Each CPU does a bounded number of things under the kernel lock, then stays in user
 * mode until it is interrupted. Hardware may fill the TLB at any moment from the tables CR3 names. With PCID: a CPU keeps
 * translations of NSLOT address spaces.
 *
 * Shown: user code, and kernel code that touches user memory, never reach a page frame that its address space has given up and
 * somebody else may have; a root is freed only when no CPU has it in CR3; a CPU that was given work looks at it; nobody waits for
 * ever.
 *
 * Check: each CPU does one thing -DB0=1 -DB1=1
 * Check: one does two -DB0=2 -DB1=0
 * Check: three CPUs -DNCPU=3 -DB0=1 -DB1=0
 * Check: PCID, each CPU does one thing -DPCID -DB0=1 -DB1=1
 * Check: PCID, one does two -DPCID -DB0=2 -DB1=0
 * Mutation: -DB0=1 -DB1=1 M_IN_USER_PLAIN assertion in_user is stored without a fence
 * Mutation: -DB0=1 -DB1=1 M_GEN_FIRST assertion the generation is compared before in_user is set
 * Mutation: -DB0=1 -DB1=1 M_NO_GEN assertion the generation is not compared on the way to user mode
 * Mutation: -DB0=1 -DB1=1 M_MM_LATE assertion loaded_mm is published after the generations were compared
 * Mutation: -DB0=1 -DB1=1 M_NO_WAIT assertion as_flush() kicks and does not wait
 * Mutation: -DB0=1 -DB1=1 M_NO_KICK deadlock as_flush() waits and does not kick
 * Mutation: -DB0=1 -DB1=1 M_NO_ACTIVATE assertion the kernel touches user memory without comparing generations
 * Mutation: -DB0=1 -DB1=1 M_ROOT_EARLY assertion loaded_root is published before CR3 is written
 * Mutation: -DB0=1 -DB1=1 M_ROOT_NOT_ASKED assertion as_free() does not ask who has the root loaded
 * Mutation: -DB0=2 -DB1=0 M_MM_STORE assertion as_free() forgets loaded_mm of others by a plain store
 * Mutation: -DB0=1 -DB1=1 M_MM_KEPT assertion as_free() leaves loaded_mm of others
 * Mutation: -DB0=1 -DB1=1 M_KICK_UNREAD assertion run_user() does not look at kick
 * Mutation: -DB0=1 -DB1=1 M_KICK_LATE assertion cpu_kick() reads in_user before it sets kick
 * Mutation: -DB0=1 -DB1=1 M_ACK_LOCKED deadlock in_user is cleared after the kernel lock is taken
 * Mutation: -DB0=1 -DB1=1 M_QUICK_LOCKS deadlock a quick call takes the kernel lock
 * Mutation: -DB0=1 -DB1=1 -DPCID M_SLOT_GEN assertion a retained slot is loaded without comparing its generation
 * Mutation: -DB0=1 -DB1=1 -DPCID M_ID_REUSED assertion a new address space gets the id of one that is gone
 * Mutation: -DB0=1 -DB1=1 -DPCID M_SLOT_NOT_TAGGED assertion a slot is taken over without a flush
 */
#ifndef NCPU
#define NCPU 2
#endif
#define NAS 2
#ifdef PCID
#define NSLOT 2
#else
#define NSLOT 1
#endif

#define LOCK	      0
#define IN_USER(c)    (1 + (c))
#define KICK(c)	      (1 + NCPU + (c))
#define LOADED_MM(c)  (1 + 2 * NCPU + (c))
#define LOADED_GEN(c) (1 + 3 * NCPU + (c))
#define LOADED_ROOT(c) (1 + 4 * NCPU + (c))
#define TLB_GEN(as)   (1 + 5 * NCPU + (as) - 1)
#define PTE(root)     (1 + 5 * NCPU + NAS + (root) - 1)
#define NROOT	      3
#define NLOC	      (1 + 5 * NCPU + NAS + NROOT)
#include "tso.inc"

#define NFRAME 4
byte owner[NFRAME + 1];	  /* of a frame: id of the address space, 0: somebody else */
byte id[NAS + 1];	  /* of an address space; never used twice */
byte root_of[NAS + 1];	  /* root of an address space */
byte root_as[NROOT + 1];  /* and back, for zombies too; 0: free */
byte next_id;
byte last_frame;

byte cr3[NCPU];		     /* root; 0: the kernel's own, which has no user half */
byte slot[NCPU];	     /* PCID: which slot CR3 names */
byte tlb[NCPU * NSLOT];	     /* frame, 0: nothing cached */
byte slot_id[NCPU * NSLOT];  /* what the kernel believes about its slots */
byte slot_gen[NCPU * NSLOT];
byte next_slot[NCPU];

byte cur[NCPU];		     /* address space of the current task */
bool user[NCPU];	     /* ring 3 */
bool irq[NCPU];		     /* RF_VECTOR_KICK is on its way: boot.pml */
bool work[NCPU];	     /* given by another CPU */
byte budget[NCPU];

#define TLB(c) tlb[(c) * NSLOT + slot[c]]

/* The CPU's own doing: a translation is cached whenever the tables have one. */
proctype walker(byte c)
{
end:	do
	:: atomic {
		cr3[c] != 0 && TLB(c) == 0 && mem[PTE(cr3[c])] != 0 ->
		TLB(c) = mem[PTE(cr3[c])]
	   }
	od
}

/* One access to the user page: through the TLB if it is there, else through the tables; not mapped: a fault, which we leave out. */
inline access(c, as) {
	atomic {
		if
		:: TLB(c) != 0 -> assert(owner[TLB(c)] == id[as])
		:: TLB(c) == 0 && cr3[c] != 0 && mem[PTE(cr3[c])] != 0 ->
			TLB(c) = mem[PTE(cr3[c])];
			assert(owner[TLB(c)] == id[as])
		:: else
		fi
	}
}

inline new_frame(as, f) { /* the next free one after the last: what was freed is not what we get */
	atomic {
		f = last_frame;
		do
		:: f = (f % NFRAME) + 1; if :: owner[f] == 0 -> break :: else fi
		od;
		last_frame = f;
		owner[f] = id[as]
	}
}

/* write_cr3(): all of this root's (with PCID this slot's) translations go, unless bit 63 is set. */
inline write_cr3(c, root, s, keep) {
	atomic {
		cr3[c] = root; slot[c] = s;
		if :: keep :: else -> TLB(c) = 0 fi
	}
}

/* guest_tlb_catch_up(): gen first, then CR3, then say so */
inline catch_up(c, as) {
	gen = LD(c, TLB_GEN(as));
	write_cr3(c, cr3[c], slot[c], false);
	ST_SC(c, LOADED_GEN(c), gen);
	slot_gen[c * NSLOT + slot[c]] = gen
}

/* guest_as_load() */
inline as_load(c, as) {
#ifndef M_MM_LATE
	ST_SC(c, LOADED_MM(c), as);
#endif
	gen = LD(c, TLB_GEN(as));
#ifdef M_ROOT_EARLY
	ST(c, LOADED_ROOT(c), root_of[as]);
#endif
#ifdef PCID
	atomic { /* a slot that has this id already, else the next one in turn */
		s = 0; keep = false;
		do
		:: s < NSLOT && slot_id[c * NSLOT + s] == id[as] -> keep = true; break
		:: s < NSLOT && slot_id[c * NSLOT + s] != id[as] -> s++
		:: s == NSLOT -> s = next_slot[c]; next_slot[c] = (s + 1) % NSLOT; break
		od;
#ifndef M_SLOT_GEN
		keep = keep && slot_gen[c * NSLOT + s] == gen;
#endif
#ifdef M_SLOT_NOT_TAGGED
		keep = keep || slot_id[c * NSLOT + s] != id[as];
#endif
		slot_id[c * NSLOT + s] = id[as]; slot_gen[c * NSLOT + s] = gen
	};
	write_cr3(c, root_of[as], s, keep);
#else
	write_cr3(c, root_of[as], 0, false);
#endif
#ifndef M_ROOT_EARLY
	ST(c, LOADED_ROOT(c), root_of[as]);
#endif
	ST_SC(c, LOADED_GEN(c), gen)
}

/* guest_as_activate(), kernel lock held */
inline as_activate(c, as) {
	if
	:: LD(c, LOADED_MM(c)) != as -> as_load(c, as)
#ifndef M_NO_ACTIVATE
	:: LD(c, LOADED_MM(c)) == as && LD(c, LOADED_GEN(c)) != LD(c, TLB_GEN(as)) -> catch_up(c, as)
#endif
	:: else
	fi
}

/* hc(HC_KICK) as the host thread of CPU c serves it: monitor_kick(); none is idle here (idle.pml) */
inline hc_kick(c, other) {
	ST_SC(c, KICK(other), 1);
	if :: LD(c, IN_USER(other)) -> irq[other] = true :: else fi
}

/* cpu_kick() */
inline cpu_kick(c, other) {
#ifdef M_KICK_LATE
	if :: LD(c, IN_USER(other)) -> ST_SC(c, KICK(other), 1); hc_kick(c, other) :: else -> ST_SC(c, KICK(other), 1) fi
#else
	ST_SC(c, KICK(other), 1);
	if :: LD(c, IN_USER(other)) -> hc_kick(c, other) :: else fi
#endif
}

/* flush_remote() */
inline flush_remote(c, other, g) {
	if
	:: LD(c, IN_USER(other)) ->
#ifndef M_NO_KICK
		hc_kick(c, other);
#endif
#ifdef M_NO_WAIT
		skip
#else
		LD(c, IN_USER(other)) == 0 || LD(c, LOADED_GEN(other)) >= g
#endif
	:: else
	fi
}

/* unmap, guest_as_flush(), reuse of the frame; then another frame is mapped */
inline remap(c, as) {
	old = LD(c, PTE(root_of[as]));
	ST(c, PTE(root_of[as]), 0);
	atomic { FENCED(c) -> mem[TLB_GEN(as)]++; g = mem[TLB_GEN(as)] };
	i = 0;
	do
	:: i < NCPU ->
		if
		:: i != c && LD(c, LOADED_MM(i)) == as -> flush_remote(c, i, g); i++
		:: else -> i++
		fi
	:: else -> break
	od;
	/* flush_local(), by CR3 */
	if :: LD(c, LOADED_MM(c)) == as -> catch_up(c, as) :: else fi;
	atomic { owner[old] = 0; old = 0; g = 0; i = 0 };
	new_frame(as, i);
	ST(c, PTE(root_of[as]), i);
	i = 0
}

/* zombies_reap() and the end of guest_as_free(): roots that no CPU says it has loaded */
inline reap(c) {
	i = 1;
	do
	:: i <= NROOT ->
		if
		:: root_as[i] != 0 && root_of[root_as[i]] != i /* a zombie */ ->
			old = 0; g = 0; /* root_loaded(): one CPU after the other */
			do
			:: atomic { old < NCPU -> g = g || LD(c, LOADED_ROOT(old)) == i; old++ }
			:: else -> break
			od;
			if
#ifdef M_ROOT_NOT_ASKED
			:: true ->
#else
			:: !g ->
#endif
				atomic {
					old = 0;
					do
					:: old < NCPU -> assert(cr3[old] != i); old++
					:: else -> break
					od;
					root_as[i] = 0
				}
			:: else
			fi;
			old = 0; g = 0
		:: else
		fi;
		i++
	:: else -> break
	od;
	i = 0
}

/* guest_as_free() of an address space no task has any more, then guest_as_new() in its place */
inline as_replace(c, as) {
	if
	:: LD(c, LOADED_ROOT(c)) == root_of[as] -> ST(c, LOADED_ROOT(c), 0); write_cr3(c, 0, slot[c], false)
	:: else
	fi;
	i = 0;
#ifndef M_MM_KEPT
	do
#ifdef M_MM_STORE
	:: i < NCPU && LD(c, LOADED_MM(i)) == as -> ST(c, LOADED_MM(i), 0); i++
	:: i < NCPU && LD(c, LOADED_MM(i)) != as -> i++
#else
	/* compare and exchange: the other may be on its way to another address space, without the lock */
	:: atomic { i < NCPU && FENCED(c) -> if :: mem[LOADED_MM(i)] == as -> mem[LOADED_MM(i)] = 0 :: else fi; i++ }
#endif
	:: i == NCPU -> break
	od;
#endif
	old = LD(c, PTE(root_of[as])); /* exit has unmapped everything */
	ST_SC(c, PTE(root_of[as]), 0);
	atomic { owner[old] = 0; root_of[as] = 0; i = 0; old = 0 };
	reap(c);
	/* a new root, if there is one left: else this was the last */
	atomic {
		i = 1;
		do :: i <= NROOT && root_as[i] != 0 -> i++ :: else -> break od;
		if
		:: i <= NROOT ->
			root_as[i] = as; root_of[as] = i;
#ifndef M_ID_REUSED
			next_id++; id[as] = next_id;
#endif
		:: else
		fi
	};
	if
	:: root_of[as] != 0 ->
		new_frame(as, i);
		ST(c, PTE(root_of[as]), i);
		ST(c, TLB_GEN(as), 1)
	:: else
	fi;
	i = 0
}

inline nobody_runs(as, ret) {
	atomic {
		i = 0; ret = (root_of[as] != 0);
		do :: i < NCPU -> ret = ret && cur[i] != as; i++ :: else -> break od;
		i = 0
	}
}

#define OTHER_AS(c) (3 - cur[c])

proctype cpu(byte c)
{
	byte gen, g, i, old, s;
	bool keep, ok;

kernel:
	/* kernel_lock() */
	atomic { FENCED(c) && mem[LOCK] == 0 -> mem[LOCK] = c + 1; work[c] = false };
#ifdef M_ACK_LOCKED
	ST(c, IN_USER(c), 0);
#endif
	/* cpu_events_run() */
	ST_SC(c, KICK(c), 0);
	do
	:: budget[c] > 0 ->
		budget[c]--;
		if
		:: remap(c, cur[c])
		:: root_of[OTHER_AS(c)] != 0 -> cur[c] = OTHER_AS(c) /* schedule() */
		:: nobody_runs(OTHER_AS(c), ok);
		   if :: ok -> ok = false; as_replace(c, OTHER_AS(c)) :: else fi
		/* (without the skip Spin would take the first `else` below for this `if`'s) */
		:: skip; as_activate(c, cur[c]); access(c, cur[c]) /* copy_in(), copy_out() */
		:: i = 0;
		   do :: i < NCPU - 1 && i == c -> i++ :: i < NCPU - 1 && i != c -> break :: i < NCPU - 1 -> i++ :: i == NCPU - 1 -> break od;
		   if :: i != c -> work[i] = true; cpu_kick(c, i) :: else fi;
		   i = 0
		fi
	:: break
	od;
	ST(c, LOCK, 0); /* kernel_unlock() */

	/* guest_run_user(): no lock from here */
	if :: LD(c, LOADED_MM(c)) != cur[c] -> as_load(c, cur[c]) :: else fi;
#ifdef M_GEN_FIRST
	do :: LD(c, TLB_GEN(cur[c])) != LD(c, LOADED_GEN(c)) -> catch_up(c, cur[c]) :: else -> break od;
#endif
#ifdef M_IN_USER_PLAIN
	ST(c, IN_USER(c), 1);
#else
	ST_SC(c, IN_USER(c), 1);
#endif
#ifndef M_KICK_UNREAD
	if
	:: LD(c, KICK(c)) -> ST(c, IN_USER(c), 0); goto kernel
	:: else
	fi;
#endif
#ifndef M_GEN_FIRST
#ifndef M_NO_GEN
	do :: LD(c, TLB_GEN(cur[c])) != LD(c, LOADED_GEN(c)) -> catch_up(c, cur[c]) :: else -> break od;
#endif
#endif
#ifdef M_MM_LATE
	ST_SC(c, LOADED_MM(c), cur[c]);
#endif
	gen = 0; s = 0; keep = false;
	atomic { user[c] = true; access(c, cur[c]) };
end_user: /* user code: interrupts are taken here only */
	do
	:: atomic { irq[c] -> access(c, cur[c]); irq[c] = false; user[c] = false; break }
	:: budget[c] > 0 -> /* a quick call: ring 0, IF = 0, in_user stays */
		atomic { user[c] = false; budget[c]-- };
#ifdef M_QUICK_LOCKS
		atomic { FENCED(c) && mem[LOCK] == 0 -> mem[LOCK] = c + 1 };
		ST(c, LOCK, 0);
#endif
		user[c] = true
	:: atomic { budget[c] > 0 -> access(c, cur[c]); user[c] = false; break } /* a system call */
	od;
#ifndef M_ACK_LOCKED
	ST(c, IN_USER(c), 0);
#endif
	goto kernel
}

/* Everybody waits: the kernel is quiet. */
proctype quiet()
{
	byte c = 0;

	atomic {
		timeout ->
		do
		:: c < NCPU -> assert(user[c] && !work[c]); access(c, cur[c]); c++
		:: else -> break
		od
	}
}

inline was_loaded(n, which) {
	mem[LOADED_MM(n)] = which; mem[LOADED_ROOT(n)] = which; mem[LOADED_GEN(n)] = 1; cr3[n] = which;
#ifdef PCID
	slot_id[n * NSLOT] = 1; slot_id[n * NSLOT + 1] = 2; slot_gen[n * NSLOT] = 1; slot_gen[n * NSLOT + 1] = 1;
	slot[n] = (which == 2 -> 1 : 0)
#endif
}

init {
	byte c = 0, as;

	atomic {
		next_id = NAS; last_frame = NAS;
		do
		:: c < NAS ->
			c++;
			id[c] = c; root_of[c] = c; root_as[c] = c; owner[c] = c;
			mem[PTE(c)] = c; mem[TLB_GEN(c)] = 1
		:: else -> break
		od;
		c = 0;
		budget[0] = B0; budget[1] = B1;
		/* CPU 0's task has its own tables loaded, the others' those of any task before. */
		c = 0;
		if :: cur[0] = 1; was_loaded(0, 1) :: cur[0] = 2; was_loaded(0, 2) fi;
		do
		:: c < NCPU - 1 ->
			c++;
			if :: c == 1 -> cur[c] = 1 :: cur[c] = 2 fi;
			if :: c == 1 -> as = 0 :: as = 1; was_loaded(c, as) :: c == 1 -> as = 2; was_loaded(c, as) fi
		:: else -> break
		od;
		c = 0; as = 0
	};
	atomic {
		do
		:: c < NCPU -> run drain(c); run walker(c); run cpu(c); c++
		:: else -> break
		od;
		run quiet()
	}
}
