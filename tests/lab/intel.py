# SPDX-License-Identifier: Apache-2.0
"""The Intel part of run-lab: one boot of tools/lab/lab --vendor intel (Bochs, VMX), without Python or host files in the VM.

A shell script runs there, made here: the doctor, platform tests, guest programs natively and inside. Bochs executes
some fifty million instructions per second on one CPU, so this is a selection; names on the command line replace it.
"""
import fnmatch
import importlib.machinery
import importlib.util
import os
import re
import shlex

# Platform tests, with the cases left out (as in TESTS_NOT). docs/vendors.md says why, for each.
PLATFORM = {
    "test-platform-boot": "", "test-platform-context": "", "test-platform-fault": "", "test-platform-flags": "",
    "test-platform-fpu": "all_components_survive_faults_*,no_component_is_left_*", "test-platform-fuzz": "",
    "test-platform-instructions": "instructions_without_a_host_*", "test-platform-interrupt": "events_survive_*",
    "test-platform-memory": "", "test-platform-probe": "", "test-platform-registers": "", "test-platform-switch": "",
}
GUEST = ["args01", "bases01", "cpu01", "fork01", "fpu01", "futex01", "nmi01", "selector*", "sig01"]
# KPTI is on by itself on these models, which have PCID and INVPCID: without each, too.
VARIANTS = [["--kpti", "off"], ["--cpu-features=-pcid"], ["--cpu-features=-invpcid"]]
VARIANT_PROGRAMS = ["fork01", "sig01"]
# Seconds of the VM, of which each takes three or four of ours.
LIMIT_PLATFORM, LIMIT_GUEST = 12, 6
PROGRAMS = ["/bin/sh", "/bin/cat", "/usr/bin/cmp", "/usr/bin/timeout"]

SCRIPT_HEAD = """\
export CMOCKA_MESSAGE_OUTPUT=TAP GUEST_TEST='a value = with spaces'
platform() {
	read -r start _ </proc/uptime
	echo "@@ begin $1"
	TESTS_NOT="$2" timeout -k 1 {platform} "$dir/platform/$1" 2>&1
	status=$?
	read -r now _ </proc/uptime
	echo "@@ end $status $start $now"
}
guest() {
	name=$1
	shift
	label="$name${*:+ $*}"
	native=0
	: >/tmp/native
	case $name in
	inside*) ;;
	*) timeout -k 1 {guest} "$dir/guest/$name" >/tmp/native 2>/tmp/native.err; native=$? ;;
	esac
	timeout -k 1 {guest} "$bin" run --env-all --env GUEST_INSIDE=yes --residency {residency} "$@" -- "$dir/guest/$name" \\
		>/tmp/inside 2>/tmp/inside.err
	status=$?
	case $name in
	inside*) cat /tmp/inside >/tmp/native ;;
	esac
	read -r now _ </proc/uptime
	if [ "$native $status" = '0 0' ] && cmp -s /tmp/native /tmp/inside; then
		echo "ok 0 - $label (until $now s)"
	else
		echo "not ok 0 - $label"
		echo "natively $native, inside $status; outputs natively and inside, messages:"
		cat /tmp/native /tmp/inside /tmp/native.err /tmp/inside.err
	fi
}
"""


def guest_runner(root):
    path = os.path.join(root, "tests", "guest", "run-guest")
    loader = importlib.machinery.SourceFileLoader("run_guest", path)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("run_guest", loader))
    loader.exec_module(module)
    return module


def matching(directory, pattern, names):
    there = sorted(name for name in os.listdir(directory) if re.fullmatch(pattern, name)) if os.path.isdir(directory) else []
    return [name for name in there if any(fnmatch.fnmatch(name, wanted) for wanted in names)]


def selection(options):
    """(platform tests, guest programs)."""
    platform = matching(os.path.join(options.build, "tests", "platform"), "test-[a-z0-9-]+", options.names or PLATFORM)
    guest = matching(options.guest, "[a-z]+[0-9]+[a-z]*", options.names or GUEST)
    return platform, guest


def script(options, root, platform, guest):
    head = SCRIPT_HEAD
    for key, value in (("platform", LIMIT_PLATFORM), ("guest", LIMIT_GUEST), ("residency", options.residency)):
        head = head.replace("{" + key + "}", str(value))
    lines = [head, f"dir={shlex.quote(os.path.join(options.build, 'tests'))}", f"bin={shlex.quote(options.bin)}", "cd /",
             'echo "@@ begin doctor"', '"$bin" doctor', 'echo "@@ end $?"']
    lines += [f"platform {name} '{PLATFORM.get(name, '')}'" for name in platform]
    runner = guest_runner(root)
    runs = [[name, *runner.options_of(name)] for name in guest]
    runs += [[name, *variant] for variant in VARIANTS for name in guest if name in VARIANT_PROGRAMS]
    lines += ['echo "@@ begin guest"'] + [shlex.join(["guest", *run]) for run in runs]
    return "\n".join(lines) + f"\necho '1..{len(runs)}'\necho '@@ end 0'\necho '@@ done'\n"


def judge_doctor(tap, lines, status):
    """Every check of the probe passes on VMX, and the kernel may be resident in the guest."""
    bad = [line for line in lines if re.match(r"(missing|broken|slow|skipped)\s", line)]
    good = status == 0 and not bad and any("resident in the guest" in line for line in lines)
    tap.result(good, "doctor: every check passes, residency guest", lines if not good else [])


class Reader:
    """The script's output: one reader for each program in it."""

    def __init__(self, tap, label, new_reader):
        self.tap, self.label, self.new_reader = tap, label, new_reader
        self.program = self.name = None
        self.lines = []
        self.done = False

    def line(self, line):
        match = re.match(r"@@ (begin|end|done)\s*(\S*)(?: (\S+) (\S+))?", line)
        if not match:
            self.lines.append(line)
            if self.program:
                self.program.line(line)
        elif match.group(1) == "begin":
            self.name, self.lines = match.group(2), []
            self.program = self.new_reader(f"{self.label} {self.name}") if self.name != "doctor" else None
        elif match.group(1) == "end":
            status = int(match.group(2))
            if self.program:
                self.program.finish(None if status == 124 else status, LIMIT_PLATFORM)
            else:
                judge_doctor(self.tap, self.lines, status)
            self.program = None
            if match.group(3):
                print(f"# {self.name}: {float(match.group(4)) - float(match.group(3)):.1f} s of the VM", flush=True)
        else:
            self.done = True


def run(tap, options, root, stream, new_reader, limit):
    """Boots, runs the selection, adds its results to tap."""
    label = f"intel {options.cpu or 'broadwell_ult'}"
    platform, guest = selection(options)
    if not platform and not guest:
        tap.result(False, f"{label}: nothing selected")
        return
    command = [os.path.join(root, "tools", "lab", "lab"), "run", "--vendor", "intel", "--quiet", "--timeout", str(int(limit))]
    command += ["--cpu", options.cpu] if options.cpu else []
    files = PROGRAMS + [options.bin]
    files += [os.path.join(options.build, "tests", "platform", name) for name in platform]
    files += [os.path.join(options.guest, name) for name in guest]
    for path in files:
        command += ["--file", path]
    reader = Reader(tap, label, new_reader)
    status = stream([*command, "--", "/bin/sh", "-c", script(options, root, platform, guest)], limit + 20, {}, reader.line)
    if not reader.done:
        tap.result(False, f"{label}: not finished, status {status}, in {reader.name}", reader.lines[-30:])
