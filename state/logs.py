"""The logs of a recipe's trials, kept by count."""

from collections.abc import Collection
from pathlib import Path

from state.durable import file_errors, remove_tree
from state.errors import FolderError


def logged_trials(folder: Path) -> tuple[str, ...]:
    """Names of the trials with logs in `folder` (`logs/NAME`), the latest last; none where there is no folder."""
    with file_errors(f"list the logs in {folder}", FolderError):
        try:
            dated = sorted((entry.stat().st_mtime_ns, entry.name) for entry in folder.iterdir() if entry.is_dir())
        except FileNotFoundError:
            return ()
    return tuple(name for _, name in dated)


def prune_logs(folder: Path, keep: int, spare: Collection[str] = ()) -> tuple[str, ...]:
    """Delete all but the latest `keep` trials' logs in `folder`; those named in `spare` stay beyond the count.

    Returns the names of what was deleted.
    """
    trials = logged_trials(folder)
    stale = tuple(name for name in trials[: max(len(trials) - keep, 0)] if name not in spare)
    with file_errors(f"delete old logs in {folder}", FolderError):
        for name in stale:
            remove_tree(folder / name)
    return stale
