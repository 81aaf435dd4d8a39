# SPDX-License-Identifier: Apache-2.0
"""The lab's cache: Debian's kernel, its modules and our init, unpacked once, outside the source tree."""

import ctypes
import ctypes.util
import fcntl
import gzip
import hashlib
import lzma
import os
import re
import shutil
import struct
import subprocess
import tarfile
import tempfile
import zlib

HERE = os.path.dirname(os.path.realpath(__file__))

# Debian's smallest kernel with KVM is the "cloud" one, but it is built without 9p (CONFIG_NET_9P is not set), so
# it can't share the host's root. It still serves for runs with --root none.
PACKAGES = {"generic": "linux-image-amd64", "cloud": "linux-image-cloud-amd64"}
DEFAULT_FLAVOUR = "generic"

MODULES_KVM = {"amd": ["kvm-amd"], "intel": ["kvm-intel"]}
MODULES_PORT = ["virtio_pci", "virtio_console"]
MODULES_9P = ["9pnet_virtio", "9p"]
MODULES_OVERLAY = ["overlay"]
MODULES = sum(MODULES_KVM.values(), []) + MODULES_PORT + MODULES_9P + MODULES_OVERLAY

# Raise this when what fetch puts into the cache changes.
CACHE_FORMAT = "1"


class LabError(Exception):
    """The lab can't do what it was asked; the message says why and what to do."""


def cache_dir():
    path = os.environ.get("RINGFENCE_LAB_CACHE")
    if not path:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        path = os.path.join(base, "ringfence", "lab")
    return os.path.abspath(path)


def need_program(name, package):
    path = shutil.which(name) or shutil.which(name, path="/usr/bin:/usr/sbin:/bin:/sbin")
    if not path:
        raise LabError(f"{name} is missing: install the Debian package {package} (apt-get install {package})")
    return path


def run_tool(args, **options):
    result = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if result.returncode:
        raise LabError(f"{' '.join(args)} failed ({result.returncode}): {result.stderr.strip()}")
    return result.stdout


class Lock:
    """One process at a time fills the cache; the others wait and find it full."""

    def __init__(self, directory):
        os.makedirs(directory, exist_ok=True)
        self.fd = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def __enter__(self):
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_):
        os.close(self.fd)


def scratch_directory(parent):
    """A directory that goes away with its context; what killed runs left goes now. The caller holds the lock, so nobody uses them."""
    for name in os.listdir(parent):
        if name.startswith("scratch-"):
            shutil.rmtree(os.path.join(parent, name), ignore_errors=True)
    return tempfile.TemporaryDirectory(prefix="scratch-", dir=parent)


# The kernel image


def lz4_library():
    name = ctypes.util.find_library("lz4") or "liblz4.so.1"
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise LabError(f"liblz4 is missing: install the Debian package liblz4-1 ({error})") from error


def lz4_legacy_unpack(data):
    """The frame `lz4 -l` writes: magic, then blocks of up to 8 MiB, each with its packed size in front."""
    lz4 = lz4_library()
    block_max = 8 << 20
    out = []
    at = 4
    while at + 4 <= len(data):
        (size,) = struct.unpack_from("<I", data, at)
        at += 4
        if size == 0 or at + size > len(data):
            break
        block = ctypes.create_string_buffer(block_max)
        n = lz4.LZ4_decompress_safe(data[at : at + size], block, size, block_max)
        if n < 0:
            raise LabError("the kernel's LZ4 payload is damaged")
        out.append(block.raw[:n])
        at += size
        if n < block_max:
            break
    return b"".join(out)


def payload_unpack(data):
    """Unpack a kernel payload. What follows the packed stream (its size, padding) is ignored."""
    if data.startswith(b"\x02\x21\x4c\x18"):
        return lz4_legacy_unpack(data)
    if data.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(lzma.FORMAT_XZ).decompress(data)
    if data.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31).decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        zstd = need_program("zstd", "zstd")
        return subprocess.run([zstd, "-dcq"], input=data, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                              check=False).stdout
    raise LabError(f"the kernel is packed in an unknown way (starts with {data[:6].hex()})")


