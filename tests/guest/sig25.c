/* SPDX-License-Identifier: Apache-2.0 */
/* The FPU state in a signal frame is well-formed; a damaged one given to rt_sigreturn is refused or ignored as by Linux, never worse. */
#include <ucontext.h>

#include "guest/trap.h"
#include "guest/xstate.h"

static void (*volatile change)(ucontext_t *);

static void on_usr1(int sig, siginfo_t *info, void *context)
{
	change(context);
}

static void sane(ucontext_t *uc)
{
	uint8_t *state = FRAME_STATE(uc);
	const struct _fpx_sw_bytes *sw = FRAME_SW(state);
	uint64_t enabled = xstate_enabled();
	unsigned a, b, c, d;

	CHECK(((uintptr_t)state & 63) == 0);
	if (!enabled)
		return;
	CHECK(uc->uc_flags & 1); /* UC_FP_XSTATE */
	CHECK_EQ(sw->magic1, FP_XSTATE_MAGIC1);
	CHECK_EQ(sw->extended_size, sw->xstate_size + FP_XSTATE_MAGIC2_SIZE);
	CHECK_EQ(FRAME_MAGIC2(state), FP_XSTATE_MAGIC2);
	CHECK((sw->xstate_bv & 7) == (enabled & 7));
	CHECK(!(sw->xstate_bv & ~enabled));
	__cpuid_count(0xd, 0, a, b, c, d);
	CHECK(sw->xstate_size >= 576 && sw->xstate_size <= b);
	CHECK(!(FRAME_HEADER(state)->xstate_bv & ~enabled));
	CHECK_EQ(FRAME_HEADER(state)->xcomp_bv, 0);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(FRAME_HEADER(state)->reserved[i], 0);
	CHECK_EQ(FRAME_MXCSR(state) & ~0x3fu, 0x1f80);
}

/* ---- one thing wrong: what happens, and what is in YMM0 and XMM0 afterwards ---- */

static void magic1(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->magic1 ^= 1;
}

static void magic2(ucontext_t *uc)
{
	FRAME_MAGIC2(FRAME_STATE(uc)) = 0;
}

static void size_small(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->xstate_size = 512;
}

static void size_zero(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->xstate_size = 0;
}

static void size_huge(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->xstate_size = 0xfffffff0;
}

static void extended_small(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->extended_size = 0;
}

static void extended_huge(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->extended_size = 0xffffffff;
}

static void features_none(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->xstate_bv = 0;
}

static void features_sse(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->xstate_bv = XSTATE_SSE;
}

static void features_all(ucontext_t *uc)
{
	FRAME_SW(FRAME_STATE(uc))->xstate_bv = ~0ull;
}

static void header_none(ucontext_t *uc)
{
	FRAME_HEADER(FRAME_STATE(uc))->xstate_bv = 0;
}

static void header_unknown(ucontext_t *uc)
{
	FRAME_HEADER(FRAME_STATE(uc))->xstate_bv |= 1ull << 62;
}

static void header_supervisor(ucontext_t *uc)
{
	FRAME_HEADER(FRAME_STATE(uc))->xstate_bv |= 1ull << 8;
}

static void compact(ucontext_t *uc)
{
	FRAME_HEADER(FRAME_STATE(uc))->xcomp_bv = 1ull << 63 | 7;
}

static void compact_garbage(ucontext_t *uc)
{
	FRAME_HEADER(FRAME_STATE(uc))->xcomp_bv = 4;
}

static void reserved(ucontext_t *uc)
{
	FRAME_HEADER(FRAME_STATE(uc))->reserved[0] = 1;
}

static void no_state(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = NULL;
}

static void unmapped(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = (fpregset_t)0x1000;
}

static void in_kernel(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = (fpregset_t)0xffffffff81000000;
}

static void non_canonical(ucontext_t *uc)
{
	uc->uc_mcontext.fpregs = (fpregset_t)0x8000000000000000;
}

/* A copy that ends at the end of a mapping: the closing word is missing. */
static void cut(ucontext_t *uc)
{
	uint8_t *state = FRAME_STATE(uc), *pages = map_pages(8, PROT_READ | PROT_WRITE);
	unsigned size = FRAME_SW(state)->xstate_size;
	uint8_t *at = pages + 4 * PAGE - (size + 63) / 64 * 64;

	OK(munmap(pages + 4 * PAGE, 4 * PAGE));
	memcpy(at, state, size);
	uc->uc_mcontext.fpregs = (fpregset_t)(uintptr_t)at;
}

static void moved(ucontext_t *uc)
{
	uint8_t *state = FRAME_STATE(uc), *pages = map_pages(8, PROT_READ | PROT_WRITE);

	memcpy(pages + 64, state, FRAME_SW(state)->extended_size);
	uc->uc_mcontext.fpregs = (fpregset_t)(uintptr_t)(pages + 64);
}

