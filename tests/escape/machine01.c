/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are the machine's owner's: reboot, kexec, modules, swap, accounting, I/O ports, kernel log, vhangup, quota.
 * Stopped by: our kernel refuses them.
 * Escape-Expect: stopped: EPERM from reboot
 * Escape-Expect: stopped: EPERM from reboot's Ctrl-Alt-Del switch
 * Escape-Expect: stopped: EPERM from kexec_load
 * Escape-Expect: stopped: EPERM from kexec_file_load
 * Escape-Expect: stopped: EPERM from init_module
 * Escape-Expect: stopped: EPERM from finit_module
 * Escape-Expect: stopped: EPERM from delete_module
 * Escape-Expect: stopped: EPERM from swapon
 * Escape-Expect: stopped: EPERM from swapoff
 * Escape-Expect: stopped: EPERM from acct
 * Escape-Expect: stopped: EPERM from iopl
 * Escape-Expect: stopped: EPERM from ioperm
 * Escape-Expect: stopped: EPERM from klogctl
 * Escape-Expect: stopped: EPERM from klogctl clear
 * Escape-Expect: stopped: EPERM from vhangup
 * Escape-Expect: stopped: no such call: nfsservctl
 */
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/swap.h>

#include "escape/escape.h"

void attempt(void)
{
	char image[64] = "\177ELF";

	REFUSED("reboot", syscall(SYS_reboot, 0xfee1dead, 672274793, 0x4321fedc, NULL));
	REFUSED("reboot's Ctrl-Alt-Del switch",
		syscall(SYS_reboot, 0xfee1dead, 672274793, 0x89abcdef, NULL));
	REFUSED("kexec_load", syscall(SYS_kexec_load, 0, 0, NULL, 0));
	REFUSED("kexec_file_load", syscall(SYS_kexec_file_load, 0, -1, 0, NULL, 0));
	REFUSED("init_module", syscall(SYS_init_module, image, sizeof(image), ""));
	REFUSED("finit_module", syscall(SYS_finit_module, 0, "", 0));
	REFUSED("delete_module", syscall(SYS_delete_module, "kvm", O_NONBLOCK));
	REFUSED("swapon", swapon("/dev/vda", 0));
	REFUSED("swapoff", swapoff("/dev/vda"));
	REFUSED("acct", acct("/tmp/acct"));
	REFUSED("iopl", iopl(3));
	REFUSED("ioperm", ioperm(0, 1024, 1));
	REFUSED("klogctl", klogctl(3, image, sizeof(image)));
	REFUSED("klogctl clear", klogctl(5, NULL, 0));
	REFUSED("vhangup", vhangup());
	REFUSED("nfsservctl", syscall(SYS_nfsservctl, 0, NULL, NULL));
}
