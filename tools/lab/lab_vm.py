# SPDX-License-Identifier: Apache-2.0
"""One run of the lab: boot QEMU or Bochs, carry the command's streams, return its status."""

import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

import lab_bochs
from lab_initramfs import initramfs_build
from lab_kernel import init_build, kernel_fetch, need_program
from lab_process import MEGABYTE, die_with_parent, memory_file, write_all

EXIT_LAB_FAILED = 125
EXIT_TIMEOUT = 124

# With -icount shift=0 an instruction takes 1 ns of the VM's time, and the TSC is that time.
ICOUNT_TSC_KHZ = 1000000

CONSOLE_KEEP = 256 * 1024

# mitigations=off, cryptomgr.notests, random.trust_cpu: seconds of boot under emulation. tsc=reliable: the emulated
# TSC is the host's, so the watchdog that distrusts it is wrong. oops=panic: a broken kernel ends the run.
KERNEL_ARGS = [
    "console=ttyS0", "quiet", "panic=-1", "oops=panic", "mitigations=off", "cryptomgr.notests", "no_timer_check",
    "tsc=reliable", "random.trust_cpu=on", "rcupdate.rcu_expedited=1", "audit=0",
    "i8042.noaux", "i8042.nokbd", "i8042.nopnp",
]
QEMU_KERNEL_ARGS = ["swiotlb=512"]


# QEMU


def tsc_khz():
    """The emulated TSC runs at the host's rate; telling the kernel saves it the calibration."""
    try:
        out = subprocess.run([init_build(), "--tsc-khz"], stdout=subprocess.PIPE, text=True, check=True).stdout
        return int(out)
    except (OSError, ValueError, subprocess.CalledProcessError):
        return 0


def share_args(tag, path, read_only):
    if "," in path:
        path = path.replace(",", ",,")
    flags = ",readonly=on" if read_only else ""
    return ["-fsdev", f"local,id={tag},path={path},security_model=none,multidevs=remap{flags}",
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def qemu_args(options, kernel, fds):
    khz = ICOUNT_TSC_KHZ if options.icount else tsc_khz()
    append = KERNEL_ARGS + QEMU_KERNEL_ARGS + ([f"tsc_early_khz={khz}"] if khz else []) + options.append
    args = [need_program("qemu-system-x86_64", "qemu-system-x86")]
    args += ["-accel", f"tcg,thread={options.tcg_threads}", "-cpu", options.cpu]
    args += ["-icount", "shift=0,align=off,sleep=on"] if options.icount else []
    args += ["-smp", str(options.cpus), "-m", str(options.memory)]
    args += ["-M", "q35,sata=off,smbus=off,usb=off,vmport=off", "-nodefaults", "-no-user-config"]
    args += ["-nic", "none", "-vga", "none", "-display", "none", "-no-reboot"]
    args += ["-kernel", kernel.vmlinux, "-initrd", f"/proc/self/fd/{fds['initrd']}", "-append", " ".join(append)]
    args += ["-chardev", f"socket,id=console,fd={fds['console']}", "-serial", "chardev:console"]
    args += ["-device", "virtio-serial-pci,max_ports=2", "-chardev", f"socket,id=port,fd={fds['port']}",
             "-device", "virtserialport,chardev=port,nr=1,name=lab"]
    if options.root == "9p":
        args += share_args("host", "/", read_only=True)
    if options.share:
        args += share_args("share", os.path.realpath(options.share), read_only=False)
    return args


class Machine:
    """A running QEMU and our ends of its two channels."""

    def __init__(self, options, kernel, log):
        console, console_theirs = socket.socketpair()
        port, port_theirs = socket.socketpair()
        self.console, self.port = console.detach(), port.detach()
        initrd = memory_file("initrd", initramfs_build(options, kernel, log))
        fds = {"initrd": initrd, "console": console_theirs.fileno(), "port": port_theirs.fileno()}
        args = qemu_args(options, kernel, fds)
        log(" ".join(args))
        # QEMU's warnings (a CPU feature it can't emulate) would mix with the command's standard error.
        self.stderr = memory_file("qemu-stderr", b"")
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.stderr,
                                        pass_fds=fds.values(), preexec_fn=die_with_parent, start_new_session=True)
        os.close(initrd)
        console_theirs.close()
        port_theirs.close()

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.console)
        os.close(self.port)

    def port_decode(self, data):
        return data

    def messages(self):
        return os.pread(self.stderr, MEGABYTE, 0).decode(errors="replace").rstrip()


