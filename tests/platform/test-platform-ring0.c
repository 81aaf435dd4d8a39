/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Residency guest with a ring-0 image that enters user code by SYSRET or by IRETQ, saves all of its
 * registers at a system call or exception, and makes a hostcall for us to look at them.
 */
#include <emmintrin.h>

#include "harness/ring0_image.h"
#include "platform/fixture.h"

/* Arena offsets, beside those of ring0_image.h. */
#define O_AREA  0xa000u /* GS */
#define O_STACK 0x20000u
#define O_STUBS (O_IMAGE + 0x800u) /* 16 bytes a vector */
#define O_CODE  (O_IMAGE + 0xc00u) /* for MODE_RING0 */

#define KIND_SYSCALL 256
#define KIND_DONE    257

/* What GS points to; the offsets are in the image. */
struct area {
	uint64_t unused, mode, kind, error, cr2, stack, cs, code;
	uint64_t pad[24];
	uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp; /* 0x100 */
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rip, rflags;
};
_Static_assert(offsetof(struct area, rax) == 0x100, "offset in the image");
_Static_assert(offsetof(struct area, rflags) == 0x188, "offset in the image");
enum { MODE_SYSRET, MODE_IRET, MODE_RING0 };

#define SAVE                                                                \
	"mov %rax, %gs:0x100\n mov %rbx, %gs:0x108\n mov %rcx, %gs:0x110\n" \
	"mov %rdx, %gs:0x118\n mov %rsi, %gs:0x120\n mov %rdi, %gs:0x128\n" \
	"mov %rbp, %gs:0x130\n mov %r8, %gs:0x140\n mov %r9, %gs:0x148\n"   \
	"mov %r10, %gs:0x150\n mov %r11, %gs:0x158\n mov %r12, %gs:0x160\n" \
	"mov %r13, %gs:0x168\n mov %r14, %gs:0x170\n mov %r15, %gs:0x178\n"
#define LOAD_MOST                                                           \
	"mov %gs:0x100, %rax\n mov %gs:0x108, %rbx\n mov %gs:0x118, %rdx\n" \
	"mov %gs:0x120, %rsi\n mov %gs:0x128, %rdi\n mov %gs:0x130, %rbp\n" \
	"mov %gs:0x140, %r8\n mov %gs:0x148, %r9\n mov %gs:0x150, %r10\n"   \
	"mov %gs:0x160, %r12\n mov %gs:0x168, %r13\n mov %gs:0x170, %r14\n" \
	"mov %gs:0x178, %r15\n"

USER_CODE(image, "image_enter:\n"
		 "	mov %gs:0x28, %rsp\n"
		 "	hlt\n"
		 "	cmpq $1, %gs:8\n"
		 "	je 1f\n"
		 "	ja 2f\n" LOAD_MOST "	mov %gs:0x180, %rcx\n"
		 "	mov %gs:0x188, %r11\n"
		 "	mov %gs:0x138, %rsp\n"
		 "	sysretq\n"
		 "1:	pushq $0x2b\n"
		 "	pushq %gs:0x138\n"
		 "	pushq %gs:0x188\n"
		 "	pushq $0x33\n"
		 "	pushq %gs:0x180\n" LOAD_MOST "	mov %gs:0x110, %rcx\n"
		 "	mov %gs:0x158, %r11\n"
		 "	iretq\n"
		 "2:\n" LOAD_MOST "	mov %gs:0x110, %rcx\n"
		 "	call *%gs:0x38\n" SAVE "	movq $257, %gs:0x10\n"
		 "	jmp image_enter\n"
		 "image_syscall:\n" SAVE "	mov %rsp, %gs:0x138\n"
		 "	mov %rcx, %gs:0x180\n"
		 "	mov %r11, %gs:0x188\n"
		 "	movq $256, %gs:0x10\n"
		 "	jmp image_enter\n"
		 "image_exception:\n" SAVE "	popq %gs:0x10\n"
		 "	popq %gs:0x18\n"
		 "	popq %gs:0x180\n"
		 "	popq %gs:0x30\n"
		 "	popq %gs:0x188\n"
		 "	popq %gs:0x138\n"
		 "	mov %cr2, %rax\n"
		 "	mov %rax, %gs:0x20\n"
		 "	jmp image_enter\n");
