"""Decides how many recipes this host can bear to try at once."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from reconciler.host.lines import read_or_empty
from reconciler.host.memory import available_memory

_GIB = 1024**3
_CORES_EACH = 2
_BYTES_EACH = 4 * _GIB
_CGROUPS = Path("/sys/fs/cgroup")


def bearable() -> int:
    """Return how many recipes this host can try at once, at least 1.

    Two cores and 4 GiB of memory are counted for each recipe. Only memory that is available now counts, because other
    apps of the host go on running.
    """
    return recipes_at_once(len(os.sched_getaffinity(0)), _memory_left())


def recipes_at_once(cores: int, memory: int) -> int:
    """Return how many recipes can be tried at once with this many cores and bytes of memory, at least 1."""
    return max(1, min(cores // _CORES_EACH, memory // _BYTES_EACH))


def _memory_left() -> int:
    """Return how many bytes of memory Canon can still use: the smallest of what the host and its cgroups have left.

    Return 0 if the kernel does not report the memory of the host.
    """
    return min([available_memory() or 0, *_left_in_cgroups(read_or_empty(Path("/proc/self/cgroup")))])


def _left_in_cgroups(cgroups: str) -> Iterable[int]:
    """Yield how many bytes of memory are left in Canon's cgroup, and in each cgroup above it.

    Cgroups without a limit are left out. `cgroups` is the text of /proc/self/cgroup.
    """
    own = re.search(r"^0::/(.*)$", cgroups, re.MULTILINE)
    folder = _CGROUPS / own[1] if own else _CGROUPS
    for each in (folder, *folder.parents):
        limit, used = read_or_empty(each / "memory.max").strip(), read_or_empty(each / "memory.current").strip()
        if limit.isdigit() and used.isdigit():
            yield max(0, int(limit) - int(used))
