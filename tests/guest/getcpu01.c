/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU's number by system call, vDSO, C library and rseq, on each CPU in turn: right from the return of sched_setaffinity(2) on. */
#include <elf.h>
#include <sys/auxv.h>

#include "guest/rseq.h"

#define ROUNDS 20

typedef int (*getcpu_fn)(unsigned *cpu, unsigned *node, void *unused);

/* The dynamic section's entry with this tag, as an address in the image. */
static const void *dynamic(const Elf64_Ehdr *image, Elf64_Sxword tag)
{
	const Elf64_Phdr *ph = (const void *)((const char *)image + image->e_phoff);
	const char *base = NULL;
	const Elf64_Dyn *d = NULL;

	for (int i = 0; i < image->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD && !base)
			base = (const char *)image + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			d = (const void *)((const char *)image + ph[i].p_offset);
	}
	CHECK(base && d);
	for (; d->d_tag != DT_NULL; d++)
		if (d->d_tag == tag)
			return base + d->d_un.d_ptr;
	return NULL;
}

static getcpu_fn find_getcpu(void)
{
	const Elf64_Ehdr *image = (const void *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Sym *symbols;
	const char *names;

	CHECK(image);
	symbols = dynamic(image, DT_SYMTAB);
	names = dynamic(image, DT_STRTAB);
	CHECK(symbols && names);
	for (int i = 0; i < 64; i++)
		if (strcmp(names + symbols[i].st_name, "__vdso_getcpu") == 0)
			return (getcpu_fn)((uintptr_t)image + symbols[i].st_value);
	FAIL("no __vdso_getcpu");
}

static void check_everything(getcpu_fn vdso_getcpu, unsigned cpu)
{
	unsigned got = 9999, node = 9999;

	CHECK_EQ(sched_getcpu(), cpu);
	CHECK_EQ(rseq_cpu(), cpu);
	CHECK_EQ(rseq_area()->cpu_id_start, cpu);
	OK(vdso_getcpu(&got, &node, NULL));
	CHECK_EQ(got, cpu);
	CHECK(node < 64);
	got = 9999;
	OK(syscall(SYS_getcpu, &got, &node, NULL));
	CHECK_EQ(got, cpu);
	OK(vdso_getcpu(NULL, NULL, NULL));
	OK(syscall(SYS_getcpu, NULL, NULL, NULL));
}

static void pin(pid_t tid, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	OK(sched_setaffinity(tid, sizeof(one), &one));
}

static volatile unsigned allowed;
static volatile pid_t other_tid;
static volatile bool done;

/*
 * Never sees itself on a CPU that it was taken from before. `allowed` is written after sched_setaffinity() returned, so a number read
 * between two equal readings of it must be that.
 */
static void *watch(void *vdso_getcpu)
{
	getcpu_fn getcpu_now = (getcpu_fn)(uintptr_t)vdso_getcpu;
	unsigned before, cpu, rseq;

	other_tid = (pid_t)syscall(SYS_gettid);
	for (unsigned i = 0; !done; i++) {
		before = allowed;
		rseq = cpu = rseq_cpu();
		if (i % 256 == 0)
			OK(getcpu_now(&cpu, NULL, NULL));
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (before == 9999 || allowed != before)
			continue;
		CHECK_EQ(cpu, before);
		CHECK_EQ(rseq, before);
	}
	return NULL;
}

int main(void)
{
	getcpu_fn vdso_getcpu = find_getcpu();
	pthread_t thread;
	cpu_set_t all;

	OK(sched_getaffinity(0, sizeof(all), &all));
	allowed = 9999;
	CHECK_EQ(pthread_create(&thread, NULL, watch, (void *)(uintptr_t)vdso_getcpu), 0);
	while (!other_tid)
		sched_yield();
	for (int i = 0; i < ROUNDS; i++) {
		for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
			if (!CPU_ISSET(cpu, &all))
				continue;
			pin(0, cpu);
			check_everything(vdso_getcpu, (unsigned)cpu);
			allowed = 9999;
			__atomic_thread_fence(__ATOMIC_SEQ_CST);
			pin(other_tid, cpu);
			allowed = (unsigned)cpu;
		}
	}
	done = true;
	CHECK_EQ(pthread_join(thread, NULL), 0);
	FAILS(syscall(SYS_getcpu, bad_address(), NULL, NULL), EFAULT);
	say("ok\n");
	return 0;
}