extern const char image_enter[], image_syscall[], image_exception[];

struct ring0 {
	struct rf_machine *m;
	uint8_t *arena;
	volatile struct area *area;
};

static uint64_t image_va(const char *label)
{
	return RF_ARENA_BASE + O_IMAGE + (uint64_t)(label - image);
}

/* push 0 where the CPU pushes no error code; push the vector; jmp image_exception. */
static void build_vector(uint8_t *a, unsigned vector)
{
	bool code = 0x60227d00u >> vector & 1;
	uint8_t *at = a + O_STUBS + vector * 16;
	uint64_t va = RF_ARENA_BASE + O_STUBS + vector * 16;
	int32_t rel;

	if (!code)
		memcpy(at, "\x6a\x00", 2);
	at += code ? 0 : 2;
	*at++ = 0x6a;
	*at++ = (uint8_t)vector;
	*at++ = 0xe9;
	rel = (int32_t)(image_va(image_exception) -
			(va + (uint64_t)(at - (a + O_STUBS + vector * 16)) + 4));
	memcpy(at, &rel, 4);
	/* INT3 is the user's to execute. */
	ring0_gate(a, vector, va, vector == 3 ? 3 : 0);
}

static enum rf_exit_kind run(struct ring0 *r)
{
	enum rf_exit_kind kind;
	char dump[8192] = "";

	ASSERT_OK(rf_machine_run_cpu(r->m, 0, &kind, dump, sizeof(dump)));
	if (kind == RF_EXIT_FATAL)
		test_fatal("%s", dump);
	return kind;
}

static void ring0_up(struct ring0 *r)
{
	struct rf_boot_cpu state;
	struct rf_error err = { 0 };
	struct rf_traits traits;
	uint8_t *a;

	r->m = fixture_machine(1, RF_RESIDENCY_GUEST);
	rf_machine_traits(r->m, &traits);
	if (!traits.can_boot) {
		rf_machine_free(r->m);
		test_skip("ring 0 is not native here");
	}
	r->arena = a = rf_machine_memory(r->m)->base;
	r->area = (struct area *)(a + O_AREA);
	state = ring0_boot_cpu(a, image_va(image_enter), image_va(image_syscall), O_STACK, O_TSS);
	state.gs_base = RF_ARENA_BASE + O_AREA;
	ring0_tables(a, MEMORY);
	ring0_segments(a);
	for (unsigned vector = 0; vector < 32; vector++)
		build_vector(a, vector);
	memcpy(a + O_IMAGE, image, (size_t)(image_end - image));
	ASSERT_LE(image_end - image, O_STUBS - O_IMAGE);
	r->area->stack = RF_ARENA_BASE + O_STACK;
	r->area->code = RF_ARENA_BASE + O_CODE;
	if (rf_machine_boot_cpu(r->m, 0, &state, &err))
		test_fatal("%s", err.text);
	ASSERT_EQ(run(r), RF_EXIT_HOSTCALL);
}

static void ring0_load(struct ring0 *r, uint32_t offset, const char *code, const char *end)
{
	memset(r->arena + offset, 0xcc, 256);
	memcpy(r->arena + offset, code, (size_t)(end - code));
}
#define LOAD_USER(r, name)  ring0_load(r, O_USER, name, name##_end)
#define LOAD_RING0(r, name) ring0_load(r, O_CODE, name, name##_end)

static void random_registers(struct ring0 *r, struct test_rng *rng)
{
	volatile uint64_t *word = &r->area->rax;

	for (int i = 0; i < 16; i++)
		word[i] = test_rng_next(rng);
	r->area->rsp = USER_VA + 0x100000;
	r->area->rip = USER_VA;
	r->area->rflags = 0x202;
}

