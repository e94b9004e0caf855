"""The name of the fleet to which a state folder belongs. A pass of another fleet would take its recipes for orphans.

The name is in a file in the state folder, which the first command that writes there makes. A person who renames a fleet
writes the new name into that file; no command does.
"""

import os
from pathlib import Path

from state.folder.durable import create_once, file_errors
from state.state_errors import FolderError, OtherFleetError

_COMMENT = "# The fleet to which this state folder belongs. If the fleet is renamed, write its new name here."


def read_fleet_name(path: Path) -> str | None:
    """Return the name of a fleet in the file `path`; None if there is no file, or no name in it.

    Raise FolderError if the file cannot be read.
    """
    with file_errors(f"read {path}", FolderError):
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            return None
        with os.fdopen(descriptor, encoding="utf-8", errors="backslashreplace") as file:
            lines = file.read().split("\n")
    return "\n".join(line for line in lines if line != _COMMENT).strip() or None


def require_fleet(path: Path, name: str, declared_in: Path) -> None:
    """Raise OtherFleetError if the file `path` has the name of another fleet than `name`.

    `declared_in` is the folder that declares the fleet `name`. Raise FolderError if the file cannot be read.
    """
    recorded = read_fleet_name(path)
    if recorded is not None and recorded != name.strip():
        raise OtherFleetError(
            f"{path.parent} is the state folder of the fleet {recorded}, and {declared_in} declares the fleet {name}; "
            "nothing was changed",
            f"name the other fleet with --fleet, or another state folder with --state; "
            f"if it was renamed: write its new name into {path}",
        )


def record_fleet_name(path: Path, name: str, declared_in: Path) -> None:
    """Write the name of a fleet into the file `path`, unless a name is there. A power cut does not undo this.

    Raise OtherFleetError if the file then has another name than `name`: it was there before, or another fleet has done
    this at the same time. `declared_in` is the fleet folder that declares `name`. Raise FolderError if the file cannot
    be read or written.
    """
    if read_fleet_name(path) is None:
        with file_errors(f"write {path}", FolderError):
            path.unlink(missing_ok=True)
            create_once(path, f"{_COMMENT}\n{name}\n".encode())
    require_fleet(path, name, declared_in)


def is_fleet_name_file(path: Path) -> bool:
    """Return whether a file begins as `record_fleet_name` writes it, or is empty. Return False if it cannot be read."""
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            start = file.read(len(_COMMENT)).decode("ascii", "replace")
    except OSError:
        return False
    return _COMMENT.startswith(start)
