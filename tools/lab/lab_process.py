# SPDX-License-Identifier: Apache-2.0
"""What the lab's two kinds of machine share: files in memory, and an emulator that ends with us."""

import ctypes
import os
import signal

MEGABYTE = 1 << 20


def memory_file(name, data):
    """A file without a name: nothing to remove afterwards, however this process ends."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    write_all(fd, data)
    return fd


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def die_with_parent():
    """In the child: the emulator must not outlive this script, not even when the script is killed outright."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)
    if os.getppid() == 1:
        os._exit(1)
