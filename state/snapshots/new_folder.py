"""Makes a folder for a snapshot or its data, and leaves nothing of it after a failure."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from state.folder.durable import make_folder, remove_tree
from state.state_errors import SnapshotError


@contextmanager
def new_folder(path: Path) -> Iterator[None]:
    """Make a private folder for the `with` block. If the block fails, remove it with everything in it.

    Raise SnapshotError if the path exists.
    """
    if os.path.lexists(path):
        raise SnapshotError(f"{path} is there already")
    make_folder(path)
    with removed_on_failure(path):
        yield


@contextmanager
def removed_on_failure(path: Path) -> Iterator[None]:
    """Remove `path` with everything in it if the `with` block fails."""
    try:
        yield
    except BaseException:
        remove_tree(path)
        raise