def vmlinux_extract(image):
    """The ELF kernel inside a bzImage.

    Offsets: Linux, Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
    """
    if image[0x202:0x206] != b"HdrS":
        raise LabError("the package's vmlinuz is no bzImage")
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    vmlinux = payload_unpack(image[start : start + length])
    if not vmlinux.startswith(b"\x7fELF"):
        raise LabError("what the package's vmlinuz unpacks to is no ELF file")
    return vmlinux


# The package


def apt_dependency(metapackage):
    out = run_tool([need_program("apt-cache", "apt"), "depends", "--important", metapackage])
    match = re.search(r"Depends: (linux-image-\S+)", out)
    if not match:
        raise LabError(f"apt knows no kernel behind {metapackage}: run apt-get update, "
                       "and check that Debian's repository is in /etc/apt/sources.list")
    return match.group(1)


def apt_download(package, directory):
    apt = need_program("apt-get", "apt")
    try:
        # apt would switch to a user of its own, which can't write where we can.
        run_tool([apt, "download", "-q", "-o", "APT::Sandbox::User=root", package], cwd=directory)
    except LabError as error:
        raise LabError(f"{error}\nif the package lists are old, run apt-get update and try again") from error
    files = [name for name in os.listdir(directory) if name.endswith(".deb")]
    if len(files) != 1:
        raise LabError(f"apt-get download {package} left {files or 'nothing'}")
    return os.path.join(directory, files[0])


def module_name(path):
    return re.sub(r"\.ko(\.xz|\.gz|\.zst)?$", "", os.path.basename(path)).replace("-", "_")


def module_unpack(path, data):
    if path.endswith(".xz"):
        return lzma.decompress(data)
    if path.endswith(".gz"):
        return gzip.decompress(data)
    if path.endswith(".zst"):
        return payload_unpack(data)
    return data


def package_read(deb):
    """Returns (the packed kernel, {module name: unpacked module}), modules limited to the directories we use."""
    image = None
    modules = {}
    where = re.compile(r"/kernel/(arch/x86/|virt/|drivers/(virtio|char|crypto)/|net/9p/|fs/|lib/|crypto/)")
    command = [need_program("dpkg-deb", "dpkg"), "--fsys-tarfile", deb]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as pipe:
        with tarfile.open(fileobj=pipe.stdout, mode="r|") as tar:
            for member in tar:
                if member.isfile() and "/boot/vmlinuz-" in member.name:
                    image = tar.extractfile(member).read()
                elif member.isfile() and ".ko" in member.name and where.search(member.name):
                    modules[module_name(member.name)] = (member.name, tar.extractfile(member).read())
    if pipe.returncode or image is None:
        raise LabError(f"{deb} holds no kernel")
    return image, modules


def module_depends(data):
    match = re.search(rb"\0depends=([^\0]*)\0", data)
    names = match.group(1).decode() if match else ""
    return [name.replace("-", "_") for name in names.split(",") if name]


def modules_order(wanted, modules):
    """The wanted modules and what they need, in loading order. A module that isn't there is built in or absent."""
    order = []

    def visit(name):
        if name in order or name not in modules:
            return
        for other in module_depends(modules[name]):
            visit(other)
        order.append(name)

    for name in wanted:
        visit(name.replace("-", "_"))
    return order


def modules_write(modules, directory):
    strip = need_program("strip", "binutils")
    os.makedirs(directory)
    unpacked = {name: module_unpack(path, data) for name, (path, data) in modules.items()}
    for name in modules_order(MODULES, unpacked):
        target = os.path.join(directory, name + ".ko")
        with open(target, "wb") as file:
            file.write(unpacked[name])
        run_tool([strip, "--strip-debug", target])


