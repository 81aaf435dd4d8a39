# SPDX-License-Identifier: Apache-2.0
"""One run of the lab: build the initramfs in memory, boot QEMU, carry the command's streams, return its status."""

import ctypes
import os
import selectors
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

from lab_kernel import LabError, MODULES_9P, MODULES_KVM, MODULES_OVERLAY, MODULES_PORT
from lab_kernel import init_build, kernel_fetch, need_program

EXIT_LAB_FAILED = 125
EXIT_TIMEOUT = 124

CONSOLE_KEEP = 256 * 1024
MEGABYTE = 1 << 20

# mitigations=off, cryptomgr.notests, random.trust_cpu: seconds of boot under emulation. tsc=reliable: the emulated
# TSC is the host's, so the watchdog that distrusts it is wrong. oops=panic: a broken kernel ends the run.
KERNEL_ARGS = [
    "console=ttyS0", "quiet", "panic=-1", "oops=panic", "mitigations=off", "cryptomgr.notests", "no_timer_check",
    "tsc=reliable", "random.trust_cpu=on", "rcupdate.rcu_expedited=1", "audit=0", "swiotlb=512",
    "i8042.noaux", "i8042.nokbd", "i8042.nopnp",
]


# The initramfs


class Cpio:
    """A "newc" archive (Linux, Documentation/driver-api/early-userspace/buffer-format.rst)."""

    def __init__(self):
        self.parts = []
        self.names = set()
        self.inode = 0

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = [self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, device[0], device[1], len(encoded), 0]
        header = b"070701" + b"".join(b"%08x" % field for field in fields) + encoded
        self.parts += [header, b"\0" * (-len(header) % 4), data, b"\0" * (-len(data) % 4)]
        self.names.add(name)

    def directory(self, path):
        name = path.strip("/")
        if not name or name in self.names:
            return
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFDIR | (0o1777 if name == "tmp" else 0o755))

    def file(self, path, data, mode=0o755):
        self.directory(os.path.dirname(path))
        self._entry(path.strip("/"), stat.S_IFREG | mode, data)

    def device(self, path, mode, major, minor):
        self.directory(os.path.dirname(path))
        self._entry(path.strip("/"), mode, b"", (major, minor))

    def finish(self):
        self._entry("TRAILER!!!", 0)
        return b"".join(self.parts)


def file_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise LabError(f"cannot read {path}: {error.strerror}") from error


def config_records(options):
    records = [("root", options.root), ("dir", options.workdir)]
    records += [("arg", arg) for arg in options.command]
    records += [("env", item) for item in options.environment]
    if options.user:
        uid, _, gid = options.user.partition(":")
        records += [("uid", uid), ("gid", gid or uid)]
    if options.share:
        records.append(("share", "/mnt/share"))
    if options.root == "9p":
        records += [("overlay", path) for path in options.overlays]
    records += [("verbose", "1")] if options.verbose else []
    records += [("exits", "1")] if options.exits else []
    records.append(("kvm-options", options.kvm_options))
    return records


def modules_pack(cpio, kernel, options):
    """Pack the modules this run needs; returns their configuration records."""
    records = []
    ordinary = list(MODULES_PORT)
    if options.root == "9p" or options.share:
        ordinary += MODULES_9P
    if options.root == "9p":
        ordinary += MODULES_OVERLAY
    for kind, wanted in (("kvm-module", MODULES_KVM), ("module", ordinary)):
        for name, data in kernel.modules(wanted):
            path = f"/lab/{name}.ko"
            cpio.file(path, data, 0o644)
            records.append((kind, path))
    names = {os.path.basename(path) for _, path in records}
    missing = [name for name in ordinary if name.replace("-", "_") + ".ko" not in names]
    if missing:
        raise LabError(f"the kernel {kernel.description()} lacks the modules {', '.join(missing)}")
    return records


def visible_in_guest(path):
    """Whether the VM sees the host's file at this path (these directories are the VM's own)."""
    hidden = ("/dev", "/proc", "/sys", "/run", "/var/run")
    return not any(path == top or path.startswith(top + "/") for top in hidden)


def stdin_pack(cpio, options):
    """Returns the configuration records for standard input."""
    if not options.stdin:
        return []
    if options.stdin != "-":
        path = os.path.realpath(options.stdin)
        if options.root == "9p" and os.path.isfile(path) and visible_in_guest(path):
            return [("stdin", path)]
    data = sys.stdin.buffer.read() if options.stdin == "-" else file_bytes(options.stdin)
    cpio.file("/lab/stdin", data, 0o644)
    return [("stdin-file", "/lab/stdin")]


