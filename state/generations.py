"""The generations of a recipe's canonical on disk."""

from collections.abc import Collection
from pathlib import Path

from state.durable import file_errors, remove_tree
from state.errors import SnapshotError
from state.snapshots import SealedSnapshots


def generations_present(folder: Path) -> tuple[int, ...]:
    """Numbers of the generation folders in `folder` (`canonicals/NAME`), in order; none where there is no folder."""
    with file_errors(f"list the generations in {folder}", SnapshotError):
        try:
            names = [entry.name for entry in folder.iterdir()]
        except FileNotFoundError:
            return ()
    return tuple(sorted(int(name) for name in names if name.isascii() and name.isdecimal()))


def prune_generations(folder: Path, keep: Collection[int]) -> tuple[int, ...]:
    """Delete all generations in `folder` but those in `keep`, and what a dead pass left half-deleted or half-made.

    Returns the numbers of what was deleted.
    """
    stale = tuple(number for number in generations_present(folder) if number not in keep)
    for number in stale:
        SealedSnapshots().delete(folder / str(number))
    with file_errors(f"tidy {folder}", SnapshotError):
        for pattern in (".*.deleted", ".*.partial"):
            for left in folder.glob(pattern):
                remove_tree(left)
    return stale
