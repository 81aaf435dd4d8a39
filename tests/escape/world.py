# SPDX-License-Identifier: Apache-2.0
"""What stands around a sandbox while an escape program runs in it: sentinels that must be afterwards as they were before."""
import ctypes
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time

SECRET = "RF-SECRET-"
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.shmat.restype = ctypes.c_void_p
LIBC.mq_open.restype = ctypes.c_int
# <linux/prctl.h>, <sys/ipc.h>, <linux/keyctl.h>
PR_SET_CHILD_SUBREAPER = 36
IPC_CREAT, IPC_EXCL, IPC_RMID, GETVAL, SETVAL = 0o1000, 0o2000, 0, 12, 16
SYS_ADD_KEY, SYS_KEYCTL, KEYCTL_READ, KEYCTL_REVOKE, KEY_SPEC_PROCESS_KEYRING = 248, 250, 11, 3, -2
SETTLE_SECONDS = 20  # for processes that are about to end; reached only if one stays
CLOCK_JUMP_SECONDS = 60
WATCHED = ["/etc/passwd", "/etc/group", "/etc/hostname", "/etc/hosts", "/etc", "/usr/bin", "/usr/share", "/"]
SETTINGS = ["kernel/core_pattern", "kernel/modprobe", "kernel/hostname", "kernel/domainname", "kernel/sysrq", "kernel/panic",
            "kernel/randomize_va_space", "kernel/pid_max", "vm/overcommit_memory", "fs/suid_dumpable"]

spawning = threading.Lock()  # held while a child is started and made known
known_children = set()


def become_subreaper():
    """Processes that a sandbox leaves behind become our children, where they are seen."""
    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def residency_of(program):
    report = subprocess.run([program, "doctor", "--json"], capture_output=True, text=True, check=False).stdout
    return json.loads(report).get("residency", "host")


def read_text(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError as error:
        return f"({error.strerror})"


def write_text(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def children_of_us():
    """Pids whose parent is this process."""
    found = set()
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    if int(file.read().rpartition(")")[2].split()[1]) == os.getpid():
                        found.add(int(name))
            except (OSError, IndexError):
                pass
    return found


def left_behind():
    """Children that nobody here has started; those that have ended are reaped."""
    with spawning:
        strangers = children_of_us() - known_children
    alive = set()
    for pid in strangers:
        try:
            if os.waitpid(pid, os.WNOHANG) == (0, 0):
                alive.add(pid)
        except ChildProcessError:
            pass
    return alive


def describe_file(path):
    """All of a file that must not change."""
    s = os.lstat(path)
    content = ""
    if stat.S_ISREG(s.st_mode):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
    elif stat.S_ISLNK(s.st_mode):
        content = os.readlink(path)
    times = s.st_mtime_ns if not stat.S_ISFIFO(s.st_mode) else 0
    return (s.st_mode, s.st_uid, s.st_gid, s.st_nlink, s.st_ino, s.st_rdev, times, content)


class Victim:
    """A process of the host that nobody may touch. It notes each signal and keeps a secret in its memory."""

    def __init__(self, secret):
        with spawning:
            self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), secret], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, text=True, start_new_session=True)
            known_children.add(self.process.pid)
        self.pid = self.process.pid
        self.address = int(self.process.stdout.readline())

    def state(self):
        """What the process says of itself, and what the host's kernel says of it."""
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            said = self.process.stdout.readline()
            return {"the victim says": said, "its priority": os.getpriority(os.PRIO_PROCESS, self.pid),
                    "its CPUs": sorted(os.sched_getaffinity(self.pid)), "its scheduler": os.sched_getscheduler(self.pid),
                    "its limits": [resource.prlimit(self.pid, limit) for limit in range(16)],
                    "its oom_score_adj": read_text(f"/proc/{self.pid}/oom_score_adj"),
                    "its timer slack": read_text(f"/proc/{self.pid}/timerslack_ns"),
                    "its group": os.getpgid(self.pid), "its tracer": self.tracer()}
        except (OSError, ValueError) as error:
            return {"the victim": f"is gone ({error})"}

    def tracer(self):
        return [line for line in read_text(f"/proc/{self.pid}/status").splitlines() if line.startswith("TracerPid")]

    def close(self):
        self.process.kill()
        self.process.communicate()
        with spawning:
            known_children.discard(self.pid)


