/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/kvm/exit_table.h"

#include <errno.h>

#define HOST_GUEST(h, g) .host = KVM_ANSWER_##h, .guest = KVM_ANSWER_##g
#define FATAL            HOST_GUEST(FATAL, FATAL)

#define NOT_X86 "another architecture's: KVM or kvm_run is corrupt"
#define NOT_ON  "a feature we never enable: who changed the vCPU or the VM?"

/* Linux Documentation/virt/kvm/api.rst, section 5 "The kvm_run structure". */
static const struct kvm_exit_row reasons[] = {
	{ 0, "UNKNOWN",
	  "hardware exit KVM has no name for: hardware_exit_reason, then the host's log", FATAL },
	{ 1, "EXCEPTION", "not used by KVM on x86 since 2.6: KVM or kvm_run is corrupt", FATAL },
	{ 2, "IO", "host: a stub of layout.h, or the user's own I/O; guest: ring 0 executed data",
	  HOST_GUEST(EVENT, FATAL) },
	{ 3, "HYPERCALL",
	  "VMCALL or VMMCALL with exits for it enabled, which we never do; ring 0 executed data",
	  FATAL },
	{ 4, "DEBUG", "guest debugging is on: somebody used KVM_SET_GUEST_DEBUG", FATAL },
	{ 5, "HLT", "guest: a hostcall; host: ring 0 executed data, as stubs have no HLT",
	  HOST_GUEST(FATAL, HOSTCALL) },
	{ 6, "MMIO",
	  "a guest-physical address without slot: translation or page-table bug (see the walks)",
	  FATAL },
	{ 7, "IRQ_WINDOW_OPEN", "guest: the kick can be injected; host: nobody asks for a window",
	  HOST_GUEST(FATAL, WINDOW) },
	{ 8, "SHUTDOWN",
	  "triple fault: IDT, GDT, TSS or IST stack not mapped under this CR3, or a bad gate",
	  FATAL },
	{ 9, "FAIL_ENTRY", "the CPU refused the state: see the list of checks below", FATAL },
	{ 10, "INTR", "a signal of the host, as EINTR", HOST_GUEST(SIGNAL, SIGNAL) },
	{ 11, "SET_TPR", "CR8 changed with an irqchip in user space: " NOT_ON, FATAL },
	{ 12, "TPR_ACCESS", NOT_ON, FATAL },
	{ 13, "S390_SIEIC", NOT_X86, FATAL },
	{ 14, "S390_RESET", NOT_X86, FATAL },
	{ 15, "DCR", NOT_X86, FATAL },
	{ 16, "NMI", "hardware NMI that KVM hands on: none does so on x86 today", FATAL },
	{ 17, "INTERNAL_ERROR", "KVM gave up: see the sub-code", FATAL },
	{ 18, "OSI", NOT_X86, FATAL },
	{ 19, "PAPR_HCALL", NOT_X86, FATAL },
	{ 20, "S390_UCONTROL", NOT_X86, FATAL },
	{ 21, "WATCHDOG", NOT_X86, FATAL },
	{ 22, "S390_TSCH", NOT_X86, FATAL },
	{ 23, "EPR", NOT_X86, FATAL },
	{ 24, "SYSTEM_EVENT", "reset or crash requested through Hyper-V or SEV registers: " NOT_ON,
	  FATAL },
	{ 25, "S390_STSI", NOT_X86, FATAL },
	{ 26, "IOAPIC_EOI", "split irqchip: " NOT_ON, FATAL },
	{ 27, "HYPERV", "Hyper-V enlightenment: " NOT_ON, FATAL },
	{ 28, "ARM_NISV", NOT_X86, FATAL },
	{ 29, "X86_RDMSR", "KVM_CAP_X86_USER_SPACE_MSR: " NOT_ON, FATAL },
	{ 30, "X86_WRMSR", "KVM_CAP_X86_USER_SPACE_MSR: " NOT_ON, FATAL },
	{ 31, "DIRTY_RING_FULL", "dirty ring: " NOT_ON, FATAL },
	{ 32, "AP_RESET_HOLD", "SEV-ES: " NOT_ON, FATAL },
	{ 33, "X86_BUS_LOCK", "bus lock detection: " NOT_ON, FATAL },
	{ 34, "XEN", "Xen emulation: " NOT_ON, FATAL },
	{ 35, "RISCV_SBI", NOT_X86, FATAL },
	{ 36, "RISCV_CSR", NOT_X86, FATAL },
	{ KVM_REASON_NOTIFY, "NOTIFY", "no event window for too long inside the guest: " NOT_ON,
	  FATAL },
	{ KVM_REASON_LOONGARCH_IOCSR, "LOONGARCH_IOCSR", NOT_X86, FATAL },
	{ KVM_REASON_MEMORY_FAULT, "MEMORY_FAULT",
	  "comes with EFAULT and says which guest-physical address; alone: private memory, " NOT_ON,
	  FATAL },
	{ KVM_REASON_TDX, "TDX", NOT_ON, FATAL },
	{ ~0u, "unknown", "a kernel newer than this table: look it up in its linux/kvm.h", FATAL },
};

