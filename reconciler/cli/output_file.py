"""Checks the path of a file that an option names, before the work whose result is to be written there."""

import os
from pathlib import Path

from reconciler.errors import CanonError, UsageError, reason_of
from state.state_errors import StateError

READABLE = 0o644
"""The mode of a file that everybody may read."""


def require_output_path(option: str, file: str, suffix: str, *, name_hint: str, folder_hint: str) -> Path:
    """Return the absolute path of `file`, the value of the option `option`.

    Raise UsageError with the hint `name_hint` if the name of the file does not end in `suffix`. Raise UsageError with
    `folder_hint` if the folder of the file is missing or cannot be written to.
    """
    path = Path(file).absolute()
    if path.suffix != suffix or path.is_dir():
        raise UsageError(f"{option} {file} is no file that ends in {suffix}", name_hint)
    require_output_folder(option, file, folder_hint)
    return path


def require_output_folder(option: str, file: str, folder_hint: str) -> None:
    """Raise UsageError with the hint `folder_hint` if the folder of a file is missing or cannot be written to.

    `file` is the value of the option `option`.
    """
    path = Path(file).absolute()
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {file}: its folder is missing or cannot be written to", folder_hint)


def reason_beside(path: Path, error: OSError | CanonError | StateError) -> str:
    """Return why the file `path` could not be written, and what to do, as one line. The path itself is left out."""
    return reason_of(error).replace(f" ({path})", "", 1)