def victim_main(secret):
    """The victim: prints the address of its secret, then, for each line it gets, the signals it has had and the secret."""
    signals = []
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, lambda which, frame: signals.append(which))
    memory = ctypes.create_string_buffer(secret.encode(), 64)
    print(ctypes.addressof(memory), flush=True)
    while sys.stdin.readline():
        print(signals, memory.value.decode("utf-8", "backslashreplace"), flush=True)


class SysV:
    """Shared memory, a semaphore and a message queue under one key, and a key in the kernel's keyring."""

    def __init__(self, token, secret):
        self.key = random.randrange(1 << 20, 1 << 30)
        self.shm = LIBC.shmget(self.key, 4096, IPC_CREAT | IPC_EXCL | 0o666)
        self.sem = LIBC.semget(self.key, 1, IPC_CREAT | IPC_EXCL | 0o666)
        self.msg = LIBC.msgget(self.key, IPC_CREAT | IPC_EXCL | 0o666)
        if min(self.shm, self.sem, self.msg) < 0:
            raise OSError(ctypes.get_errno(), "System V IPC objects")
        self.memory = LIBC.shmat(self.shm, None, 0)
        ctypes.memmove(self.memory, secret.encode(), len(secret))
        LIBC.semctl(self.sem, 0, SETVAL, 3)
        self.name = f"rf-escape-{token}"
        payload = secret.encode()
        self.serial = LIBC.syscall(SYS_ADD_KEY, b"user", self.name.encode(), payload, len(payload), KEY_SPEC_PROCESS_KEYRING)

    def state(self):
        payload = ctypes.create_string_buffer(256)
        LIBC.syscall(SYS_KEYCTL, KEYCTL_READ, self.serial, payload, 256)
        rows = {}
        for kind, number in (("shm", self.shm), ("sem", self.sem), ("msg", self.msg)):
            rows[f"the host's System V {kind}"] = [line.split()[:4] for line in read_text(f"/proc/sysvipc/{kind}").splitlines()
                                                   if line.split()[1:2] == [str(number)]]
        return {**rows, "the shared memory": ctypes.string_at(self.memory, 64), "the semaphore": LIBC.semctl(self.sem, 0, GETVAL),
                "the key": payload.value}

    def close(self):
        LIBC.shmdt(ctypes.c_void_p(self.memory))
        LIBC.shmctl(self.shm, IPC_RMID, None)
        LIBC.semctl(self.sem, 0, IPC_RMID)
        LIBC.msgctl(self.msg, IPC_RMID, None)
        if self.serial > 0:
            LIBC.syscall(SYS_KEYCTL, KEYCTL_REVOKE, self.serial)


class Posix:
    """A message queue, shared memory and a semaphore's file of one name."""

    def __init__(self, token, secret):
        self.name = f"/rf-escape-{token}"
        self.shm = "/dev/shm" + self.name
        self.sem = "/dev/shm/sem." + self.name[1:]
        write_text(self.shm, secret)
        write_text(self.sem, secret.ljust(32, "\0"))
        self.queue = LIBC.mq_open(self.name.encode(), os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NONBLOCK, 0o666, None)

    def state(self):
        attributes = (ctypes.c_long * 8)()
        LIBC.mq_getattr(self.queue, attributes)
        return {"the message queue": list(attributes)[:4], "POSIX shared memory": read_text(self.shm),
                "the POSIX semaphore": read_text(self.sem)}

    def close(self):
        for path in (self.shm, self.sem):
            if os.path.exists(path):
                os.unlink(path)
        LIBC.mq_close(self.queue)
        LIBC.mq_unlink(self.name.encode())