/* Sub-codes of KVM_EXIT_INTERNAL_ERROR: all fatal, none is run again. */
static const struct kvm_exit_row suberrors[] = {
	{ 1, "EMULATION",
	  "KVM had to emulate and cannot: code or data without slot, or real-mode-like state; see the instruction bytes",
	  FATAL },
	{ 2, "SIMUL_EX", "an exception while KVM reinjected one: IDT, stack or TSS broken", FATAL },
	{ 3, "DELIVERY_EV",
	  "an exit while an event was delivered: IST stack, IDT or TSS page without slot", FATAL },
	{ 4, "UNEXPECTED_EXIT_REASON",
	  "a hardware exit KVM has no handler for: its number is in the data", FATAL },
	{ ~0u, "unknown", "a kernel newer than this table", FATAL },
};

/* What KVM_RUN fails with: Documentation/virt/kvm/api.rst section 4.10, and the kernel's code. */
static const struct kvm_exit_row errnos[] = {
	{ EINTR, "EINTR", "a signal, or immediate_exit", HOST_GUEST(SIGNAL, SIGNAL) },
	{ EAGAIN, "EAGAIN", "the vCPU was not runnable yet, or memory was busy",
	  HOST_GUEST(AGAIN, AGAIN) },
	{ EFAULT, "EFAULT",
	  "the memory behind a guest page is gone (file truncated, host out of memory), or stubs or tables are",
	  HOST_GUEST(BACKING, FATAL) },
	{ EHWPOISON, "EHWPOISON", "the memory behind a guest page is broken hardware",
	  HOST_GUEST(BACKING, FATAL) },
	{ ENOMEM, "ENOMEM", "the host has no memory for KVM's own structures", FATAL },
	{ EINVAL, "EINVAL",
	  "bits of kvm_valid_regs or kvm_dirty_regs, or registers KVM refuses: see the list of checks",
	  FATAL },
	{ EIO, "EIO", "the VM is marked as broken (KVM_BUG_ON): see the host's log", FATAL },
	{ EPERM, "EPERM", "another process: a vCPU belongs to who made it", FATAL },
	{ ENOEXEC, "ENOEXEC", "the vCPU was never initialised", FATAL },
	{ ENODEV, "ENODEV", "KVM is being unloaded or the CPU lost virtualisation", FATAL },
	{ ENXIO, "ENXIO", "the virtual hardware is missing", FATAL },
	{ EBADF, "EBADF", "the vCPU's descriptor was closed by somebody", FATAL },
	{ ENOTTY, "ENOTTY", "the vCPU's descriptor is something else now", FATAL },
	{ EBUSY, "EBUSY", "the vCPU is in use", FATAL },
	{ ENOSYS, "ENOSYS", "KVM_RUN is filtered", FATAL },
	{ ~0u, "unknown", "not a documented error of KVM_RUN", FATAL },
};

static const struct {
	const struct kvm_exit_row *rows;
	size_t count;
} classes[KVM_CLASSES] = {
	[KVM_CLASS_REASON] = { reasons, ARRAY_SIZE(reasons) },
	[KVM_CLASS_SUBERROR] = { suberrors, ARRAY_SIZE(suberrors) },
	[KVM_CLASS_ERRNO] = { errnos, ARRAY_SIZE(errnos) },
};
static_assert(ARRAY_SIZE(reasons) == KVM_REASONS + 1, "one row for every reason, and the unknown");

const struct kvm_exit_row *kvm_exit_rows(enum kvm_exit_class class, size_t *ret_count)
{
	*ret_count = classes[class].count;
	return classes[class].rows;
}

const struct kvm_exit_row *kvm_exit_row(enum kvm_exit_class class, u64 code)
{
	const struct kvm_exit_row *row = classes[class].rows;
	const struct kvm_exit_row *last = row + classes[class].count - 1;

	if (class == KVM_CLASS_REASON) /* looked up at every exit; reasons have no gaps */
		return code < KVM_REASONS ? &row[code] : last;
	while (row < last && row->code != code)
		row++;
	return row;
}

enum kvm_answer kvm_exit_answer(enum rf_residency residency, int error, u32 reason)
{
	const struct kvm_exit_row *row = error ? kvm_exit_row(KVM_CLASS_ERRNO, (u64)(u32)-error)
					       : kvm_exit_row(KVM_CLASS_REASON, reason);

	return residency == RF_RESIDENCY_HOST ? row->host : row->guest;
}

const char *kvm_answer_name(enum kvm_answer answer)
{
	static const char *const names[] = {
		[KVM_ANSWER_FATAL] = "fatal",       [KVM_ANSWER_EVENT] = "event",
		[KVM_ANSWER_HOSTCALL] = "hostcall", [KVM_ANSWER_WINDOW] = "window",
		[KVM_ANSWER_SIGNAL] = "signal",     [KVM_ANSWER_AGAIN] = "again",
		[KVM_ANSWER_BACKING] = "backing",
	};

	return names[answer];
}

const char *kvm_exit_name(u32 reason)
{
	return kvm_exit_row(KVM_CLASS_REASON, reason)->name;
}
