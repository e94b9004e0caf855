"""Boots a real systemd over a temporary overlay of this machine's root file system."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

SCRIPT = Path(__file__).with_suffix(".sh")
PATIENCE = 60.0
LOGIN = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}


def obstacle() -> str:
    """Return why no systemd can be booted here; "" if it can."""
    if os.geteuid() != 0:
        return "booting a systemd needs root"
    lacking = [tool for tool in ("unshare", "nsenter", "setpriv", "pivot_root", "systemctl") if not shutil.which(tool)]
    if lacking:
        return f"booting a systemd needs {', '.join(lacking)}"
    probe = subprocess.run(["unshare", "--mount", "--pid", "--net", "--fork", "true"], capture_output=True, check=False)
    return "" if probe.returncode == 0 else f"no namespaces here: {probe.stderr.decode().strip()}"


@frozen
class BootedMachine:
    """A booted systemd. `pid` is its process 1, seen from outside."""

    pid: int

    def run(self, *argv: str, code: int | None = 0) -> str:
        """Run `argv` with a login's environment and return its output. `code` None allows any exit code."""
        entered = ["nsenter", "--target", str(self.pid), "--all", "--", *argv]
        done = subprocess.run(entered, env=LOGIN, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert code is None or done.returncode == code, f"{argv}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def write(self, path: str, text: str) -> None:
        """Write a file of the machine, with its folders."""
        script = 'mkdir -p "$(dirname "$1")" && printf %s "$2" >"$1"'
        self.run("sh", "-c", script, "sh", path, text)

    def release(self, repository: str, tag: str) -> None:
        """Commit all files of a repository of the machine, and tag the commit."""
        git = ("git", "-C", repository, "-c", "user.name=Tests", "-c", "user.email=tests@example.org")
        self.run(*git, "add", "--all")
        self.run(*git, "commit", "--quiet", "--allow-empty", "--message", tag)
        self.run(*git, "tag", tag)

    def property(self, unit: str, name: str) -> str:
        return self.run("systemctl", "show", unit, f"--property={name}", "--value").strip()

    def journal(self, unit: str) -> str:
        return self.run("journalctl", "--no-pager", "--output=cat", f"--unit={unit}")


@contextmanager
def booted(shared: Sequence[Path] = (), root: Path = Path("/")) -> Iterator[BootedMachine]:
    """Boot, and halt at the end. The machine sees `shared` folders read-only, at the same paths.

    `root` is its root file system, which it does not change; the default is this machine's.
    """
    with TemporaryDirectory(prefix="canon-boot-") as base, _own_group(Path(base).name) as group:
        new = ["--mount", "--pid", "--uts", "--ipc", "--net", "--fork", "--kill-child", "--propagation=private"]
        script = ["bash", str(SCRIPT), str(group), base, str(root), *map(str, shared)]
        with subprocess.Popen(["setpriv", "--pdeathsig=KILL", "unshare", *new, "--", *script]) as starter:
            try:
                yield _wait_until_up(starter)
            finally:
                _halt(starter)


@contextmanager
def _own_group(name: str) -> Iterator[Path]:
    """Make a control group (version 2) below our own, and remove it at the end."""
    group = control_group("self") / name
    group.mkdir()
    try:
        yield group
    finally:
        for folder, _, _ in os.walk(group, topdown=False):
            Path(folder).rmdir()


def control_group(pid: int | str) -> Path:
    """Return the folder of a process's control group (version 2)."""
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    root = next(fields[1] for fields in mounts if fields[2] == "cgroup2")
    own = next(line for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))
    return Path(root) / own.removeprefix("0::").strip("/")


def _wait_until_up(starter: "subprocess.Popen[bytes]") -> BootedMachine:
    """Return the machine once its systemd has finished booting."""
    give_up = time.monotonic() + PATIENCE
    while time.monotonic() < give_up and starter.poll() is None:
        for child in _children(starter.pid):
            machine = BootedMachine(child)
            if machine.run("systemctl", "is-system-running", code=None).strip() in {"running", "degraded"}:
                return machine
        time.sleep(0.1)
    raise AssertionError("systemd did not come up")


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]


def _halt(starter: "subprocess.Popen[bytes]") -> None:
    """Ask systemd to halt, and kill it if it does not within PATIENCE seconds."""
    with suppress(OSError):
        for child in _children(starter.pid):
            os.kill(child, signal.SIGRTMIN + 3)
    with suppress(subprocess.TimeoutExpired):
        starter.wait(PATIENCE)
    starter.kill()
    starter.wait()