static void enter(struct ring0 *r, unsigned mode)
{
	r->area->mode = mode;
	r->area->kind = r->area->error = r->area->cr2 = ~0ull;
	ASSERT_EQ(run(r), RF_EXIT_HOSTCALL);
}

#define COMPLEMENT                                                                     \
	"not %rax\n not %rbx\n not %rcx\n not %rdx\n not %rsi\n not %rdi\n not %rbp\n" \
	"not %rsp\n not %r8\n not %r9\n not %r10\n not %r11\n not %r12\n not %r13\n"   \
	"not %r14\n not %r15\n"
USER_CODE(code_not_syscall, COMPLEMENT "syscall");
USER_CODE(code_not_ud2, COMPLEMENT "ud2");
USER_CODE(code_null, "xor %eax, %eax\n mov (%rax), %rbx");

/* SYSRET loads RIP and RFLAGS from RCX and R11; IRETQ leaves all registers as they are. */
static void check_complement(const struct ring0 *r, const struct area *in, unsigned mode, bool call)
{
	const uint64_t *want = &in->rax;
	const volatile uint64_t *got = &r->area->rax;

	for (int i = 0; i < 16; i++) {
		uint64_t value = ~want[i];

		if (i == 2) /* RCX */
			value = call ? r->area->rip : mode == MODE_SYSRET ? ~in->rip : value;
		if (i == 11)
			value = call ? r->area->rflags : mode == MODE_SYSRET ? ~in->rflags : value;
		ASSERT_EQ(got[i], value);
	}
	ASSERT_EQ(r->area->rip, USER_VA + 48 + (call ? 2 : 0));
	ASSERT_EQ(r->area->rflags & ~0x10000ull, 0x202);
}

static void check_both_entries(struct ring0 *r, bool call)
{
	struct test_rng rng;
	struct area in;

	test_rng_init(&rng, 0x2109);
	for (unsigned i = 0; i < 200; i++) {
		unsigned mode = i & 1 ? MODE_IRET : MODE_SYSRET;

		random_registers(r, &rng);
		in = *(struct area *)r->area;
		enter(r, mode);
		ASSERT_EQ(r->area->kind, call ? KIND_SYSCALL : 6);
		check_complement(r, &in, mode, call);
	}
}

TEST(system_calls_by_sysret_and_by_iret)
{
	struct ring0 r;

	ring0_up(&r);
	LOAD_USER(&r, code_not_syscall);
	check_both_entries(&r, true);
	rf_machine_free(r.m);
}

TEST(faults_by_sysret_and_by_iret)
{
	struct test_rng rng;
	struct ring0 r;

	ring0_up(&r);
	LOAD_USER(&r, code_not_ud2);
	check_both_entries(&r, false);
	ASSERT_EQ(r.area->cs, 0x33);
	LOAD_USER(&r, code_null);
	test_rng_init(&rng, 1);
	for (unsigned i = 0; i < 20; i++) {
		random_registers(&r, &rng);
		enter(&r, i & 1);
		ASSERT_EQ(r.area->kind, 14);
		ASSERT_EQ(r.area->error, 4);
		ASSERT_EQ(r.area->cr2, 0);
		ASSERT_EQ(r.area->rip, USER_VA + 2);
		/* Nothing mapped at the first fetch. */
		random_registers(&r, &rng);
		r.area->rip = 0x10000000;
		enter(&r, i & 1);
		ASSERT_EQ(r.area->kind, 14);
		ASSERT_EQ(r.area->error, 0x14);
		ASSERT_EQ(r.area->cr2, 0x10000000);
	}
	rf_machine_free(r.m);
}

/* ---- code in ring 0 ---- */

USER_CODE(code_load_zero, "xor %eax, %eax\n mov (%rax), %rbx\n ret");
USER_CODE(code_user_fetch, "jmp *%rdi");
USER_CODE(code_xmm, "movq %rdi, %xmm5\n movq %rsi, %xmm13\n hlt\n movq %xmm5, %rax\n"
		    "movq %xmm13, %rbx\n ret");
