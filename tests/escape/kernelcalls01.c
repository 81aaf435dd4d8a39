/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that reach deep into a kernel: kcmp, perf_event_open, bpf, userfaultfd, io_uring, keyrings, seccomp, landlock, memfd_secret, quotactl, lookup_dcookie.
 * Stopped by: our kernel refuses them or does not have them.
 * Escape-Expect: stopped: EPERM from kcmp
 * Escape-Expect: stopped: EPERM from perf_event_open
 * Escape-Expect: stopped: EPERM from perf_event_open of the victim
 * Escape-Expect: stopped: EPERM from bpf
 * Escape-Expect: stopped: EPERM from bpf program
 * Escape-Expect: stopped: EPERM from userfaultfd
 * Escape-Expect: stopped: no such call: io_uring_setup
 * Escape-Expect: stopped: no such call: io_uring_enter
 * Escape-Expect: stopped: no such call: io_uring_register
 * Escape-Expect: stopped: no such call: io_setup
 * Escape-Expect: stopped: no such call: add_key
 * Escape-Expect: stopped: no such call: request_key
 * Escape-Expect: stopped: no such call: keyctl
 * Escape-Expect: stopped: no such call: keyctl read
 * Escape-Expect: stopped: EPERM from quotactl
 * Escape-Expect: stopped: EPERM from lookup_dcookie
 * Escape-Expect: stopped: no such call: uselib
 * Escape-Expect: stopped: no such call: remap_file_pages
 * Escape-Expect: stopped: EFAULT from vmsplice of kernel memory
 */
#include "escape/escape.h"

void attempt(void)
{
	pid_t victim = (pid_t)told_number("ESCAPE_VICTIM");
	char zero[256] = { 0 };
	int pair[2];

	OK(pipe(pair));
	REFUSED("kcmp", syscall(SYS_kcmp, getpid(), victim, 0, 0, 0));
	REFUSED("perf_event_open", syscall(SYS_perf_event_open, zero, -1, 0, -1, 0));
	REFUSED("perf_event_open of the victim",
		syscall(SYS_perf_event_open, zero, victim, -1, -1, 0));
	REFUSED("bpf", syscall(SYS_bpf, 0, zero, sizeof(zero)));
	REFUSED("bpf program", syscall(SYS_bpf, 5, zero, sizeof(zero)));
	REFUSED("userfaultfd", syscall(SYS_userfaultfd, 0));
	REFUSED("io_uring_setup", syscall(SYS_io_uring_setup, 8, zero));
	REFUSED("io_uring_enter", syscall(SYS_io_uring_enter, 3, 1, 0, 0, NULL, 0));
	REFUSED("io_uring_register", syscall(SYS_io_uring_register, 3, 0, zero, 1));
	REFUSED("io_setup", syscall(SYS_io_setup, 8, zero));
	REFUSED("add_key", syscall(SYS_add_key, "user", "escape", "x", 1, -3));
	REFUSED("request_key", syscall(SYS_request_key, "user", told("ESCAPE_KEY_NAME"), NULL, -3));
	REFUSED("keyctl", syscall(SYS_keyctl, 0, -3, 1));
	REFUSED("keyctl read",
		syscall(SYS_keyctl, 11, told_number("ESCAPE_KEY_SERIAL"), zero, sizeof(zero)));
	REFUSED("quotactl", syscall(SYS_quotactl, 0x800002, "/dev/vda", 0, zero));
	REFUSED("lookup_dcookie", syscall(SYS_lookup_dcookie, 1, zero, sizeof(zero)));
	REFUSED("uselib", syscall(SYS_uselib, "/bin/true"));
	REFUSED("remap_file_pages", syscall(SYS_remap_file_pages, zero, PAGE, 0, 0, 0));
	REFUSED("vmsplice of kernel memory", syscall(SYS_vmsplice, pair[1], &(struct {
							     void *base;
							     size_t length;
						     }){ (void *)ARENA, 64 },
						     1, 0));
}
