"""Keep in a file which images releases were deployed with, one record on each line.

Processes that deploy at the same time append to it. If a line is lost or cannot be read, its images are never removed.
"""

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from state.codec import NotARecordError, dump, load
from state.folder.durable import PRIVATE_FILE, replace_file
from state.image_use import ImageUse


def append_use(path: Path, use: ImageUse) -> None:
    """Append the record `use` to the file `path`, unless the file has an equal record.

    If that fails, raise nothing: the images then stay on the host, because Canon removes only recorded ones.
    """
    with suppress(OSError):
        if use in read_uses(path):
            return
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, PRIVATE_FILE)
        try:
            # A line of its own, even if a writer before was killed within its line.
            os.write(descriptor, f"\n{dump(use)}\n".encode("ascii"))
        finally:
            os.close(descriptor)


def read_uses(path: Path) -> tuple[ImageUse, ...]:
    """Return the records in the file `path`, in the order of its lines; () if there is no file.

    Lines that are not valid records are left out. Raise OSError if the file cannot be read.
    """
    try:
        lines = path.read_text("ascii", "replace").split("\n")
    except FileNotFoundError:
        return ()
    found = []
    for line in lines:
        with suppress(NotARecordError):
            found += [load(line, ImageUse)] if line else []
    return tuple(found)


def keep_uses(path: Path, uses: Sequence[ImageUse]) -> None:
    """Replace all records in the file `path` by `uses`. Raise OSError if that fails."""
    replace_file(path, "".join(f"{dump(use)}\n" for use in uses).encode("ascii"))
