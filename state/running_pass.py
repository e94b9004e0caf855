"""Keeps in a small file what a running pass is doing, so that other processes can show it.

The file also names the process of the pass. If that process is gone, the pass has died, whatever else the file says.
"""

import os
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from state.codec import NotARecordError, dump, load
from state.folder.durable import PRIVATE_FILE
from state.folder.process_identity import ProcessIdentity, is_running, own_identity
from state.pass_progress import PassProgress, SeenPass


@frozen
class KeptProgress:
    """The content of the file that says what the running pass does: the pass, and the process that runs it."""

    process: ProcessIdentity
    progress: PassProgress


def keep_progress(path: Path, progress: PassProgress) -> None:
    """Replace the file `path` by one with `progress` and the identity of this process, which runs the pass.

    If this fails, raise nothing, and remove the file, because it would be out of date. The file is not synced to the
    disk: after a power cut it does not count, since its process is gone.
    """
    fresh = _fresh(path)
    try:
        kept = KeptProgress(own_identity(), progress)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, PRIVATE_FILE)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(dump(kept))
        fresh.rename(path)
    except OSError:
        drop_progress(path)


def drop_progress(path: Path) -> None:
    """Remove the file `path` and its temporary copy, if they exist.

    If that fails, raise nothing: the file then tells of a process that ends soon.
    """
    for each in (path, _fresh(path)):
        with suppress(OSError):
            each.unlink()


def read_progress(path: Path) -> SeenPass | None:
    """Return the pass that the file `path` describes, and whether it still runs.

    Return None if there is no file, or if the file cannot be read or is not valid.
    """
    try:
        kept = load(path.read_text("ascii"), KeptProgress)
    except (OSError, NotARecordError, UnicodeDecodeError):
        return None
    return SeenPass(kept.progress, is_running(kept.process))


def _fresh(path: Path) -> Path:
    return path.with_name(f"{path.name}.new")