# The run


class Run:
    def __init__(self, options, log):
        self.options = options
        self.log = log
        self.started = time.monotonic()
        self.pending = bytearray()
        self.console_text = bytearray()
        self.kernel_log = bytearray()
        self.counters = {}
        self.status = None
        self.failure = None

    def elapsed(self):
        return time.monotonic() - self.started

    def frame(self, kind, data):
        if kind == "o":
            write_all(1, data)
        elif kind == "e":
            write_all(2, data)
        elif kind == "x":
            self.status = int(data)
        elif kind == "f":
            self.failure = data.decode(errors="replace")
        elif kind == "k":
            self.kernel_log += data
        elif kind == "c":
            name, value = data.split()
            self.counters[name.decode()] = int(value)
        elif kind == "b":
            self.log(f"{self.elapsed():.2f} s: init runs, port open (VM's clock {int(data) / 1e6:.2f} s)")
        elif kind == "s":
            self.log(f"{self.elapsed():.2f} s: command starts (VM's clock {int(data) / 1e6:.2f} s)")
        elif kind == "m":
            self.log(data.decode(errors="replace").rstrip())

    def port_data(self, data):
        self.pending += data
        while len(self.pending) >= 5:
            kind, length = struct.unpack_from("<cI", self.pending)
            if len(self.pending) < 5 + length:
                return
            payload = bytes(self.pending[5 : 5 + length])
            del self.pending[: 5 + length]
            self.frame(kind.decode("latin-1"), payload)

    def console_data(self, data):
        self.console_text += data
        del self.console_text[:-CONSOLE_KEEP]

    def drain_console(self, machine):
        os.set_blocking(machine.console, False)
        try:
            while data := os.read(machine.console, 65536):
                self.console_data(data)
        except OSError:
            pass

    def loop(self, machine):
        """Until the last frame, the emulator's end or the deadline. Returns False at the deadline."""
        handlers = {machine.port: self.port_data, machine.console: self.console_data}
        with selectors.DefaultSelector() as selector:
            for channel in handlers:
                selector.register(channel, selectors.EVENT_READ)
            while self.status is None and self.failure is None:
                left = self.options.timeout - self.elapsed()
                if left <= 0:
                    return False
                for key, _ in selector.select(left):
                    data = os.read(key.fd, 256 * 1024)
                    if data:
                        handlers[key.fd](machine.port_decode(data) if key.fd == machine.port else data)
                    elif key.fd == machine.port:
                        return True
                    else:
                        selector.unregister(key.fd)
        return True

    def show_logs(self):
        text = bytes(self.kernel_log) or bytes(self.console_text).replace(b"\r\n", b"\n")
        if text:
            sys.stderr.write("lab: the VM's kernel log:\n")
            sys.stderr.flush()
            write_all(2, text if text.endswith(b"\n") else text + b"\n")

    def verdict(self, in_time):
        if not in_time:
            print(f"lab: timeout: ended after {self.options.timeout} s", file=sys.stderr)
            self.show_logs()
            return EXIT_TIMEOUT
        if self.status is not None:
            if self.status and self.options.verbose:
                self.show_logs()
            return self.status
        reason = self.failure or "the VM ended before the command did (panic, triple fault or the emulator's failure)"
        print(f"lab: {reason}", file=sys.stderr)
        self.show_logs()
        return EXIT_LAB_FAILED


def raise_exit(number, _):
    raise SystemExit(128 + number)


def machine_start(options, kernel, log):
    if options.vendor == "intel":
        return lab_bochs.Machine(options, kernel, KERNEL_ARGS, log)
    return Machine(options, kernel, log)


def run(options, log):
    """Runs one command in the lab. Returns (exit status, {counter: value})."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, raise_exit)
    kernel = kernel_fetch(options.kernel, log=lambda text: options.quiet or print(f"lab: {text}", file=sys.stderr))
    state = Run(options, log)
    machine = machine_start(options, kernel, log)
    try:
        in_time = state.loop(machine)
        state.drain_console(machine)
    finally:
        machine.end()
    log(f"{state.elapsed():.2f} s: ended")
    failed = not in_time or state.status is None
    if machine.messages() and (failed or options.verbose):
        print(f"lab: the emulator says: {machine.messages()}", file=sys.stderr)
    return state.verdict(in_time), state.counters
