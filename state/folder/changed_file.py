"""Tells whether a file may have changed, without reading it."""

import time
from pathlib import Path

from attrs import define, field

_COARSE_NS = 2_000_000_000

Facts = tuple[int, int, int, int]
"""Inode, size, mtime and ctime of a file."""


@define
class ChangedFile:
    """Remembers facts about the file `path`, such as its time, to tell at the next call whether it may have changed."""

    path: Path
    _seen: Facts | None = field(default=None, init=False)
    _looked: bool = field(default=False, init=False)

    def may_have_changed(self) -> bool:
        """Return whether the file may have changed since the last call. The first call returns True.

        Call this before you read the file. A file that changed in the last two seconds always counts as changed: the
        kernel's times are so coarse that a second change could go unnoticed. A file that cannot be seen raises no
        error, and counts as changed if it could be seen at the last call.
        """
        facts = _facts(self.path)
        is_same = self._looked and facts == self._seen
        self._seen, self._looked = facts, True
        return not is_same or (facts is not None and time.time_ns() - facts[2] < _COARSE_NS)


def _facts(path: Path) -> Facts | None:
    try:
        info = path.stat()
    except OSError:
        return None
    return info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns
