/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dropping translations in residency host with nested paging (KVM_INVALIDATE_CR3): invalidate_cr3() and kick_out() of
 * src/platform/kvm/invalidate.c, forget_root() of addrspace.c, kvm_context_switch(), enter(), prepare_entry() and run_once() of
 * context_host.c. Each vCPU has a thread that switches; one more changes and replaces address space 1. Every word is accessed by
 * seq_cst atomics, so there are no store buffers. KVM flushes at a CR3 that differs from the last; an equal one needs the flag.
 *
 * Shown: no vCPU reaches a frame after kvm_invalidate_now() returned to the caller who reuses it, nor through a root that was
 * freed and is somebody else's; nobody waits for ever.
 *
 * Check: changes -DCHANGES=2 -DROUNDS=1
 * Check: an address space replaced -DCHANGES=1 -DREPLACE -DROUNDS=2 -DNVCPU=1
 * Check: replaced, two vCPUs -DCHANGES=0 -DREPLACE -DROUNDS=1
 * Mutation: -DCHANGES=1 -DROUNDS=1 M_TRAP_INSIDE deadlock a trap is interpreted, with as->lock, while the entry still counts
 * Mutation: -DCHANGES=1 -DROUNDS=1 M_NO_FLAG assertion who comes out enters again without a flush
 * Mutation: -DCHANGES=1 -DROUNDS=1 M_NO_KICK_OUT assertion nobody waits for those inside
 * Mutation: -DCHANGES=1 -DROUNDS=1 M_NO_SIGNAL deadlock those inside are waited for and not signalled
 * Mutation: -DCHANGES=1 -DROUNDS=2 -DNVCPU=1 M_ENTRIES_LATE assertion the entry counts only after the look at `flush`
 * Mutation: -DCHANGES=1 -DROUNDS=2 -DNVCPU=1 M_RUNNING_LATE assertion `running` is set after the look at `flush`
 * Mutation: -DCHANGES=1 -DREPLACE -DROUNDS=2 -DNVCPU=1 M_NO_FORGET assertion as_free() leaves `loaded`
 * Mutation: -DCHANGES=1 -DREPLACE -DROUNDS=2 -DNVCPU=1 M_FORGET_ONLY assertion as_free() clears `loaded` and does not ask for a flush
 * Mutation: -DCHANGES=1 -DROUNDS=2 -DNVCPU=1 M_FLAG_LOST assertion the entry was interrupted before the flush and the flag is not set again
 * Mutation: -DCHANGES=2 -DROUNDS=1 M_STALE_EARLY assertion `stale` is cleared before those inside are out
 */
#ifndef NVCPU
#define NVCPU 2
#endif

#define FREE 0
byte pte[3];	  /* by root (1, 2): frame */
byte owner[5];	  /* of a frame: id of the address space */
byte id[3];	  /* of address spaces 1, 2 */
bool stale[3], lock[3];
byte users;	  /* switches of address space 1 in progress or allowed to begin: its owner waits for them before it frees it */
bool dying;

byte entries[NVCPU];
bool flush[NVCPU];
byte running[NVCPU], loaded[NVCPU];
bool tid[NVCPU], sig[NVCPU];
byte cr3[NVCPU], tlb[NVCPU];
bool guest[NVCPU];

inline access(v, as) {
	atomic {
		if
		:: tlb[v] != 0 -> assert(owner[tlb[v]] == id[as])
		:: tlb[v] == 0 && pte[cr3[v]] != 0 -> tlb[v] = pte[cr3[v]]; assert(owner[tlb[v]] == id[as])
		:: else
		fi
	}
}

/* invalidate_cr3() */
inline invalidate(as) {
	if
	:: stale[as] ->
		atomic { !lock[as] -> lock[as] = true };
		if
		:: stale[as] ->
#ifdef M_STALE_EARLY
			stale[as] = false;
#endif
			i = 0;
			do
			:: i < NVCPU ->
#ifndef M_NO_FLAG
				if :: loaded[i] == as -> flush[i] = true :: else fi;
#endif
				i++
			:: else -> break
			od;
			i = 0;
			do
			:: i < NVCPU ->
#ifndef M_NO_KICK_OUT
				if
				:: running[i] == as ->
					before = entries[i];
					if
					:: before % 2 -> /* kick_out() */
						do
						:: entries[i] != before -> break
#ifndef M_NO_SIGNAL
						:: atomic { entries[i] == before && tid[i] && !sig[i] -> sig[i] = true }
#endif
						od
					:: else
					fi
				:: else
				fi;
#endif
				i++
			:: else -> break
			od;
			i = 0; before = 0;
			stale[as] = false
		:: else
		fi;
		lock[as] = false
	:: else
	fi
}

