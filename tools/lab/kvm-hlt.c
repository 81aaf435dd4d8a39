/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kvm-hlt.c: the smallest proof that KVM works: a guest in real mode whose memory is a page of HLT
 * instructions. Executes as many of them as the argument says (1), each of which must end KVM_RUN
 * with KVM_EXIT_HLT, one byte on.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#define GUEST_ADDR 0x1000u
#define PAGE       4096u

static void fail(const char *what)
{
	fprintf(stderr, "kvm-hlt: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int check(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static void memory_add(int vm)
{
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = GUEST_ADDR,
		.memory_size = PAGE,
		.userspace_addr = (unsigned long)page,
	};

	if (page == MAP_FAILED)
		fail("mmap");
	memset(page, 0xf4, PAGE); /* HLT */
	check(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

static void registers_set(int vcpu)
{
	struct kvm_regs regs = { .rip = GUEST_ADDR, .rflags = 2 };
	struct kvm_sregs sregs;

	check(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	check(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
	check(ioctl(vcpu, KVM_SET_REGS, &regs), "KVM_SET_REGS");
}

static void run(int vcpu, const struct kvm_run *run, unsigned count)
{
	struct kvm_regs regs;

	for (unsigned i = 0; i < count; i++) {
		check(ioctl(vcpu, KVM_RUN, 0), "KVM_RUN");
		if (run->exit_reason != KVM_EXIT_HLT) {
			fprintf(stderr, "kvm-hlt: exit reason %u, not KVM_EXIT_HLT\n",
				run->exit_reason);
			exit(1);
		}
	}
	check(ioctl(vcpu, KVM_GET_REGS, &regs), "KVM_GET_REGS");
	if (regs.rip != GUEST_ADDR + count) {
		fprintf(stderr, "kvm-hlt: rip is %#llx after %u HLT\n", regs.rip, count);
		exit(1);
	}
}

int main(int argc, char **argv)
{
	unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1;
	int kvm = check(open("/dev/kvm", O_RDWR | O_CLOEXEC), "open /dev/kvm");
	int version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	int vcpu, size;
	void *shared;

	memory_add(vm);
	vcpu = check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	size = check(ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), "KVM_GET_VCPU_MMAP_SIZE");
	shared = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	if (shared == MAP_FAILED)
		fail("mmap of kvm_run");
	registers_set(vcpu);
	run(vcpu, shared, count % PAGE);
	printf("api %d, %u x KVM_EXIT_HLT\n", version, count);
	return 0;
}
