# SPDX-License-Identifier: Apache-2.0
"""What the host does while an escape program runs: swap directories, offer descriptors, be a terminal."""
import fcntl
import os
import pty
import socket
import struct
import termios
import threading

import world as worlds

HIGH_DESCRIPTOR = 300
AT_FDCWD, RENAME_EXCHANGE = -100, 2


class Companion:
    """Does nothing. One is made for each run; `stdin`, `descriptors` and `facts` go into it."""

    def __init__(self, world):
        self.world = world
        self.stdin = os.open(os.devnull, os.O_RDONLY)
        self.descriptors = ()
        self.facts = {}
        self.thread = None
        self.stopping = threading.Event()

    def in_child(self):
        """Between fork and exec."""

    def start(self):
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        """Until it is done or `stopping` is set."""

    def wait_for_file(self, path):
        while not os.path.exists(path):
            if self.stopping.wait(0.002):
                return False
        return True

    def finish(self):
        self.stopping.set()
        if self.thread:
            self.thread.join()
        os.close(self.stdin)
        self.check()

    def check(self):
        """After the run: world.note() for what must not be."""


class Swap(Companion):
    """Exchanges a directory of the bind with a link to the secret one, as fast as it can."""

    def work(self):
        box = self.world.path("box")
        link = os.path.join(box, "swap-link")
        os.symlink("../secret", link)
        a, b = os.path.join(box, "swap").encode(), link.encode()
        while not self.stopping.is_set():
            worlds.LIBC.renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE)


class MoveOut(Companion):
    """Moves a directory out of the bind when the program stands in it."""

    def work(self):
        box = self.world.path("box")
        if self.wait_for_file(os.path.join(box, "ready")):
            os.rename(os.path.join(box, "outgoing"), os.path.join(self.world.outside, "dest", "outgoing"))
            worlds.write_text(os.path.join(box, "moved"), "x")


class Descriptors(Companion):
    """Leaves descriptors open, as a careless caller does."""

    def __init__(self, world):
        super().__init__(world)
        self.pair = socket.socketpair()
        opened = [os.open(world.path("secret/key"), os.O_RDWR), os.open(world.path("secret"), os.O_RDONLY | os.O_DIRECTORY),
                  os.open("/", os.O_RDONLY | os.O_DIRECTORY), os.open("/dev/kvm", os.O_RDWR)]
        self.own = opened + [fcntl.fcntl(opened[0], fcntl.F_DUPFD, HIGH_DESCRIPTOR)]
        self.descriptors = tuple(self.own + [self.pair[0].fileno()])
        self.facts = {"ESCAPE_DESCRIPTORS": ",".join(str(fd) for fd in self.descriptors)}

    def check(self):
        for descriptor in self.own:
            os.close(descriptor)
        self.pair[1].setblocking(False)
        try:
            if self.pair[1].recv(100):
                self.world.note("something came through an inherited socket")
        except BlockingIOError:
            pass
        for end in self.pair:
            end.close()


class Give(Companion):
    """Hands a descriptor of the secret directory to whoever connects in the bind."""

    def __init__(self, world):
        super().__init__(world)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(world.path("box/give"))
        self.listener.listen(8)
        self.listener.settimeout(0.05)

    def work(self):
        secret = os.open(self.world.path("secret"), os.O_RDONLY | os.O_DIRECTORY)
        while not self.stopping.is_set():
            try:
                connection = self.listener.accept()[0]
            except TimeoutError:
                continue
            self.world.note("somebody connected to the socket in the bind")
            socket.send_fds(connection, [b"here"], [secret])
            connection.close()
        os.close(secret)

    def check(self):
        self.listener.close()


class Take(Companion):
    """Tries to connect to the socket that the program has made in the bind."""

    def work(self):
        ready = self.world.path("box/ready")
        if not self.wait_for_file(ready):
            return
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_UNIX, kind) as client:
                try:
                    client.connect(self.world.path("box/take"))
                    self.world.note("the host could connect to a socket of the program")
                except OSError:
                    pass
        os.unlink(ready)


class Terminal(Companion):
    """Standard input is a terminal, the controlling one of the caller. Nothing may be typed into it or changed on it."""

    def __init__(self, world):
        super().__init__(world)
        os.close(self.stdin)
        self.master, self.stdin = pty.openpty()
        self.watched = os.dup(self.stdin)
        os.set_blocking(self.master, False)
        self.before = self.state()

    def in_child(self):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def state(self):
        waiting = struct.unpack("i", fcntl.ioctl(self.watched, termios.FIONREAD, b"\0" * 4))[0]
        try:
            echoed = os.read(self.master, 4096)
        except OSError:
            echoed = b""
        return {"characters waiting": waiting, "characters shown": echoed, "modes": termios.tcgetattr(self.watched),
                "size": fcntl.ioctl(self.watched, termios.TIOCGWINSZ, b"\0" * 8)}

    def check(self):
        for what, value in self.state().items():
            if value != self.before[what]:
                self.world.note(f"the terminal's {what}: {self.before[what]!r} before, {value!r} now")
        os.close(self.master)
        os.close(self.watched)


KINDS = {None: Companion, "swap": Swap, "moveout": MoveOut, "descriptors": Descriptors, "give": Give, "take": Take,
         "terminal": Terminal}


def make(name, world):
    return KINDS[name](world)
