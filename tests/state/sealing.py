"""What the tests of snapshots share."""

from pathlib import Path

from state.records import FileSeal
from state.snapshots.snapshots import SealedSnapshots

SNAPSHOTS = SealedSnapshots()
ABOUT = {"apps": {"notes": {"version": "1.0.0"}}, "odd": "\udcff"}


def look_of(path: Path) -> FileSeal:
    look = path.stat()
    return FileSeal(look.st_ino, look.st_size, look.st_mtime_ns, look.st_ctime_ns)