def initramfs_build(options, kernel, log):
    cpio = Cpio()
    cpio.device("/dev/console", stat.S_IFCHR | 0o600, 5, 1)
    for path in ("/proc", "/sys", "/root", "/run", "/tmp", "/mnt"):
        cpio.directory(path)
    cpio.file("/init", file_bytes(init_build(log)))
    records = config_records(options) + modules_pack(cpio, kernel, options) + stdin_pack(cpio, options)
    for path in options.files:
        cpio.file(os.path.abspath(path), file_bytes(path), stat.S_IMODE(os.stat(path).st_mode))
    for key, value in records:
        if "\0" in value:
            raise LabError(f"{key} holds a NUL byte")
    config = b"".join(f"{key}={value}".encode(errors="surrogateescape") + b"\0" for key, value in records)
    cpio.file("/lab.conf", config, 0o600)
    return cpio.finish()


def memory_file(name, data):
    """A file without a name: nothing to remove afterwards, however this process ends."""
    fd = os.memfd_create(name, os.MFD_CLOEXEC)
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]
    return fd


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
    khz = tsc_khz()
    append = KERNEL_ARGS + ([f"tsc_early_khz={khz}"] if khz else []) + options.append
    args = [need_program("qemu-system-x86_64", "qemu-system-x86")]
    args += ["-accel", f"tcg,thread={options.tcg_threads}", "-cpu", options.cpu]
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


def die_with_parent():
    """In the child: QEMU must not outlive this script, not even when the script is killed outright."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL, 0, 0, 0)


class Machine:
    """A running QEMU and our ends of its two channels."""

    def __init__(self, options, kernel, log):
        self.console, console_theirs = socket.socketpair()
        self.port, port_theirs = socket.socketpair()
        initrd = memory_file("initrd", initramfs_build(options, kernel, log))
        fds = {"initrd": initrd, "console": console_theirs.fileno(), "port": port_theirs.fileno()}
        args = qemu_args(options, kernel, fds)
        log(" ".join(args))
        # QEMU's warnings (a CPU feature it can't emulate) would mix with the command's standard error.
        self.messages = memory_file("qemu-stderr", b"")
        self.process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.messages,
                                        pass_fds=fds.values(), preexec_fn=die_with_parent, start_new_session=True)
        os.close(initrd)
        console_theirs.close()
        port_theirs.close()

    def end(self):
        self.process.kill()
        self.process.wait()
        self.console.close()
        self.port.close()

    def qemu_messages(self):
        return os.pread(self.messages, MEGABYTE, 0).decode(errors="replace").rstrip()


# The run


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


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
        machine.console.setblocking(False)
        try:
            while data := machine.console.recv(65536):
                self.console_data(data)
        except OSError:
            pass

    def loop(self, machine):
        """Until the last frame, QEMU's end or the deadline. Returns False at the deadline."""
        handlers = {machine.port: self.port_data, machine.console: self.console_data}
        with selectors.DefaultSelector() as selector:
            for sock in handlers:
                selector.register(sock, selectors.EVENT_READ)
            while self.status is None and self.failure is None:
                left = self.options.timeout - self.elapsed()
                if left <= 0:
                    return False
                for key, _ in selector.select(left):
                    data = key.fileobj.recv(256 * 1024)
                    if data:
                        handlers[key.fileobj](data)
                    elif key.fileobj is machine.port:
                        return True
                    else:
                        selector.unregister(key.fileobj)
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
        reason = self.failure or "the VM ended before the command did (panic, triple fault or QEMU's failure)"
        print(f"lab: {reason}", file=sys.stderr)
        self.show_logs()
        return EXIT_LAB_FAILED


def raise_exit(number, _):
    raise SystemExit(128 + number)


def run(options, log):
    """Runs one command in the lab. Returns (exit status, {counter: value})."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, raise_exit)
    kernel = kernel_fetch(options.kernel, log=lambda text: options.quiet or print(f"lab: {text}", file=sys.stderr))
    state = Run(options, log)
    machine = Machine(options, kernel, log)
    try:
        in_time = state.loop(machine)
        state.drain_console(machine)
    finally:
        machine.end()
    log(f"{state.elapsed():.2f} s: ended")
    failed = not in_time or state.status is None
    if machine.qemu_messages() and (failed or options.verbose):
        print(f"lab: QEMU says: {machine.qemu_messages()}", file=sys.stderr)
    return state.verdict(in_time), state.counters
