"""Reads from the kernel how much memory is available, and whether it killed a program because memory ran out."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from reconciler.host.lines import read_or_empty

# Exit codes for SIGKILL: -9 if the child itself was killed, 128 + 9 if the child is a shell and its own child was.
_KILLED = (-9, 128 + 9)
_CGROUPS = Path("/sys/fs/cgroup")
_OF_THE_HOST = Path("/proc/vmstat")


def available_memory() -> int | None:
    """Return how many bytes of the host's memory are available; None if the kernel does not report that."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", read_or_empty(Path("/proc/meminfo")), re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def oom_kills() -> int:
    """Return how many programs the kernel has killed because memory ran out; 0 if the kernel does not say.

    Only programs in Canon's cgroup count. If the kernel has no count for this cgroup, all programs of the host count.
    With cgroup version 1, programs in cgroups below Canon's do not count.
    """
    counts = next((path for path in count_files(Path("/proc/self/cgroup").read_text()) if path.exists()), _OF_THE_HOST)
    count = re.search(r"^oom_kill (\d+)$", counts.read_text(), re.MULTILINE)
    return int(count[1]) if count else 0


def was_oom_killed(code: int | None, before: int) -> bool:
    """Return True if the kernel probably killed a program because memory ran out, and False if not.

    This is probable if SIGKILL ended the program, and the kernel has killed programs for that reason meanwhile.
    * `code`: the program's exit code; None if unknown.
    * `before`: what `oom_kills` returned before the program started.
    """
    return code in _KILLED and oom_kills() > before


def count_files(cgroups: str) -> Iterator[Path]:
    """Yield the paths of files in which the kernel may count the programs that it killed because memory ran out.

    The files belong to Canon's cgroup, and need not exist. `cgroups` is the text of /proc/self/cgroup.
    """
    for line in cgroups.splitlines():
        number, controllers, path = line.split(":", 2)
        own = PurePosixPath(path).relative_to("/")
        if controllers == "memory":
            yield _CGROUPS / "memory" / own / "memory.oom_control"
        elif number == "0":
            yield _CGROUPS / own / "memory.events"