USER_CODE(code_cpuid, "cpuid\n ret");
USER_CODE(code_vmcall, "vmcall\n ret");
USER_CODE(code_vmmcall, "vmmcall\n ret");

/* A kernel's fault is delivered to the kernel, and it goes on. */
TEST(faults_in_ring0_are_its_own)
{
	struct ring0 r;

	ring0_up(&r);
	for (int i = 0; i < 10; i++) {
		LOAD_RING0(&r, code_load_zero);
		enter(&r, MODE_RING0);
		ASSERT_EQ(r.area->kind, 14);
		ASSERT_EQ(r.area->error, 0);
		ASSERT_EQ(r.area->cr2, 0);
		ASSERT_EQ(r.area->cs, 0x10);
		ASSERT_EQ(r.area->rip, RF_ARENA_BASE + O_CODE + 2);
		if (!(rf_machine_boot_features(r.m) & RF_BOOT_F_SMEP))
			continue;
		LOAD_RING0(&r, code_user_fetch);
		r.area->rdi = USER_VA;
		enter(&r, MODE_RING0);
		ASSERT_EQ(r.area->kind, 14);
		ASSERT_EQ(r.area->error, 0x11); /* fetch, present */
		ASSERT_EQ(r.area->cr2, USER_VA);
	}
	rf_machine_free(r.m);
}

TEST(registers_and_vectors_survive_hostcalls)
{
	const __m128i ours = _mm_set1_epi64x(0x1111);
	struct ring0 r;

	ring0_up(&r);
	LOAD_RING0(&r, code_xmm);
	for (uint64_t i = 1; i < 50; i++) {
		__asm__ volatile("movdqa %0, %%xmm5\n movdqa %0, %%xmm13"
				 :
				 : "x"(ours)
				 : "xmm5", "xmm13");
		r.area->rdi = i * 0x123456789;
		r.area->rsi = ~i;
		enter(&r, MODE_RING0);
		ASSERT_EQ(r.area->kind, ~0ull); /* in the middle */
		ASSERT_EQ(run(&r), RF_EXIT_HOSTCALL);
		ASSERT_EQ(r.area->kind, KIND_DONE);
		ASSERT_EQ(r.area->rax, i * 0x123456789);
		ASSERT_EQ(r.area->rbx, ~i);
	}
	rf_machine_free(r.m);
}

TEST(cpuid_in_ring0_shows_no_virtualisation)
{
	struct ring0 r;

	ring0_up(&r);
	LOAD_RING0(&r, code_cpuid);
	r.area->rax = 1;
	r.area->rcx = 0;
	enter(&r, MODE_RING0);
	ASSERT_EQ(r.area->kind, KIND_DONE);
	EXPECT_EQ(r.area->rcx >> 5 & 1, 0); /* VMX */
	r.area->rax = 0x80000001;
	r.area->rcx = 0;
	enter(&r, MODE_RING0);
	EXPECT_EQ(r.area->rcx >> 2 & 1, 0); /* SVM */
	rf_machine_free(r.m);
}

/* KVM answers a hypercall it does not know with -KVM_ENOSYS; the other vendor's is patched, or #UD. */
TEST(hypercalls_in_ring0_are_answered)
{
	struct ring0 r;

	ring0_up(&r);
	for (int i = 0; i < 2; i++) {
		if (i)
			LOAD_RING0(&r, code_vmmcall);
		else
			LOAD_RING0(&r, code_vmcall);
		r.area->rax = 0x7fff;
		enter(&r, MODE_RING0);
		test_note("kind %lu, rax %ld", r.area->kind, (long)r.area->rax);
		if (r.area->kind == KIND_DONE)
			EXPECT_LT((long)r.area->rax, 0);
		else
			EXPECT_TRUE(r.area->kind == 6 || r.area->kind == 14);
	}
	rf_machine_free(r.m);
}
