/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropping translations where KVM shadows guest page tables and does not see the host's stores to them (KVM_INVALIDATE_SLOTS):
 * drop_stale_slots(), flip_locked(), kvm_invalidate_collect(), kvm_invalidate_later(), kvm_invalidate_bury() of
 * src/platform/kvm/invalidate.c, note_change() of addrspace.c, `ran` of context_host.c. KVM keeps a shadow entry for every table page
 * and page it was asked for, and drops it when the host's page-table entry of the frame goes (MADV_DONTNEED) or a memory slot is
 * deleted (a flip), with all vCPUs out meanwhile. One thread changes address space 1, one changes and replaces 2, one runs both.
 *
 * Shown: guest code reaches a frame only while the address space that runs has it.
 *
 * Check: changes by both -DCHANGES=2
 * Check: replaced -DCHANGES=1 -DREPLACE
 * Mutation: -DCHANGES=1 M_NO_DROP assertion nothing is dropped
 * Mutation: -DCHANGES=1 M_RAN_UNCOLLECTED assertion nothing is noted of what changes while the address space runs for the first time
 * Mutation: -DCHANGES=2 M_GEN_ONCE assertion a second change does not renew stale_gen
 * Mutation: -DCHANGES=2 M_FLIP_FORGETS assertion a flip for one address space clears `stale` of the other
 * Mutation: -DCHANGES=1 -DREPLACE M_DEAD_EARLY assertion tables out of use are used again before a flip
 */
#define POOL 4
#define LIMIT(as) (as == 1 -> CHANGES : 1)
byte pte[POOL + 1];    /* what a table page says: frame */
byte shadow[POOL + 1]; /* what KVM believes it says; 0: not asked yet */
byte table[3];	       /* of address space 1, 2: its table page */
bool used[POOL + 1];   /* table page taken, or waiting for a flip */
bool dead[POOL + 1];   /* waiting for a flip */
byte owner[10];
byte id[3];
byte next_frame = 2, next_id = 2;
bool as_lock[3], flip_lock;
bool ran[3], stale[3], live[3];
byte stale_gen[3], flip_gen;
byte noted[3];	       /* frame to drop, 255: too many, 0: nothing */
bool in_use[3];	       /* a switch to it is in progress */

inline lock(l) { atomic { !l -> l = true } }

/* flip_locked() */
inline flip() {
	flip_gen++;
	atomic { /* kvm_memslot_flip() */
		p = 1;
		do :: p <= POOL -> shadow[p] = 0; p++ :: else -> break od;
		p = 0
	};
	atomic { /* release_dead() */
		p = 1;
		do :: p <= POOL -> if :: dead[p] -> dead[p] = false; used[p] = false; pte[p] = 0 :: else fi; p++ :: else -> break od;
		p = 0
	}
}

/* kvm_invalidate_now() */
inline invalidate(as) {
	if
	:: stale[as] ->
		lock(as_lock[as]);
		if
		:: stale[as] ->
			lock(flip_lock);
			if
			:: stale_gen[as] == flip_gen ->
#ifndef M_NO_DROP
				if
				:: noted[as] == 255 -> flip()
				:: noted[as] != 255 ->
					if
					:: atomic { /* drop_frames() */
						p = 1;
						do
						:: p <= POOL -> if :: shadow[p] == noted[as] -> shadow[p] = 0 :: else fi; p++
						:: else -> break
						od;
						p = 0
					   }
					:: flip() /* madvise failed, or too many dead tables */
					fi
				fi
#else
				skip
#endif
			:: else
			fi;
#ifdef M_FLIP_FORGETS
			stale[3 - as] = false;
#endif
			noted[as] = 0;
			stale[as] = false;
			flip_lock = false
		:: else
		fi;
		as_lock[as] = false
	:: else
	fi
}

