"""Checks the path of a file that an option names, before the work whose result is to be written there."""

import os
from pathlib import Path

from reconciler.errors import UsageError

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
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK | os.X_OK):
        raise UsageError(f"{option} {file}: its folder is missing or cannot be written to", folder_hint)
    return path
