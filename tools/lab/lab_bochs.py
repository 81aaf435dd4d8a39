# SPDX-License-Identifier: Apache-2.0
"""The lab's Intel machine: Bochs, which emulates VMX. docs/lab.md says what that is good for."""

import ctypes
import os
import struct
import subprocess

from lab_initramfs import initramfs_build
from lab_kernel import LabError, need_program, rom_build
from lab_process import MEGABYTE, die_with_parent, memory_file

# Instructions per virtual second, which is also the TSC's frequency. A few times what Bochs does on our machines, so the VM's clock
# is slower than ours: with less, timers of 100 us would leave programs no time to make progress; with more, waiting takes longer.
IPS = 150_000_000
MODEL_DEFAULT = "broadwell_ult"

# The memory image; bochs-rom.S relies on the first three.
IMAGE = 0x100000
BLOCK = 0x20000
IMAGE_ENTRY = 0x38
MODULE_LIST = IMAGE + 0x100
MEMORY_MAP = IMAGE + 0x200
COMMAND_LINE = IMAGE + 0x1000

# See lab_vm.KERNEL_ARGS for the common ones. No ACPI tables and no PCI, as there is no BIOS that would set them up. tsc_early_khz
# and lpj save calibrations. reboot=triple: a panic ends Bochs; intel_pstate would poll MSRs that Bochs lacks.
# The initialisers left out prepare tracing and BPF, which takes half of the boot.
SKIPPED = [
    "ftrace_check_for_weak_functions", "trace_eval_init", "init_trace_printk_function_export", "init_graph_tracefs",
    "trace_events_synth_init", "bpf_event_init", "dquot_init", "bpf_rstat_kfunc_init", "bpf_key_sig_kfuncs_init",
    "kfunc_init", "bpf_prog_test_run_init", "bpf_tcp_ca_kfunc_init", "cubictcp_register",
]
KERNEL_ARGS = [
    f"initcall_blacklist={','.join(SKIPPED)}",
    "pci=off", "reboot=triple,force", f"tsc_early_khz={IPS // 1000}", f"lpj={IPS // 250}",
    "intel_pstate=disable", "nmi_watchdog=0",
]

CONFIG = """\
config_interface: textconfig
display_library: rfb, options="timeout=0, hideIPS"
cpu: model={model}, count=1, ips={ips}, reset_on_triple_fault=0, ignore_bad_msrs=1
memory: guest={megabytes}, host={megabytes}
romimage: file={rom}
optramimage1: file={image}, address={address:#x}
com1: enabled=1, mode=file, dev={console}
port_e9_hack: enabled=1
clock: sync=none, time0=utc
pci: enabled=0
ata0: enabled=0
ata1: enabled=0
vga: extension=none, update_freq=1
plugin_ctrl: biosdev=0, extfpuirq=0, gameport=0, iodebug=0, parallel=0, speaker=0
log: {log}
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def elf_notes(data, offset, size):
    """(name, type, descriptor) of each note in a PT_NOTE segment."""
    at = offset
    while at + 12 <= offset + size:
        name_size, size_, kind = struct.unpack_from("<III", data, at)
        name = data[at + 12 : at + 12 + name_size].rstrip(b"\0")
        at += 12 + (name_size + 3 & ~3)
        yield name, kind, data[at : at + size_]
        at += size_ + 3 & ~3


def kernel_load(path):
    """Returns the kernel's [(physical address, contents)] and its PVH entry point (ELF note "Xen", type 18)."""
    with open(path, "rb") as file:
        data = file.read()
    (table,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    parts, entry = [], None
    for i in range(count):
        kind, _, offset, _, address, size = struct.unpack_from("<IIQQQQ", data, table + 56 * i)
        if kind == 1:
            parts.append((address, memoryview(data)[offset : offset + size]))
        elif kind == 4:
            for name, number, text in elf_notes(data, offset, size):
                if (name, number) == (b"Xen", 18):
                    entry = int.from_bytes(text, "little")
    if not parts or not entry:
        raise LabError(f"{path} can't be entered by the PVH boot protocol")
    return parts, entry


def start_info(command_line, entry, initrd, end, memory):
    """The first pages of the image. Layout: Xen, xen/include/public/arch-x86/hvm/start_info.h; initrd = (address, size)."""
    page = bytearray(COMMAND_LINE - IMAGE)
    struct.pack_into("<IIIIQQQQII", page, 0, 0x336EC578, 1, 0, 1, MODULE_LIST, COMMAND_LINE, 0, MEMORY_MAP, 2, 0)
    struct.pack_into("<II", page, IMAGE_ENTRY, entry, end)
    struct.pack_into("<QQQQ", page, MODULE_LIST - IMAGE, *initrd, 0, 0)
    struct.pack_into("<QQII", page, MEMORY_MAP - IMAGE, 0, 0x9F000, 1, 0)
    struct.pack_into("<QQII", page, MEMORY_MAP - IMAGE + 24, IMAGE, memory - IMAGE, 1, 0)
    return bytes(page) + command_line.encode() + b"\0"


def image_build(kernel, initramfs, command_line, memory):
    """The memory image: a file with holes, start information, kernel and initramfs at their places."""
    parts, entry = kernel_load(kernel.vmlinux)
    initrd = max(address + len(data) for address, data in parts) + MEGABYTE & -MEGABYTE
    end = initrd + len(initramfs)
    if end + 64 * MEGABYTE > memory:
        raise LabError(f"--memory is too small: kernel and files take {end // MEGABYTE} MiB")
    parts = [(IMAGE, start_info(command_line, entry, (initrd, len(initramfs)), end, memory)), *parts, (initrd, initramfs)]
    fd = os.memfd_create("image", os.MFD_CLOEXEC)
    for address, data in parts:
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, address - IMAGE)
            view, address = view[written:], address + written
    return fd