proctype changer(byte as)
{
	byte old, n, p, changes;

	do
	:: changes < LIMIT(as) ->
		changes++;
		/* kvm_as_unmap() */
		lock(as_lock[as]);
		old = pte[table[as]];
		/* kvm_invalidate_collect() */
		if
		:: ran[as] -> noted[as] = old
#ifdef M_RAN_UNCOLLECTED
		:: !ran[as]
#else
		:: !ran[as] -> noted[as] = 255
#endif
		fi;
		pte[table[as]] = 0;
		/* note_change() */
		if
		:: ran[as] ->
			/* kvm_invalidate_later() */
			lock(flip_lock);
#ifdef M_GEN_ONCE
			if :: stale[as] :: else -> stale_gen[as] = flip_gen fi;
#else
			stale_gen[as] = flip_gen;
#endif
			stale[as] = true;
			flip_lock = false
		:: !ran[as] -> noted[as] = 0
		fi;
		as_lock[as] = false;
		if
		:: true -> /* kvm_as_flush() at once */
			invalidate(as);
			owner[old] = 0;
			atomic { next_frame++; n = next_frame; owner[n] = id[as]; pte[table[as]] = n }
		:: changes < LIMIT(as) -> /* or after another change: the frame is not given up meanwhile */
			atomic { next_frame++; n = next_frame; owner[n] = id[as]; pte[table[as]] = n }
		fi;
		old = 0; n = 0
	:: else -> break
	od;
#ifdef REPLACE
	if
	:: as == 2 ->
		/* kvm_as_free(): nobody switches to it any more */
		atomic { !in_use[2] -> live[2] = false };
		/* kvm_invalidate_bury() */
		lock(flip_lock);
		owner[pte[table[2]]] = 0;
		if
#ifndef M_DEAD_EARLY
		:: ran[2] -> dead[table[2]] = true
		:: !ran[2] -> atomic { used[table[2]] = false; pte[table[2]] = 0 }
#else
		:: atomic { used[table[2]] = false; pte[table[2]] = 0 }
#endif
		fi;
		flip_lock = false;
		/* kvm_as_new(): a table from the pool; the last resort is a flip */
		p = 1;
		do :: p <= POOL && used[p] -> p++ :: else -> break od;
		if
		:: p > POOL -> lock(flip_lock); flip(); flip_lock = false;
			p = 1;
			do :: p <= POOL && used[p] -> p++ :: else -> break od
		:: else
		fi;
		atomic {
			used[p] = true; table[2] = p; ran[2] = false; stale[2] = false; noted[2] = 0;
			next_id++; id[2] = next_id; next_frame++; owner[next_frame] = next_id; pte[p] = next_frame;
			live[2] = true;
			p = 0
		}
	:: else
	fi
#endif
}

proctype vcpu()
{
	byte as, p, rounds;

	do
	:: rounds < 3 ->
		rounds++;
		if
		:: as = 1
		:: as = 2
		fi;
		atomic { if :: live[as] -> in_use[as] = true :: else -> as = 0 fi };
		if
		:: as ->
			ran[as] = true;	/* kvm_context_switch() */
			invalidate(as);
			/* KVM_RUN; a page fault on the way in makes a shadow entry, and whatever is there is used */
			if
			:: shadow[table[as]] == 0 -> shadow[table[as]] = pte[table[as]]
			:: else
			fi;
			atomic { if :: shadow[table[as]] -> assert(owner[shadow[table[as]]] == id[as]) :: else fi };
			in_use[as] = false
		:: else
		fi
	:: else -> break
	od
}

init {
	atomic {
		table[1] = 1; table[2] = 2; used[1] = true; used[2] = true;
		/* the pool has no other page: what is freed is what the next one gets */
		used[3] = true; used[4] = true;
		id[1] = 1; id[2] = 2; live[1] = true; live[2] = true;
		pte[1] = 1; pte[2] = 2; owner[1] = 1; owner[2] = 2;
		run changer(1); run changer(2); run vcpu()
	}
}
