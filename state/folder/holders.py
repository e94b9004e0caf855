"""Finds the process that holds a lock, by the kernel. The text in a lock file may be of a process that is gone."""

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from attrs import frozen

from state.folder.process_identity import state_and_start

PROC = Path("/proc")

_CLOCK_ERROR = 2.0


@frozen
class Holder:
    """A process that holds a lock. `since` is when the process started.

    `heir` is True if the process did not take the lock, but inherited it from a process that is gone.
    """

    pid: int
    command: str
    since: datetime
    heir: bool = False

    def __str__(self) -> str:
        inherited = ", which inherited it from a process that is gone" if self.heir else ""
        return f"pid {self.pid} ({self.command}) since {self.since:%Y-%m-%d %H:%M:%S} UTC{inherited}"


def holder(path: Path) -> Holder | None:
    """Return the process that holds the lock on the file `path`; None if no such process is found.

    If several processes hold the lock, return one that took it, and not one that inherited it. This function does not
    take the lock.
    """
    try:
        info = path.lstat()
    except FileNotFoundError:
        return None
    # Within a container the kernel does not list a lock that was inherited from a process that is gone.
    takers = [(lock.pid, lock.device) for lock in kernel_locks(info.st_ino) if lock.kind == "FLOCK"]
    holders = tuple(pid for pid in _pids() if _holds(pid, info))
    heirs = (_describe(pid, heir=True) for pid in holders if pid not in {taker for taker, _ in takers})
    owners = (_describe(pid, heir=False) for pid, _ in takers if pid in holders)
    # The descriptors of another user's process cannot be read, but the kernel's list names the process. If others have
    # inherited the lock, the listed process may be gone. If another process has its pid now, that started later.
    unseen = (_describe(pid, heir=False) for pid, device in takers if not holders and device == _device(info))
    unseen_takers = (taker for taker in unseen if taker and taker.since.timestamp() <= info.st_mtime + _CLOCK_ERROR)
    return next(filter(None, chain(owners, heirs, unseen_takers)), None)


@frozen
class KernelLock:
    """A lock on a file, as the kernel lists it in /proc/locks.

    * `kind`: FLOCK or POSIX. `mode`: READ or WRITE.
    * `pid`: the process that took the lock, which may be gone.
    * `device`: the device of the file as "MAJOR:MINOR" in hexadecimal, such as "fd:01".
    """

    kind: str
    mode: str
    pid: int
    device: str


def kernel_locks(inode: int) -> Iterator[KernelLock]:
    """Yield all locks that are held on files with this inode number, on any device.

    The locks are read from /proc/locks. A line there is `1: FLOCK  ADVISORY  WRITE 4242 fd:01:393230 0 EOF`. A line
    with `->` before the kind is left out, because its process only waits for the lock. The device is not compared,
    because /proc/locks and `stat` name different devices for a file on btrfs and on an overlay; see `is_flocked`.
    """
    for line in (PROC / "locks").read_text("ascii").splitlines():
        _, kind, _, mode, pid, place, *_ = line.split()
        device, _, number = place.rpartition(":")
        if kind != "->" and number == str(inode):
            yield KernelLock(kind, mode, int(pid), device)


def is_flocked(path: Path) -> bool:
    """Return whether a process holds a flock on the file `path`; False if there is no file. The lock is not taken.

    The file is recognised by its inode number and its device, or by the inode number alone if the device is not known.
    """
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        devices = {lock.device for lock in kernel_locks(os.fstat(handle).st_ino) if lock.kind == "FLOCK"}
        return bool(devices) and _listed_device(handle) in {None, *devices}
    finally:
        os.close(handle)


def _listed_device(handle: int) -> str | None:
    """Return the device of an open file as /proc/locks writes it; None if the file's mount is not listed.

    `handle` is the descriptor of the file. The device is read from the list of mounts, because `stat` names another
    device on btrfs and on an overlay.
    """
    fdinfo = (PROC / "self" / "fdinfo" / str(handle)).read_text("ascii")
    return device_of_mount(fdinfo, (PROC / "self" / "mountinfo").read_bytes())


def device_of_mount(fdinfo: str, mountinfo: bytes) -> str | None:
    """Return the device of an open file as "MAJOR:MINOR" in hexadecimal; None if its mount is not in `mountinfo`.

    `fdinfo` is the content of /proc/self/fdinfo/N for the descriptor N of the file. `mountinfo` is the content of
    /proc/self/mountinfo. A line of `mountinfo` begins like `29 1 254:0 /`: the number of the mount, the number of its
    parent, and its device in decimal.
    """
    _, _, rest = fdinfo.partition("mnt_id:")
    lines = [line.split(maxsplit=3) for line in mountinfo.splitlines()]
    devices = {int(mount): device for mount, _, device, *_ in lines}
    major, _, minor = devices.get(int(rest.split()[0]), b"").partition(b":")
    return f"{int(major):02x}:{int(minor):02x}" if major else None


def _device(info: os.stat_result) -> str:
    """Return the device of a file as /proc/locks writes it: "MAJOR:MINOR" in hexadecimal."""
    return f"{os.major(info.st_dev):02x}:{os.minor(info.st_dev):02x}"


def _pids() -> list[int]:
    return sorted(int(entry) for entry in os.listdir(PROC) if entry.isdecimal())  # noqa: PTH208 - names, not paths


def _holds(pid: int, info: os.stat_result) -> bool:
    """Return whether a descriptor of the process `pid` holds a flock on the file with the stat `info`.

    Return False if the descriptors cannot be read.
    """
    try:
        descriptors = os.listdir(PROC / str(pid) / "fd")  # noqa: PTH208 - names, not paths
    except OSError:
        return False
    return any(_is_locked_by(PROC / str(pid), descriptor, info) for descriptor in descriptors)


def _is_locked_by(process: Path, descriptor: str, info: os.stat_result) -> bool:
    """Return whether this descriptor holds a flock on the file with the stat `info`.

    `process` is the folder /proc/PID.
    """
    try:
        if not os.path.samestat((process / "fd" / descriptor).stat(), info):
            return False
        # Only descriptors of the open file that took the lock have a line `lock:`, not every one of the same path.
        text = (process / "fdinfo" / descriptor).read_text("ascii")
    except OSError:
        return False
    return any(line.startswith("lock:") and "FLOCK" in line for line in text.splitlines())


def _describe(pid: int, *, heir: bool) -> Holder | None:
    """Return the process `pid` as the holder of a lock, with its command and its start; None if the process is gone.

    `heir` is True if the process did not take the lock, but inherited it.
    """
    process = PROC / str(pid)
    try:
        words = (process / "cmdline").read_bytes() or (process / "comm").read_bytes()
        stat = (process / "stat").read_bytes()
    except OSError:
        return None
    command = os.fsdecode(words.strip(b"\0\n").replace(b"\0", b" "))
    return Holder(pid, command, _started(stat), heir)


def _started(stat: bytes) -> datetime:
    """Return when a process started. `stat` is the content of /proc/PID/stat."""
    _, ticks = state_and_start(stat)
    booted = re.search(r"^btime (\d+)$", (PROC / "stat").read_text("ascii"), re.MULTILINE)
    seconds = int(booted[1]) if booted else 0
    return datetime.fromtimestamp(seconds + ticks / os.sysconf("SC_CLK_TCK"), UTC)
