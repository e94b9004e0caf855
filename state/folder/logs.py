"""Lists the logs of a recipe's trials, and deletes old ones."""

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from state.folder.durable import file_errors, remove_tree
from state.state_errors import FolderError, StateError

# Files with other names were not made by Canon, and stay.
_TRIAL = re.compile(r"[0-9]{8}T[0-9]{6}\.[0-9]{6}Z")
_BESIDE = ("kept.log", "bug*.txt")


def trial_id(begins: datetime) -> str:
    """Return the id of a trial that begins at this time in UTC. Ids sort by time.

    No two trials of a recipe have the same id, since only one process at a time owns the recipe's working folder.
    """
    return f"{begins:%Y%m%dT%H%M%S.%fZ}"


def logged_trials(folder: Path) -> tuple[str, ...]:
    """Return the ids of the trials that have logs in `folder` (`logs/NAME`), the latest last; () if there is no folder.

    The latest is the one whose folder changed last. Raise FolderError if the folder cannot be read.
    """
    with file_errors(f"list the logs in {folder}", FolderError):
        try:
            dated = sorted((entry.stat().st_mtime_ns, entry.name) for entry in folder.iterdir() if _is_trial(entry))
        except FileNotFoundError:
            return ()
    return tuple(name for _, name in dated)


def prune_logs(folder: Path, keep: int, spare: Collection[str] = ()) -> tuple[str, ...]:
    """Delete the logs in `folder` (`logs/NAME`), except those of the latest `keep` trials and of the trials in `spare`.

    Return the ids of the trials whose logs were deleted. If some cannot be deleted, delete the others, and then raise
    the first StateError.
    """
    trials = logged_trials(folder)
    stale = tuple(name for name in trials[: max(len(trials) - keep, 0)] if name not in spare)
    failures: list[StateError] = []
    for name in stale:
        try:
            with file_errors(f"delete old logs in {folder}", FolderError):
                remove_tree(folder / name)
        except StateError as failed:
            failures.append(failed)
    if failures:
        raise failures[0]
    return stale


def drop_logs(folder: Path) -> None:
    """Delete all logs in `folder` (`logs/NAME`), and the folder itself if it is empty then.

    Files that Canon did not make stay. Raise FolderError if a log cannot be deleted.
    """
    prune_logs(folder, 0)
    with file_errors(f"delete the logs in {folder}", FolderError):
        for path in (path for pattern in _BESIDE for path in folder.glob(pattern)):
            path.unlink()
    with suppress(OSError):
        folder.rmdir()


def _is_trial(path: Path) -> bool:
    return _TRIAL.fullmatch(path.name) is not None and not path.is_symlink() and path.is_dir()
