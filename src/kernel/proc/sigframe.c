/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of signal handlers: abi/linux/sigframe.h has the picture. */
#include "abi/linux/sigframe.h"

#include "abi/linux/errno.h"
#include "base/string.h"
#include "kernel/core/cpu.h"
#include "kernel/mm/kmalloc.h"
#include "kernel/mm/uaccess.h"
#include "kernel/platform/fpu.h"
#include "kernel/platform/kplat.h"
#include "kernel/proc/signal.h"

#define RED_ZONE     128
#define VECTOR_GP    13
#define USER_CS      0x33
#define USER_SS      0x2b
#define USER_RIP_MAX (1ull << 47)

#define RFLAGS_TF 0x100u
#define RFLAGS_DF 0x400u
#define RFLAGS_RF 0x10000u
/* What rt_sigreturn may set: CF PF AF ZF SF TF DF OF RF AC. */
#define RFLAGS_RESTORED                                                                     \
	(0x1u | 0x4u | 0x10u | 0x40u | 0x80u | RFLAGS_TF | RFLAGS_DF | 0x800u | RFLAGS_RF | \
	 0x40000u)

#define XSAVE_ALIGN  64
#define FXSAVE_ALIGN 16

/* An XSAVE buffer in kernel memory. */
struct fpu_buffer {
	void *alloc;
	u8 *image; /* aligned; room for FP_XSTATE_MAGIC2 behind it */
	u32 size;  /* of the image */
};

static int fpu_buffer_new(struct fpu_buffer *b)
{
	b->size = boot_info()->xsave_size;
	b->alloc = kzalloc(b->size + FP_XSTATE_MAGIC2_SIZE + XSAVE_ALIGN);
	if (!b->alloc)
		return -ENOMEM;
	b->image = (u8 *)ALIGN_UP((u64)b->alloc, XSAVE_ALIGN);
	return 0;
}

/* XSAVE rather than FXSAVE images. */
static bool has_header(void)
{
	return boot_info()->xsave_size >= XSAVE_EXTENDED;
}

static u64 *xstate_bv(u8 *image)
{
	return (u64 *)(image + XSAVE_XSTATE_BV);
}

/* Writes the current FPU state with its markers to user memory at addr. */
static int save_fpu(struct task *t, uptr_t addr)
{
	struct fpu_buffer b;
	struct linux_fpstate *fx;
	u32 magic2 = FP_XSTATE_MAGIC2;
	int r = fpu_buffer_new(&b);

	if (r < 0)
		return r;
	kplat->fpu_get(t, b.image);
	if (has_header()) {
		/* Handlers look at the x87 and SSE parts without asking whether they are there. */
		fpu_image_complete(b.image);
		*xstate_bv(b.image) |= XSTATE_X87 | XSTATE_SSE;
		fx = (struct linux_fpstate *)b.image;
		fx->sw_reserved = (struct linux_fpx_sw_bytes){
			.magic1 = FP_XSTATE_MAGIC1,
			.extended_size = b.size + FP_XSTATE_MAGIC2_SIZE,
			.xfeatures = boot_info()->xcr0,
			.xstate_size = b.size,
		};
		memcpy(b.image + b.size, &magic2, sizeof(magic2));
	}
	r = copy_to_user(addr, b.image, b.size + FP_XSTATE_MAGIC2_SIZE);
	kfree(b.alloc);
	return r;
}

/*
 * Does the image in the frame have more than the FXSAVE part? 1, 0, or -EFAULT when its closing word can't be read.
 */
static int has_xstate(const struct linux_fpstate *fx, uptr_t addr, u32 size)
{
	const struct linux_fpx_sw_bytes *sw = &fx->sw_reserved;
	u32 magic2;

	if (!has_header() || sw->magic1 != FP_XSTATE_MAGIC1 || sw->xstate_size < XSAVE_EXTENDED ||
	    sw->xstate_size > size || sw->xstate_size > sw->extended_size)
		return 0;
	if (get_user_u32(&magic2, addr + sw->xstate_size) < 0)
		return -EFAULT;
	return magic2 == FP_XSTATE_MAGIC2;
}

/* The header as XRSTOR wants it (SDM vol. 1 §13.8.1 "Standard Form of XRSTOR"). */
static bool header_valid(const u8 *image)
{
	u64 words[3]; /* XSTATE_BV, XCOMP_BV, and 8 bytes that must be 0 */

	memcpy(words, image + XSAVE_XSTATE_BV, sizeof(words));
	return !(words[0] & ~boot_info()->xcr0) && !words[1] && !words[2];
}

/* The FXSAVE part alone; the rest gets its initial state. */
static int take_legacy(u8 *image, uptr_t addr)
{
	if (has_header())
		*xstate_bv(image) = XSTATE_X87 | XSTATE_SSE;
	return IS_ALIGNED(addr, FXSAVE_ALIGN) && fpu_mxcsr_valid(image) ? 0 : -EFAULT;
}

