"""Checks the path of a file that an option names, before the work whose result is to be written there."""

import shlex
from pathlib import Path

from reconciler.cli.standard_streams import print_error, report_code_after_failure
from reconciler.core.folder_access import obstacle
from reconciler.errors import CanonError, UsageError, message_and_hint, reason_of
from reconciler.host.folder_access import read_access
from state.state_errors import StateError

READABLE = 0o644
"""The mode of a file that everybody may read."""


def require_output_path(option: str, file: str, suffix: str, *, name_hint: str) -> Path:
    """Return the absolute path of `file`, the value of the option `option`.

    Raise UsageError with the hint `name_hint` if the name of the file does not end in `suffix`. Raise UsageError if the
    folder of the file is missing or cannot be written to.
    """
    path = Path(file).absolute()
    require_output_folder(option, file)
    if path.suffix != suffix or path.is_dir():
        raise UsageError(f"{option} {file} is no file that ends in {suffix}", name_hint)
    return path


def require_output_folder(option: str, file: str) -> None:
    """Raise UsageError if the folder of `file`, the value of the option `option`, is missing or cannot be written to.

    The error says which, and what to do about it.
    """
    reason, hint = _folder_obstacle(Path(file).absolute().parent)
    if reason:
        raise UsageError(f"{option} {file}: {reason}", hint)


def _folder_obstacle(folder: Path) -> tuple[str, str]:
    """Return why no file can be made in `folder`, and what to do. Both are "" if nothing prevents that."""
    try:
        if not folder.is_dir():
            return _no_folder(folder)
        access = read_access(folder)
    except OSError as error:
        return message_and_hint(error)
    reason, hint = obstacle(access)
    return reason, f"{hint}; in a systemd unit: ReadWritePaths={folder}" if access.is_read_only else hint


def _no_folder(folder: Path) -> tuple[str, str]:
    """Return what is said where `folder` is no folder: that it is missing, or that something else is in its place."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not there.is_dir():
        return f"{there} is not a folder", "name a file in another folder"
    return "its folder is missing", f"mkdir -p {shlex.quote(str(folder))}"


def code_of_unwritten(what: str, path: Path, error: OSError | CanonError | StateError, code: int) -> int:
    """Say on stderr why the file `path` with `what` could not be written after the work. Return the exit code.

    It is 1 in place of a code from 0 to 4; other codes are returned unchanged.
    """
    reason = reason_beside(path, error)
    print_error(f"reconcile: cannot write {what} to {path}: {reason}\n  what was done is recorded\n")
    return report_code_after_failure(code)


def reason_beside(path: Path, error: OSError | CanonError | StateError) -> str:
    """Return why the file `path` could not be written, and what to do, as one line. The path itself is left out."""
    return reason_of(error).replace(f" ({path})", "", 1)
