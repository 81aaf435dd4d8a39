# SPDX-License-Identifier: Apache-2.0
"""The lab's initramfs, made anew for each run: init, its configuration, modules, and with --root none the files."""

import os
import re
import stat
import struct
import subprocess
import sys

from lab_kernel import LabError, MODULES_9P, MODULES_KVM, MODULES_OVERLAY, MODULES_PORT
from lab_kernel import init_build


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
        if path.strip("/") not in self.names:
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
    records = [("vendor", options.vendor), ("root", options.root), ("dir", options.workdir)]
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


def untraced(data):
    """A module without its table of traceable functions, under whose load Bochs spends seconds (ftrace looks every one of
    them up in the module's symbols, from the first). Their calls of the tracer stay what they are, calls of a return."""
    return data.replace(b"__mcount_loc\0", b"__mcount_off\0")


def modules_pack(cpio, kernel, options):
    """Pack the modules this run needs; returns their configuration records."""
    records = []
    ordinary = list(MODULES_PORT) if options.vendor == "amd" else []
    if options.root == "9p" or options.share:
        ordinary += MODULES_9P
    if options.root == "9p":
        ordinary += MODULES_OVERLAY
    for kind, wanted in (("kvm-module", MODULES_KVM[options.vendor]), ("module", ordinary)):
        for name, data in kernel.modules(wanted):
            path = f"/lab/{name}.ko"
            cpio.file(path, untraced(data) if options.vendor == "intel" else data, 0o644)
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


def elf_is_dynamic(data):
    """Whether an ELF file names an interpreter (program header of type PT_INTERP)."""
    if data[:5] != b"\x7fELF\x02" or len(data) < 64:
        return False
    (table,) = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    return any(struct.unpack_from("<I", data, table + size * i)[0] == 3 for i in range(count))


def needs_of(path, data):
    """What else a program needs to run: its libraries and its interpreter."""
    if data.startswith(b"#!"):
        return data[2 : data.index(b"\n")].decode().split()[:1]
    if not elf_is_dynamic(data):
        return []
    result = subprocess.run(["ldd", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if "not found" in result.stdout:
        raise LabError(f"{path} lacks libraries here already: {result.stdout.strip()}")
    return re.findall(r"^\s*(?:\S+ => )?(/\S+) \(0x", result.stdout, re.MULTILINE)


def path_pack(cpio, path):
    """Packs a file with what it needs, or a directory with all below it. Symbolic links are followed."""
    path = os.path.normpath(path)
    if os.path.isdir(path):
        cpio.directory(path)
        for name in sorted(os.listdir(path)):
            path_pack(cpio, os.path.join(path, name))
    elif path.strip("/") not in cpio.names:
        data = file_bytes(path)
        cpio.file(path, data, stat.S_IMODE(os.stat(path).st_mode))
        if os.access(path, os.X_OK):
            for other in needs_of(path, data):
                path_pack(cpio, other)


def initramfs_build(options, kernel, log):
    cpio = Cpio()
    cpio.device("/dev/console", stat.S_IFCHR | 0o600, 5, 1)
    for path in ("/proc", "/sys", "/root", "/run", "/tmp", "/mnt"):
        cpio.directory(path)
    cpio.file("/init", file_bytes(init_build(log)))
    records = config_records(options) + modules_pack(cpio, kernel, options) + stdin_pack(cpio, options)
    for path in options.files:
        path_pack(cpio, os.path.abspath(path))
    for key, value in records:
        if "\0" in value:
            raise LabError(f"{key} holds a NUL byte")
    config = b"".join(f"{key}={value}".encode(errors="surrogateescape") + b"\0" for key, value in records)
    cpio.file("/lab.conf", config, 0o600)
    return cpio.finish()
