"""What the kernel kills for want of memory looks like any other program that was killed; its own counts tell."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

# As a signal ends a child of ours, and as a shell tells of one of its own.
_KILLED = (-9, 128 + 9)
_CGROUPS = Path("/sys/fs/cgroup")
_OF_THE_HOST = Path("/proc/vmstat")


def oom_kills() -> int:
    """How many programs it has killed for that: of our cgroup, or of the whole host where there is none; 0 if untold.

    Counted since it began; before cgroup version 2 without the cgroups below ours.
    """
    counts = next((path for path in count_files(Path("/proc/self/cgroup").read_text()) if path.exists()), _OF_THE_HOST)
    found = re.search(r"^oom_kill (\d+)$", counts.read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def was_oom_killed(code: int | None, before: int) -> bool:
    """Whether what ended with `code` was killed for that, as far as can be told; there were so many `before` it."""
    return code in _KILLED and oom_kills() > before


def count_files(told: str) -> Iterator[Path]:
    """Where the counts of our cgroup are, from what the kernel tells of it: a line for each hierarchy."""
    for line in told.splitlines():
        number, controllers, path = line.split(":", 2)
        own = PurePosixPath(path).relative_to("/")
        if controllers == "memory":
            yield _CGROUPS / "memory" / own / "memory.oom_control"
        elif number == "0":
            yield _CGROUPS / own / "memory.events"