class Sockets:
    """Sockets that nobody may connect or send to."""

    def __init__(self, token):
        self.abstract = f"rf-escape-{token}"
        self.listeners = {}
        self.tcp = self.add("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)).getsockname()[1]
        self.udp = self.add("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)).getsockname()[1]
        self.add("abstract", socket.AF_UNIX, socket.SOCK_STREAM, "\0" + self.abstract)
        for name, kind, port in (("TCP by IPv6", socket.SOCK_STREAM, self.tcp), ("UDP by IPv6", socket.SOCK_DGRAM, self.udp)):
            try:
                self.add(name, socket.AF_INET6, kind, ("::1", port))
            except OSError:
                pass  # a host without IPv6 has nothing to connect to

    def add(self, name, family, kind, address):
        old = self.listeners.pop(name, None)
        if old:
            old.close()
        made = self.listeners[name] = socket.socket(family, kind)
        made.setblocking(False)
        made.bind(address)
        if kind == socket.SOCK_STREAM:
            made.listen(8)
        return made

    def state(self):
        return {f"the {name} socket": self.came(listener) for name, listener in self.listeners.items()}

    @staticmethod
    def came(listener):
        try:
            if listener.type == socket.SOCK_DGRAM:
                return listener.recv(100)
            listener.accept()[0].close()
            return "somebody connected"
        except BlockingIOError:
            return "nobody came"

    def close(self):
        for listener in self.listeners.values():
            listener.close()


class World:
    """Everything around one sandbox at a time. prepare() before a run, differences() after it."""

    def __init__(self, residency):
        self.residency = residency
        self.token = f"{random.randrange(1 << 64):016x}"
        self.secret = SECRET + self.token
        self.root = os.path.realpath(tempfile.mkdtemp(prefix="rf-escape-"))
        os.chmod(self.root, 0o755)
        self.base, self.outside = os.path.join(self.root, "base"), os.path.join(self.root, "outside")
        for directory in (self.base, self.outside):
            os.mkdir(directory)
        self.sockets = Sockets(self.token)
        self.fifos = {}
        self.make_files()
        self.victim = Victim(self.secret)
        self.sysv, self.posix = SysV(self.token, self.secret), Posix(self.token, self.secret)
        self.before = self.notes = None

    def path(self, name):
        return os.path.join(self.base, name)

    def make_files(self):
        for name in ("shelf", "secret"):
            os.mkdir(self.path(name))
        for name in ("secret/key", "secret/only-outside"):
            write_text(self.path(name), self.secret + "\n")
        for name in ("only-outside", "beside", "shelf/text"):
            write_text(self.path(name), name + "\n")
        for name in ("file", "secret/key", "dest/secret/key", "dest/only-outside"):
            path = os.path.join(self.outside, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            write_text(path, self.secret + "\n")
        for name in ("fifo", "shelf/fifo", "secret/fifo"):
            self.add_fifo(name)
        self.sockets.add("unix", socket.AF_UNIX, socket.SOCK_STREAM, self.path("socket"))

    def add_fifo(self, name):
        if name in self.fifos:
            os.close(self.fifos[name])
        os.mkfifo(self.path(name))
        self.fifos[name] = os.open(self.path(name), os.O_RDWR | os.O_NONBLOCK)

    def make_box(self):
        """The writable bind, new for each program."""
        box = self.path("box")
        shutil.rmtree(box, ignore_errors=True)
        shutil.rmtree(os.path.join(self.outside, "dest", "outgoing"), ignore_errors=True)
        os.makedirs(os.path.join(box, "swap"))
        os.makedirs(os.path.join(box, "outgoing", "deep"))
        write_text(os.path.join(box, "mine"), "mine\n")
        write_text(os.path.join(box, "swap", "key"), "harmless\n")
        for name, target in (("to-secret", self.path("secret/key")), ("to-secret-relative", "../secret/key"), ("to-base", ".."),
                             ("to-beside", "../beside")):
            os.symlink(target, os.path.join(box, name))
        self.add_fifo("box/fifo")
        self.sockets.add("unix in the bind", socket.AF_UNIX, socket.SOCK_STREAM, os.path.join(box, "socket"))

    def facts(self):
        """What the program is told, to make it easy: the environment inside."""
        return {"ESCAPE_INSIDE": "yes", "ESCAPE_BASE": self.base, "ESCAPE_OUTSIDE": self.outside,
                "ESCAPE_OUTSIDE_FILE": self.outside + "/file", "ESCAPE_VICTIM": self.victim.pid,
                "ESCAPE_VICTIM_ADDRESS": self.victim.address, "ESCAPE_VICTIM_GROUP": os.getpgid(self.victim.pid),
                "ESCAPE_RUNNER": os.getpid(), "ESCAPE_TCP": self.sockets.tcp, "ESCAPE_UDP": self.sockets.udp,
                "ESCAPE_ABSTRACT": self.sockets.abstract, "ESCAPE_IPC_KEY": self.sysv.key, "ESCAPE_SHM_ID": self.sysv.shm,
                "ESCAPE_SEM_ID": self.sysv.sem, "ESCAPE_MSG_ID": self.sysv.msg, "ESCAPE_POSIX_NAME": self.posix.name,
                "ESCAPE_KEY_NAME": self.sysv.name, "ESCAPE_KEY_SERIAL": self.sysv.serial}

    def caller_environment(self):
        """The environment of `ringfence`, with secrets that must not come along."""
        return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": self.outside, "LANG": "C.UTF-8",
                "ESCAPE_CALLER": self.secret, "AWS_SECRET_ACCESS_KEY": self.secret, "SSH_AUTH_SOCK": self.path("socket")}

    # ---- before and after ----

    def files(self):
        """All files beside the writable bind, and what is watched of the system."""
        found = {path: describe_file(path) if not os.path.isdir(path) else os.lstat(path)[:6] for path in WATCHED
                 if os.path.lexists(path)}
        for path in ("/etc", "/usr/bin", "/"):
            found[path + " lists"] = sorted(os.listdir(path))
        for top in (self.base, self.outside):
            for directory, names, files in os.walk(top):
                names[:] = [name for name in names if os.path.join(directory, name) != self.path("box") and name != "outgoing"]
                for name in names + files:
                    path = os.path.join(directory, name)
                    found[path] = describe_file(path) if name not in ("dest",) else "a directory"
        return found

    def odd_files_in_box(self):
        """Files that are dangerous for the host's users, or the host's own under a second name."""
        odd = []
        inodes = {os.lstat(path).st_ino for path in self.files() if path.startswith(self.base)}
        for directory, names, files in os.walk(self.path("box")):
            for name in names + files:
                s = os.lstat(os.path.join(directory, name))
                if (stat.S_ISREG(s.st_mode) and s.st_mode & 0o6000) or stat.S_ISBLK(s.st_mode) or stat.S_ISCHR(s.st_mode) or \
                        s.st_ino in inodes or name.startswith("core") or "security.capability" in \
                        os.listxattr(os.path.join(directory, name), follow_symlinks=False):
                    odd.append(name)
        return odd

    def system(self):
        return {"the host's name": os.uname()[:2], "the host's mounts": read_text("/proc/self/mounts"),
                "the host's swap": [line.split()[0] for line in read_text("/proc/swaps").splitlines()],
                "the host's modules": sorted(line.split()[0] for line in read_text("/proc/modules").splitlines()),
                "our oom_score_adj": read_text("/proc/self/oom_score_adj"),
                **{f"/proc/sys/{name}": read_text(f"/proc/sys/{name}") for name in SETTINGS}}

    def fifo_states(self):
        states = {}
        for name, descriptor in self.fifos.items():
            try:
                states[f"the fifo {name}"] = os.read(descriptor, 100)
            except BlockingIOError:
                states[f"the fifo {name}"] = "nothing"
        return states

    def state(self):
        return {**self.files(), **self.system(), **self.fifo_states(), **self.victim.state(), **self.sysv.state(),
                **self.posix.state(), **self.sockets.state(), "odd files in the writable bind": self.odd_files_in_box()}

    def prepare(self):
        self.notes = []
        self.make_box()
        self.before = self.state()
        self.clock = time.time() - time.monotonic()

    def note(self, text):
        """A companion saw something that must not happen."""
        self.notes.append("ESCAPED: " + text)

    def differences(self):
        """Lines about what is not as it was."""
        end = time.monotonic() + SETTLE_SECONDS
        while (left := left_behind()) and time.monotonic() < end:
            time.sleep(0.01)
        found = self.notes + [f"ESCAPED: process {pid} is left: {read_text(f'/proc/{pid}/cmdline')!r}" for pid in left]
        after = self.state()
        for what in sorted(self.before.keys() | after.keys()):
            before, now = self.before.get(what, "not there"), after.get(what, "not there")
            if before != now:
                found.append(f"ESCAPED: {what}: {before!r} before, {now!r} now"[:600])
        if abs(time.time() - time.monotonic() - self.clock) > CLOCK_JUMP_SECONDS:
            found.append("ESCAPED: the host's clock was set")
        return found

    def close(self):
        for thing in (self.victim, self.sysv, self.posix, self.sockets):
            thing.close()
        for descriptor in self.fifos.values():
            os.close(descriptor)
        shutil.rmtree(self.root, ignore_errors=True)


if __name__ == "__main__":
    victim_main(sys.argv[1])