proctype vcpu(byte v)
{
	byte as, i, before, rounds;
	bool f, keep;

again:	/* kvm_context_switch() of a context of either address space */
	if
	:: atomic { !dying && rounds < ROUNDS -> as = 1; users++ }
	:: atomic { rounds < ROUNDS -> as = 2 }
	:: rounds >= ROUNDS -> goto done
	fi;
#ifndef M_RUNNING_LATE
	running[v] = as;
#endif
	tid[v] = true;
loop:	sig[v] = false; /* the handler ran; a late one makes KVM_RUN return, too */
	invalidate(as);
	/* enter() */
#ifndef M_ENTRIES_LATE
	entries[v]++;
#endif
	atomic { f = flush[v]; flush[v] = false }; /* prepare_entry() */
#ifdef M_ENTRIES_LATE
	entries[v]++;
#endif
#ifdef M_RUNNING_LATE
	running[v] = as;
#endif
	keep = (loaded[v] == as);
	loaded[v] = as;
	/* KVM_RUN */
	atomic {
		if :: cr3[v] != as -> cr3[v] = as; tlb[v] = 0 :: else fi;
		guest[v] = true
	};
	if
	:: atomic { sig[v] -> guest[v] = false; /* before the stub of the flush has run */
#ifndef M_FLAG_LOST
		if :: f -> flush[v] = true :: else fi
#endif
	   };
	   goto left
	:: atomic { !sig[v] -> if :: f -> tlb[v] = 0 :: else fi }
	fi;
	f = false;
	access(v, as);
end_guest:
	if
	:: atomic { sig[v] -> access(v, as); guest[v] = false }
	:: atomic { rounds < ROUNDS -> rounds++; access(v, as); guest[v] = false; goto trap }
	fi;
left:	f = false; keep = false;
	entries[v]++;
	goto loop;
trap:	keep = false;
#ifndef M_TRAP_INSIDE
	entries[v]++;
#endif
	/* fix_int_n() reads user memory through as_next(): as->lock */
	atomic { !lock[as] -> lock[as] = true };
	lock[as] = false;
#ifdef M_TRAP_INSIDE
	entries[v]++;
#endif
	tid[v] = false;
	running[v] = 0;
	if :: as == 1 -> users-- :: else fi;
	as = 0;
	goto again;
done:	skip
}

proctype changer()
{
	byte i, before, old, n, changes;

	do
	:: changes < CHANGES ->
		changes++;
		/* kvm_as_unmap() */
		atomic { !lock[1] -> lock[1] = true };
		old = pte[1];
		pte[1] = 0;
		stale[1] = true;
		lock[1] = false;
		invalidate(1); /* kvm_as_flush() */
		owner[old] = FREE;
		n = 3 + changes - 1;
		atomic { owner[n] = id[1]; pte[1] = n }
	:: else -> break
	od;
#ifdef REPLACE
	/* kvm_as_free() by one who knows that nobody switches to it any more */
	dying = true;
	users == 0;
	i = 0;
	do
	:: i < NVCPU ->
#ifndef M_NO_FORGET
		atomic { if :: loaded[i] == 1 -> loaded[i] = 0; before = 1 :: else -> before = 0 fi };
#ifndef M_FORGET_ONLY
		if :: before -> flush[i] = true :: else fi;
#endif
#endif
		i++
	:: else -> break
	od;
	before = 0; i = 0;
	owner[pte[1]] = FREE;
	/* another address space whose root, and struct, are at the same place */
	atomic { id[1] = 3; pte[1] = 4; owner[4] = 3; dying = false }
#endif
}

init {
	byte v;

	atomic {
		id[1] = 1; id[2] = 2; pte[1] = 1; pte[2] = 2; owner[1] = 1; owner[2] = 2;
		do
		:: v < NVCPU -> run vcpu(v); v++
		:: else -> break
		od;
		run changer()
	}
}