def memory_bytes(text):
    factors = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
    factor = factors.get(text[-1:].upper())
    try:
        return int(text[:-1]) * factor if factor else int(text) << 20
    except ValueError as error:
        raise LabError(f"--memory: {text} is no size") from error


def network_leave():
    """In the child. Bochs's display without a screen listens on a port: nobody needs to reach it. Best effort."""
    clone_newnet, clone_newuser = 0x40000000, 0x10000000
    libc = ctypes.CDLL(None)
    if libc.unshare(clone_newnet):
        libc.unshare(clone_newuser | clone_newnet)


def child_setup():
    network_leave()
    die_with_parent()


class Machine:
    """A running Bochs: the ends of its serial console and of its debug port."""

    def __init__(self, options, kernel, common_args, log):
        memory = memory_bytes(options.memory)
        command_line = " ".join(common_args + KERNEL_ARGS + options.append)
        image = image_build(kernel, initramfs_build(options, kernel, log), command_line, memory)
        self.half = b""
        self.console, console_theirs = os.pipe()
        self.port, port_theirs = os.pipe()
        self.log = memory_file("bochs-log", b"")
        rom = os.open(rom_build(log), os.O_RDONLY | os.O_CLOEXEC)
        names = {"image": image, "rom": rom, "console": console_theirs, "log": self.log}
        paths = {name: f"/proc/self/fd/{fd}" for name, fd in names.items()}
        text = CONFIG.format(model=options.cpu, ips=IPS, megabytes=memory // MEGABYTE, address=IMAGE, **paths)
        config = memory_file("bochsrc", text.encode())
        # Debian's Bochs stops in its debugger first: "c" lets it run.
        script = memory_file("debugger-script", b"c\n")
        args = [need_program("bochs-bin", "bochs"), "-q", "-f", f"/proc/self/fd/{config}", "-rc", f"/proc/self/fd/{script}"]
        log(f"{' '.join(args)}\n{text}kernel: {command_line}")
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=port_theirs, stderr=subprocess.DEVNULL,
                                        pass_fds=[*names.values(), config, script], preexec_fn=child_setup,
                                        start_new_session=True)
        for fd in (image, rom, console_theirs, port_theirs, config, script):
            os.close(fd)

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.console)
        os.close(self.port)

    def port_decode(self, data):
        """init sends each byte as two halves with bit 7 set; what has bit 7 clear is text of Bochs itself."""
        halves = self.half + bytes(byte & 15 for byte in data if byte & 0x80)
        self.half = halves[len(halves) & ~1 :]
        return bytes(a << 4 | b for a, b in zip(halves[::2], halves[1::2]))

    def messages(self):
        text = os.pread(self.log, MEGABYTE, 0).decode(errors="replace")
        return "\n".join(line for line in text.splitlines() if "PANIC" in line)
