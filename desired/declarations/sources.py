"""The files of a fleet folder, read with bounds; what cannot be read is a problem in its place."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import tomli
from attrs import frozen

from desired.declarations.problems import Flaw, Problem, dotted, nearest

LARGEST: Final = 1 << 20
"""No declaration has more bytes."""

# How the parser's messages begin where a key or table is there already.
_REPEATED: Final = ("Cannot ", "Duplicate ")


@frozen
class Source:
    """A TOML file as read: its text and what it says."""

    file: str
    text: str
    document: Mapping[str, Any]

    def says(self, path: tuple[str | int, ...]) -> bool:
        """Whether the key at a path of tables and lists is written here."""
        inside: Any = self.document
        for step in path:
            match inside, step:
                case dict(), str() if step in inside:
                    inside = inside[step]
                case list(), int() if step < len(inside):
                    inside = inside[step]
                case _:
                    return False
        return True

    def problems(self, flaws: Iterable[Flaw]) -> list[Problem]:
        """The flaws at their lines and columns. A missing key is at its table."""
        found = list(flaws)
        if not found:
            return []
        from desired.declarations.positions import nearest_position, positions

        places = positions(self.text)
        return [
            Problem(self.file, *nearest_position(places, flaw.path), f"{dotted(flaw.path)} {flaw.message}", flaw.hint)
            for flaw in found
        ]


def read_source(path: Path) -> Source | Problem:
    """A TOML file. Never raises for what is there or not there."""
    try:
        text = _read(path).decode().replace("\r\n", "\n")
    except OSError as error:
        return whole(path, unreadable(error))
    except UnicodeDecodeError:
        return whole(path, "is not UTF-8")
    return _parse(path, text)


def whole(path: Path, message: str) -> Problem:
    """A problem of a file or folder as a whole."""
    return Problem(str(path), 1, 1, message)


def unreadable(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is missing"
    return f"cannot be read: {error.strerror or error}"


def recipe_folders(folder: Path) -> Iterator[Path | Problem]:
    """What lies in `recipes/`, ordered by name. Names that start with "." are left to editors and git."""
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        yield whole(folder, unreadable(error))
        return
    for entry in entries:
        if not entry.name.startswith("."):
            yield _as_folder(entry)


def lacking_files(folder: Path, names: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Those of `names` that are no files in the folder, each with its index and the name probably meant.

    A link is none: in the copy of the folder that a trial works with it would lead elsewhere.
    """
    for index, name in enumerate(names):
        if not _is_own_file(folder, name):
            yield index, name, nearest(name, _file_names(folder))


def _is_own_file(folder: Path, name: str) -> bool:
    try:
        return (folder / name).is_file() and (folder / name).resolve() == folder.resolve() / name
    except OSError:
        return False


def _file_names(folder: Path) -> list[str]:
    try:
        return [entry.name for entry in folder.iterdir() if entry.is_file() and not entry.is_symlink()]
    except OSError:
        return []


def _as_folder(entry: Path) -> Path | Problem:
    try:
        is_folder = stat.S_ISDIR(entry.stat().st_mode)
    except OSError as error:
        return whole(entry, unreadable(error))
    return entry if is_folder else whole(entry, "is no folder: a recipe is a folder with a recipe.toml")


def _read(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe waits for somebody who writes.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is no regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(f"it has more than {LARGEST} bytes")
    return content


def _parse(path: Path, text: str) -> Source | Problem:
    try:
        return Source(str(path), text, tomli.loads(text))
    except tomli.TOMLDecodeError as error:
        return _syntax_problem(path, text, error)
    except (ValueError, RecursionError):
        # Numbers of thousands of digits and keys of hundreds of parts are TOML, but Python does not read them.
        return whole(path, "holds a number that is too long, or is nested too deeply")


def _syntax_problem(path: Path, text: str, error: tomli.TOMLDecodeError) -> Problem:
    if error.msg.startswith(_REPEATED):
        from desired.declarations.positions import repeated_key

        key, place = repeated_key(text, error.pos)
        return Problem(str(path), *place, f"{key} is there twice")
    return Problem(str(path), error.lineno, error.colno, f"is no TOML: {error.msg[0].lower()}{error.msg[1:]}")