/* The components that the frame says it has; the rest gets its initial state. */
static int take_xstate(u8 *image, uptr_t addr)
{
	const struct linux_fpx_sw_bytes *sw = &((struct linux_fpstate *)image)->sw_reserved;
	u64 features = sw->xfeatures;
	u32 init = MXCSR_INIT;

	if (copy_from_user(image + XSAVE_LEGACY_SIZE, addr + XSAVE_LEGACY_SIZE,
			   sw->xstate_size - XSAVE_LEGACY_SIZE) < 0)
		return -EFAULT;
	if (!IS_ALIGNED(addr, XSAVE_ALIGN) || !header_valid(image))
		return -EFAULT;
	/* MXCSR comes with SSE or AVX, in use or not (SDM vol. 1 §13.8.1). */
	if (!(features & (XSTATE_SSE | XSTATE_AVX)))
		memcpy(image + XSAVE_MXCSR, &init, sizeof(init));
	*xstate_bv(image) &= features;
	return fpu_mxcsr_valid(image) ? 0 : -EFAULT;
}

/* Refuses what Linux's XRSTOR or FXRSTOR from the frame would fault on. */
static int read_fpu(struct fpu_buffer *b, uptr_t addr)
{
	struct linux_fpstate *fx = (struct linux_fpstate *)b->image;
	int r = copy_from_user(b->image, addr, XSAVE_LEGACY_SIZE);

	if (r < 0)
		return r;
	r = has_xstate(fx, addr, b->size);
	if (r < 0)
		return r;
	return r ? take_xstate(b->image, addr) : take_legacy(b->image, addr);
}

static int restore_fpu(struct task *t, uptr_t addr)
{
	struct fpu_buffer b;
	int r;

	if (!addr) {
		kplat->fpu_reset(t);
		return 0;
	}
	r = fpu_buffer_new(&b);
	if (r < 0)
		return r;
	r = read_fpu(&b, addr);
	if (r == 0) {
		memset(&((struct linux_fpstate *)b.image)->sw_reserved, 0,
		       sizeof(struct linux_fpx_sw_bytes));
		fpu_sanitize(b.image);
		kplat->fpu_set(t, b.image);
	} else {
		kplat->fpu_reset(t);
	}
	kfree(b.alloc);
	return r;
}

/* ---- alternate stack ---- */

bool altstack_contains(const struct task *t, uptr_t sp)
{
	const struct linux_stack *s = &t->altstack;

	if ((u32)s->ss_flags & SS_AUTODISARM)
		return false;
	return sp > s->ss_sp && sp - s->ss_sp <= s->ss_size;
}

static void altstack_reset(struct task *t)
{
	t->altstack = (struct linux_stack){ .ss_flags = SS_DISABLE };
}

s64 altstack_change(struct task *t, const struct linux_stack *set, struct linux_stack *ret_old,
		    uptr_t sp)
{
	bool on = altstack_contains(t, sp);
	u32 mode;

	if (ret_old) {
		u32 flags = (u32)t->altstack.ss_flags & SS_FLAG_BITS;

		*ret_old = t->altstack;
		ret_old->ss_flags = (s32)(flags | (!t->altstack.ss_size ? SS_DISABLE
						   : on                 ? SS_ONSTACK
									: 0));
	}
	if (!set)
		return 0;
	if (on)
		return -EPERM;
	mode = (u32)set->ss_flags & ~SS_FLAG_BITS;
	if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
		return -EINVAL;
	if (mode == SS_DISABLE) {
		altstack_reset(t);
		t->altstack.ss_flags = set->ss_flags;
		return 0;
	}
	if (set->ss_size < MINSIGSTKSZ)
		return -ENOMEM;
	t->altstack = *set;
	return 0;
}

/* ---- building ---- */

struct frame_place {
	uptr_t frame, fpstate;
};

/* -EFAULT when a frame that is to lie on the alternate stack does not fit there. */
static int place_frame(const struct task *t, const struct linux_sigaction *sa,
		       struct frame_place *ret)
{
	const struct linux_stack *alt = &t->altstack;
	uptr_t sp = t->regs.rsp - RED_ZONE;
	bool on_alt = altstack_contains(t, t->regs.rsp);

	if ((sa->sa_flags & SA_ONSTACK) && !on_alt && alt->ss_size) {
		sp = alt->ss_sp + alt->ss_size;
		on_alt = true;
	}
	sp = ALIGN_DOWN(sp - (boot_info()->xsave_size + FP_XSTATE_MAGIC2_SIZE),
			SIGFRAME_FPSTATE_ALIGN);
	ret->fpstate = sp;
	sp = ALIGN_DOWN(sp - sizeof(struct linux_rt_sigframe), SIGFRAME_STACK_ALIGN) - 8;
	ret->frame = sp;
	if (on_alt && !(sp > alt->ss_sp && sp - alt->ss_sp <= alt->ss_size))
		return -EFAULT;
	return user_range_ok(sp, sizeof(struct linux_rt_sigframe)) ? 0 : -EFAULT;
}

