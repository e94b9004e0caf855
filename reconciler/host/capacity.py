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
    """Return how many recipes this host bears to try at once, at least 1.

    A trial gets two cores and 4 GiB of the memory that is available now: other apps of the host go on beside it.
    """
    return recipes_at_once(len(os.sched_getaffinity(0)), _memory_left())


def recipes_at_once(cores: int, memory: int) -> int:
    """Return how many recipes can be tried at once with `cores` cores and `memory` bytes of memory."""
    return max(1, min(cores // _CORES_EACH, memory // _BYTES_EACH))


def _memory_left() -> int:
    """Return the bytes of memory that are available to Canon: on the host, and within the limits of its cgroups."""
    return min([available_memory() or 0, *_left_in_cgroups(read_or_empty(Path("/proc/self/cgroup")))])


def _left_in_cgroups(cgroups: str) -> Iterable[int]:
    """Yield the bytes left below the limit of Canon's cgroup and of each above it, where one has a limit."""
    own = re.search(r"^0::/(.*)$", cgroups, re.MULTILINE)
    folder = _CGROUPS / own[1] if own else _CGROUPS
    for each in (folder, *folder.parents):
        limit, used = read_or_empty(each / "memory.max").strip(), read_or_empty(each / "memory.current").strip()
        if limit.isdigit() and used.isdigit():
            yield max(0, int(limit) - int(used))
