# SPDX-License-Identifier: Apache-2.0
"""Tests of the runner itself: what it must report as an escape, and that the programs refuse to run outside."""
import ctypes
import os
import re
import select
import signal
import socket
import subprocess
import sys

import companions
import world as worlds

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_INSIDE = 77


def expect_reported(lines, part):
    """No lines if one of `lines` is an escape that names `part`, else what is wrong."""
    if any(line.startswith("ESCAPED") and part in line for line in lines):
        return []
    return [f"not reported: {part}", *lines]


# ---- damage done by hand: (what, words of the report, function of the world) ----

def write_to_victim(world):
    with open(f"/proc/{world.victim.pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(world.victim.address)
        memory.write(b"overwritten")


def connect(family, kind, address):
    with socket.socket(family, kind) as client:
        if kind == socket.SOCK_DGRAM:
            client.sendto(b"x", address)
        else:
            client.connect(address)


def leave_process(_world):
    """A grandchild whose parent ends, as a monitor that nobody ends."""
    subprocess.run([sys.executable, "-c", "import subprocess; subprocess.Popen(['sleep', '1000'])"], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


DAMAGE = [
    ("a changed file beside", "beside", lambda w: worlds.write_text(w.path("beside"), "changed")),
    ("a new file", "new", lambda w: worlds.write_text(w.path("secret/new"), "")),
    ("a lost file", "only-outside", lambda w: os.unlink(w.path("only-outside"))),
    ("a changed mode", "secret/key", lambda w: os.chmod(w.path("secret/key"), 0o777)),
    ("a device in the bind", "odd files", lambda w: os.mknod(w.path("box/mem"), 0o20666, os.makedev(1, 3))),
    ("a set-id file in the bind", "odd files", lambda w: os.chmod(w.path("box/mine"), 0o4755)),
    ("a second name in the bind", "odd files", lambda w: os.link(w.path("shelf/text"), w.path("box/text"))),
    ("a core file in the bind", "odd files", lambda w: worlds.write_text(w.path("box/core"), "")),
    ("a signal to the victim", "the victim says", lambda w: os.kill(w.victim.pid, signal.SIGUSR1)),
    ("the victim's memory", "the victim says", write_to_victim),
    ("the victim's priority", "its priority", lambda w: os.setpriority(os.PRIO_PROCESS, w.victim.pid, 5)),
    ("the victim's limits", "its limits", lambda w: worlds.resource.prlimit(w.victim.pid, worlds.resource.RLIMIT_CORE, (0, 0))),
    ("a TCP connection", "the TCP socket", lambda w: connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", w.sockets.tcp))),
    ("a UDP datagram", "the UDP socket", lambda w: connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", w.sockets.udp))),
    ("a unix connection", "the unix socket", lambda w: connect(socket.AF_UNIX, socket.SOCK_STREAM, w.path("socket"))),
    ("a connection in the bind", "unix in the bind", lambda w: connect(socket.AF_UNIX, socket.SOCK_STREAM, w.path("box/socket"))),
    ("an abstract connection", "the abstract", lambda w: connect(socket.AF_UNIX, socket.SOCK_STREAM, "\0" + w.sockets.abstract)),
    ("bytes in a fifo", "the fifo fifo", lambda w: os.write(w.fifos["fifo"], b"x")),
    ("the shared memory", "the shared memory", lambda w: ctypes.memmove(w.sysv.memory, b"changed", 7)),
    ("the semaphore", "the semaphore", lambda w: worlds.LIBC.semctl(w.sysv.sem, 0, worlds.SETVAL, 9)),
    ("the message queue", "the message queue", lambda w: worlds.LIBC.mq_send(w.posix.queue, b"x", 1, 0)),
    ("POSIX shared memory", "POSIX shared memory", lambda w: worlds.write_text(w.posix.shm, "changed")),
    ("the end of the victim", "the victim", lambda w: (w.victim.process.kill(), w.victim.process.wait())),
]


def damage_reported(runner, words, function):
    world = worlds.World(runner.options.residency)
    try:
        world.prepare()
        quiet = world.differences()
        function(world)
        return [f"reported without damage: {line}" for line in quiet] + expect_reported(world.differences(), words)
    finally:
        world.close()


def process_reported(runner):
    world = worlds.World(runner.options.residency)
    old, worlds.SETTLE_SECONDS = worlds.SETTLE_SECONDS, 0.2
    try:
        world.prepare()
        leave_process(world)
        return expect_reported(world.differences(), "is left")
    finally:
        worlds.SETTLE_SECONDS = old
        for pid in worlds.left_behind():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        world.close()


def typing_reported(runner):
    """A character typed into the caller's terminal, and modes changed."""
    world = worlds.World(runner.options.residency)
    try:
        world.prepare()
        terminal = companions.Terminal(world)
        os.write(terminal.master, b"x\n")
        select.select([terminal.watched], [], [], worlds.SETTLE_SECONDS)  # the terminal passes it on in its own time
        terminal.finish()
        return expect_reported(world.differences(), "characters waiting")
    finally:
        world.close()


# ---- walls taken down on purpose ----

def permitted_reported(runner, program, permitted, words):
    world = worlds.World(runner.options.residency)
    try:
        return expect_reported(runner.judge_in(world, program, permitted(world)), words)
    finally:
        world.close()


def wrong_evidence_reported(runner, program_class):
    """A program that is stopped, but by something else than its comment says."""
    world = worlds.World(runner.options.residency)
    program = program_class("ring01")
    try:
        world.prepare()
        run = runner.start(world, program)
        expected = program.expected(runner.options.residency)
        faults = []
        for what, changed in (("less", expected[:-1]), ("more", expected + [["stopped: by magic"]]),
                              ("other", [["stopped: by magic"]] + expected[1:])):
            if not runner.judge_evidence(run, changed, 0):
                faults.append(f"not reported: {what} evidence than expected")
        if not runner.judge_evidence(run, expected, 3):
            faults.append("not reported: another exit status")
        run.output = b""
        if not runner.judge_evidence(run, [], 0):
            faults.append("not reported: no evidence at all")
        return faults
    finally:
        world.close()


def messages_reported(runner):
    faults = [] if not runner.judge_messages(b"ringfence: good\n", "token") else ["a good message was reported"]
    for bad in (b"\x1b]0;owned\x07\n", b"\x9b31m", "\x9b31m".encode(), b"a\rb", b"the token"):
        if not runner.judge_messages(bad, "token"):
            faults.append(f"not reported: {bad!r}")
    return faults


def refuses_outside(runner):
    """Outside, and told that it is inside, a program still refuses; and every source has escape.h's main()."""
    faults = []
    for environment in ({}, {"ESCAPE_INSIDE": "yes"}):
        run = subprocess.run([os.path.join(runner.options.dir, "ring01")], env=environment, capture_output=True, check=False)
        if run.returncode != NOT_INSIDE or run.stdout:
            faults.append(f"ring01 outside: status {run.returncode}, {run.stdout!r}")
    for name in sorted(os.listdir(HERE)):
        if name.endswith(".c"):
            text = worlds.read_text(os.path.join(HERE, name))
            if not re.search(r'#include "escape/(escape|instruction)\.h"', text) or re.search(r"\bmain\s*\(", text) or \
                    "__attribute__((constructor" in text:
                faults.append(f"{name} is not guarded")
    return faults


def cases(runner, program_class):
    """(name, function that returns lines of a failure)"""
    def open_secret(world):
        return {"secret": True, "binds": ["--rw", world.path("secret")]}

    def open_beside(world):
        return {"binds": ["--rw", world.path("beside")]}

    found = [(f"{name} is reported", lambda words=words, function=function: damage_reported(runner, words, function))
             for name, words, function in DAMAGE]
    found += [
        ("a left process is reported", lambda: process_reported(runner)),
        ("typing into the terminal is reported", lambda: typing_reported(runner)),
        ("a secret that can be read is reported",
         lambda: permitted_reported(runner, program_class("dotdot01"), open_secret, "has the secret")),
        ("a file beside that can be written is reported",
         lambda: permitted_reported(runner, program_class("dotdot02"), open_beside, "../beside gave")),
        ("evidence other than expected is reported", lambda: wrong_evidence_reported(runner, program_class)),
        ("control characters in messages are reported", lambda: messages_reported(runner)),
        ("programs refuse to run outside", lambda: refuses_outside(runner)),
    ]
    return found