static void save_registers(struct linux_sigcontext *sc, const struct task *t)
{
	const struct rf_regs *r = &t->regs;

	*sc = (struct linux_sigcontext){
		.r8 = r->r8,
		.r9 = r->r9,
		.r10 = r->r10,
		.r11 = r->r11,
		.r12 = r->r12,
		.r13 = r->r13,
		.r14 = r->r14,
		.r15 = r->r15,
		.rdi = r->rdi,
		.rsi = r->rsi,
		.rbp = r->rbp,
		.rbx = r->rbx,
		.rdx = r->rdx,
		.rax = r->rax,
		.rcx = r->rcx,
		.rsp = r->rsp,
		.rip = r->rip,
		.eflags = r->rflags,
		.cs = USER_CS,
		.ss = USER_SS,
		.err = t->fault_error,
		.trapno = t->fault_trapno,
		.cr2 = t->fault_addr,
	};
}

static void load_registers(struct rf_regs *r, const struct linux_sigcontext *sc)
{
	r->r8 = sc->r8, r->r9 = sc->r9, r->r10 = sc->r10, r->r11 = sc->r11;
	r->r12 = sc->r12, r->r13 = sc->r13, r->r14 = sc->r14, r->r15 = sc->r15;
	r->rdi = sc->rdi, r->rsi = sc->rsi, r->rbp = sc->rbp, r->rbx = sc->rbx;
	r->rdx = sc->rdx, r->rax = sc->rax, r->rcx = sc->rcx, r->rsp = sc->rsp;
	r->rip = sc->rip;
	r->rflags = (r->rflags & ~(u64)RFLAGS_RESTORED) | (sc->eflags & RFLAGS_RESTORED);
	r->cs = USER_CS;
	r->ss = USER_SS;
	r->orig_rax = ~0ull;
}

static void enter_handler(struct task *t, int sig, const struct linux_sigaction *sa, uptr_t frame)
{
	struct rf_regs *r = &t->regs;

	r->rdi = (u64)sig;
	r->rsi = frame + offsetof(struct linux_rt_sigframe, info);
	r->rdx = frame + offsetof(struct linux_rt_sigframe, uc);
	r->rax = 0;
	r->rip = sa->sa_handler;
	r->rsp = frame;
	r->rflags &= ~(u64)(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	r->cs = USER_CS;
	r->ss = USER_SS;
	r->orig_rax = ~0ull;
}

int sigframe_setup(struct task *t, int sig, const struct linux_sigaction *sa,
		   const struct linux_siginfo *info, u64 saved_mask)
{
	struct linux_rt_sigframe f = { .pretcode = sa->sa_restorer, .info = *info };
	struct frame_place at;

	if (!(sa->sa_flags & SA_RESTORER) || sa->sa_handler >= USER_RIP_MAX)
		return -EFAULT;
	if (place_frame(t, sa, &at) < 0 || save_fpu(t, at.fpstate) < 0)
		return -EFAULT;
	f.uc.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS;
	f.uc.uc_flags |= has_header() ? UC_FP_XSTATE : 0;
	f.uc.uc_stack = t->altstack;
	f.uc.uc_sigmask = saved_mask;
	save_registers(&f.uc.uc_mcontext, t);
	f.uc.uc_mcontext.oldmask = saved_mask;
	f.uc.uc_mcontext.fpstate = at.fpstate;
	if (copy_to_user(at.frame, &f, sizeof(f)) < 0)
		return -EFAULT;
	if ((u32)t->altstack.ss_flags & SS_AUTODISARM)
		altstack_reset(t);
	enter_handler(t, sig, sa, at.frame);
	kplat->fpu_reset(t);
	return 0;
}

/*
 * Programs have one code and one stack segment. Any other in the frame is the general protection fault that IRET would raise on Linux;
 * there the 32-bit code segment is one more that works.
 */
static void refuse_segments(const struct linux_ucontext *uc)
{
	u16 cs = uc->uc_mcontext.cs | 3, ss = uc->uc_mcontext.ss | 3;

	if (!(uc->uc_flags & UC_STRICT_RESTORE_SS))
		ss = USER_SS;
	if (cs != USER_CS || ss != USER_SS)
		signal_force_fault(SIGSEGV, SI_KERNEL, 0, VECTOR_GP,
				   (cs != USER_CS ? cs : ss) & ~3u);
}

int sigframe_restore(struct task *t)
{
	/* The handler's RET has taken pretcode off the stack. */
	uptr_t uc_addr = t->regs.rsp;
	struct linux_ucontext uc;

	if (copy_from_user(&uc, uc_addr, sizeof(uc)) < 0)
		return -EFAULT;
	signal_set_blocked(t, uc.uc_sigmask);
	load_registers(&t->regs, &uc.uc_mcontext);
	if (restore_fpu(t, uc.uc_mcontext.fpstate) < 0)
		return -EFAULT;
	/* As in Linux a bad stack in the frame is no reason to fail. */
	altstack_change(t, &uc.uc_stack, NULL, t->regs.rsp);
	refuse_segments(&uc);
	return 0;
}