def kernel_install(flavour, package, target, log):
    """Download and unpack one kernel package into a fresh directory, renamed to its final name when complete."""
    parent = os.path.dirname(target)
    with scratch_directory(parent) as scratch:
        log(f"downloading {package} (not installing it)")
        deb = apt_download(package, scratch)
        log("unpacking")
        image, modules = package_read(deb)
        done = os.path.join(scratch, "done")
        os.makedirs(done)
        with open(os.path.join(done, "vmlinux"), "wb") as file:
            file.write(vmlinux_extract(image))
        modules_write(modules, os.path.join(done, "modules"))
        with open(os.path.join(done, "package"), "w", encoding="ascii") as file:
            file.write(f"{CACHE_FORMAT} {flavour} {os.path.basename(deb)}\n")
        os.chmod(done, 0o755)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(done, target)


class Kernel:
    def __init__(self, directory):
        self.directory = directory
        self.vmlinux = os.path.join(directory, "vmlinux")

    def description(self):
        with open(os.path.join(self.directory, "package"), encoding="ascii") as file:
            return file.read().split()[2]

    def is_complete(self):
        try:
            with open(os.path.join(self.directory, "package"), encoding="ascii") as file:
                # The Intel module came later: a cache without it is filled once more.
                return (file.read().split()[0] == CACHE_FORMAT and os.path.exists(self.vmlinux)
                        and os.path.exists(os.path.join(self.directory, "modules", "kvm_intel.ko")))
        except (OSError, IndexError):
            return False

    def modules(self, wanted):
        """[(name, contents)] in loading order, dependencies first."""
        contents = {}
        directory = os.path.join(self.directory, "modules")
        for file_name in os.listdir(directory):
            with open(os.path.join(directory, file_name), "rb") as file:
                contents[module_name(file_name)] = file.read()
        return [(name, contents[name]) for name in modules_order(wanted, contents)]


def kernel_fetch(flavour=DEFAULT_FLAVOUR, update=False, log=lambda _: None):
    """Returns the cached kernel; downloads it first if it isn't there, or if `update` and apt has a newer one."""
    cache = cache_dir()
    kernel = Kernel(os.path.join(cache, flavour))
    if kernel.is_complete() and not update:
        return kernel
    with Lock(cache):
        if kernel.is_complete() and not update:
            return kernel
        package = apt_dependency(PACKAGES[flavour])
        if kernel.is_complete() and kernel.description().startswith(package + "_"):
            return kernel
        kernel_install(flavour, package, kernel.directory, log)
    return kernel


# Our init


def compiler_find():
    for name in [os.environ.get("CC", ""), "gcc", "cc", "clang"]:
        if name and shutil.which(name.split()[0]):
            return name.split()
    raise LabError("no C compiler: install the Debian packages gcc and libc6-dev")


def program_build(source_name, flags, log):
    """The path of one of our own programs for the VM, compiled when its source has changed."""
    source = os.path.join(HERE, source_name)
    with open(source, "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()[:16]
    cache = cache_dir()
    target = os.path.join(cache, f"{os.path.splitext(source_name)[0]}-{digest}")
    if os.path.exists(target):
        return target
    with Lock(cache):
        log(f"compiling the lab's {source_name}")
        with scratch_directory(cache) as scratch:
            built = os.path.join(scratch, "built")
            run_tool(compiler_find() + flags + ["-o", built, source])
            os.rename(built, target)
    return target


def init_build(log=lambda _: None):
    return program_build("init.c", ["-std=gnu17", "-O2", "-static", "-s"], log)


def rom_build(log=lambda _: None):
    """The firmware for Bochs: a flat file of 4 KiB that ends at the address 1 MiB."""
    link = ["-Wl,-Ttext=0xff000", "-Wl,--oformat=binary", "-Wl,--build-id=none"]
    return program_build("bochs-rom.S", ["-nostdlib", "-static", "-no-pie", *link], log)
