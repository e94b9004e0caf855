"""Finds out whether the kernel killed a program because memory ran out, from the kernel's counts."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# SIGKILL in an exit code: negative if the child itself was killed, above 128 if a shell reports that of its own child.
_KILLED = (-9, 128 + 9)
_CGROUPS = Path("/sys/fs/cgroup")
_OF_THE_HOST = Path("/proc/vmstat")


def oom_kills() -> int:
    """Return how many programs the kernel has killed because memory ran out; 0 if it does not report that.

    Counts the programs in Canon's cgroup, or on the whole host if the cgroup has no count. With cgroup version 1,
    programs in child cgroups are not counted.
    """
    counts = next((path for path in count_files(Path("/proc/self/cgroup").read_text()) if path.exists()), _OF_THE_HOST)
    count = re.search(r"^oom_kill (\d+)$", counts.read_text(), re.MULTILINE)
    return int(count[1]) if count else 0


def was_oom_killed(code: int | None, before: int) -> bool:
    """Whether a program that ended with `code` was probably killed for memory. `before` is the count at its start."""
    return code in _KILLED and oom_kills() > before


def count_files(cgroups: str) -> Iterator[Path]:
    """Yield the files that may have the count of Canon's cgroup, from the text of /proc/self/cgroup."""
    for line in cgroups.splitlines():
        number, controllers, path = line.split(":", 2)
        own = PurePosixPath(path).relative_to("/")
        if controllers == "memory":
            yield _CGROUPS / "memory" / own / "memory.oom_control"
        elif number == "0":
            yield _CGROUPS / own / "memory.events"