static void unaligned(ucontext_t *uc)
{
	uint8_t *state = FRAME_STATE(uc), *pages = map_pages(8, PROT_READ | PROT_WRITE);

	memcpy(pages + 16, state, FRAME_SW(state)->extended_size);
	uc->uc_mcontext.fpregs = (fpregset_t)(uintptr_t)(pages + 16);
}

static void bad_mxcsr(ucontext_t *uc)
{
	FRAME_MXCSR(FRAME_STATE(uc)) = 0xffffffff;
}

static void bad_mxcsr_legacy(ucontext_t *uc)
{
	magic1(uc);
	bad_mxcsr(uc);
}

static const char *describe(const uint8_t *got, const uint8_t *before)
{
	static const uint8_t zero[16];

	return !memcmp(got, before, 16) ? "kept" : !memcmp(got, zero, 16) ? "zero" : "garbage";
}

static void try(const char *name, void (*how)(ucontext_t *))
{
	struct vectors in, out;

	change = how;
	vectors_fill(&in, 7);
	memset(&out, 0xee, sizeof(out));
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		vectors_call(&in, &out, SYS_kill, getpid(), SIGUSR1);
	__asm__ volatile("fninit; ldmxcsr %0" : : "m"((unsigned){ 0x1f80 }));
	if (trap_seen.sig)
		say("%s: signal %d code %d\n", name, trap_seen.sig, trap_seen.code);
	else
		say("%s: xmm0 %s, ymm0 %s\n", name, describe(out.zmm[0], in.zmm[0]),
		    xstate_enabled() & XSTATE_AVX ? describe(out.zmm[0] + 16, in.zmm[0] + 16)
						  : "none");
}

#define TRY(how) try(#how, how)

static void one_by_one(void)
{
	TRY(magic1);
	TRY(magic2);
	TRY(size_small);
	TRY(size_zero);
	TRY(size_huge);
	TRY(extended_small);
	TRY(extended_huge);
	TRY(features_none);
	TRY(features_sse);
	TRY(features_all);
	TRY(header_none);
	TRY(header_unknown);
	TRY(header_supervisor);
	TRY(compact);
	TRY(compact_garbage);
	TRY(reserved);
	TRY(moved);
	TRY(unaligned);
}

/* ---- many random things wrong ---- */

static uint64_t random_state = 88172645463325252;

static uint64_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void random_damage(ucontext_t *uc)
{
	uint8_t *state = FRAME_STATE(uc);
	unsigned size = FRAME_SW(state)->extended_size, n = 1 + (unsigned)next_random() % 8;

	if (!xstate_enabled())
		size = 512;
	for (unsigned i = 0; i < n; i++) {
		uint64_t r = next_random();

		/* Half of it where the kernel looks: software bytes and header. */
		if (r & 1)
			state[464 + r / 2 % 112] = (uint8_t)(r >> 32);
		else
			state[r / 2 % size] = (uint8_t)(r >> 32);
	}
}

/* Linux 6.1 takes this as the legacy part alone, later ones refuse it. */
static void without_end(void)
{
	struct vectors in, out;

	change = cut;
	vectors_fill(&in, 8);
	trap_seen = (struct trap){ 0 };
	if (sigsetjmp(trap_back, 1) == 0)
		vectors_call(&in, &out, SYS_kill, getpid(), SIGUSR1);
	CHECK(!trap_seen.sig || trap_seen.sig == SIGSEGV);
}

static void many(void)
{
	struct vectors in, out;
	volatile int refused = 0, taken = 0;

	change = random_damage;
	for (volatile int i = 0; i < 200; i++) {
		vectors_fill(&in, (unsigned)i);
		trap_seen = (struct trap){ 0 };
		if (sigsetjmp(trap_back, 1) == 0)
			vectors_call(&in, &out, SYS_kill, getpid(), SIGUSR1);
		__asm__ volatile("fninit; ldmxcsr %0" : : "m"((unsigned){ 0x1f80 }));
		CHECK(!trap_seen.sig || trap_seen.sig == SIGSEGV);
		if (trap_seen.sig)
			refused++;
		else
			taken++;
	}
	CHECK(taken > 10);
	CHECK(!xstate_enabled() || refused > 10);
}

int main(void)
{
	trap_init();
	handle_info(SIGUSR1, on_usr1, 0);
	try("sane", sane);
	TRY(no_state);
	TRY(unmapped);
	TRY(in_kernel);
	TRY(non_canonical);
	if (xstate_enabled())
		one_by_one();
	if (!cpu_is_emulated()) {
		TRY(bad_mxcsr);
		TRY(bad_mxcsr_legacy);
	}
	if (xstate_enabled())
		without_end();
	many();
	try("sane again", sane);
	return 0;
}
