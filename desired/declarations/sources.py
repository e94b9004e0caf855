"""Reads the files of a fleet folder, up to a limit of size. A file that cannot be read becomes a problem."""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import tomli
from attrs import frozen

from desired.declarations.problems import Flaw, Problem, dotted, nearest

LARGEST: Final = 1 << 20
"""The greatest size of a declaration, in bytes."""

KEYS: Final = "keys"
"""The folder in a fleet folder with the keys by which release tags may be signed."""
ALLOWED_SIGNERS: Final = "allowed_signers"
"""The file in KEYS with SSH keys, in the format of ssh-keygen. OpenPGP keys are the files there that end in `.asc`."""

# How the parser's messages begin if a key or a table is there twice.
_REPEATED: Final = ("Cannot ", "Duplicate ")


@frozen
class Source:
    """A TOML file: its path (`file`), its text, and the parsed document."""

    file: str
    text: str
    document: Mapping[str, Any]

    def has(self, path: tuple[str | int, ...]) -> bool:
        """Return whether the file has the key or list element at this path."""
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
        """Return the flaws as problems with line and column. A missing key gets the position of its table."""
        flaws = list(flaws)
        if not flaws:
            return []
        from desired.declarations.positions import nearest_position, positions

        places = positions(self.text)
        return [
            Problem(self.file, *nearest_position(places, flaw.path), f"{dotted(flaw.path)} {flaw.message}", flaw.hint)
            for flaw in flaws
        ]


def read_source(path: Path) -> Source | Problem:
    """Read and parse a TOML file. Return it as a Source, or a Problem if it cannot be read or parsed."""
    try:
        text = _read(path).decode().replace("\r\n", "\n")
    except OSError as error:
        return file_problem(path, unreadable(error))
    except UnicodeDecodeError:
        return file_problem(path, "is not UTF-8")
    return _parse(path, text)


def file_problem(path: Path, message: str) -> Problem:
    """Return a problem of a whole file or folder, at line 1 and column 1.

    `message` continues the sentence that begins with `path`, such as "is missing".
    """
    return Problem(str(path), 1, 1, message)


def unreadable(error: OSError) -> str:
    """Return the message for a file or folder that is missing or cannot be read."""
    if isinstance(error, FileNotFoundError):
        return "is missing"
    return f"cannot be read: {error.strerror or error}"


def recipe_folders(folder: Path) -> Iterator[Path | Problem]:
    """Yield each folder in `folder`, the fleet's `recipes/`, sorted by name. Yield a problem for any other entry of it.

    Names that begin with "." are skipped: they belong to editors and git. If `folder` cannot be read, yield a problem.
    """
    try:
        entries = sorted(folder.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        yield file_problem(folder, unreadable(error))
        return
    for entry in entries:
        if not entry.name.startswith("."):
            yield _as_folder(entry)


def missing_files(folder: Path, names: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    """Yield (INDEX, NAME, MEANT) for each name in `names` that is no file in the folder.

    INDEX is the index of the name in `names`. MEANT is the file that was probably meant; "" if none has a similar name.
    A link does not count as a file, because a trial works in a copy of the folder, where the link would lead elsewhere.
    """
    for index, name in enumerate(names):
        if not _is_own_file(folder, name):
            yield index, name, nearest(name, _file_names(folder))


def pgp_keys(keys: Path) -> list[Path]:
    """Return the files with OpenPGP keys in the folder `keys`, sorted; [] if it cannot be read."""
    return sorted(file for file in keys.glob("*.asc") if file.is_file())


def has_keys(folder: Path) -> bool:
    """Return whether the fleet folder has a key with which signatures of release tags can be checked."""
    return bool(pgp_keys(folder / KEYS)) or (folder / KEYS / ALLOWED_SIGNERS).is_file()


def _is_own_file(folder: Path, name: str) -> bool:
    """Return whether `name` is a file in the folder and no link. Return False if the folder cannot be read."""
    try:
        return (folder / name).is_file() and (folder / name).resolve() == folder.resolve() / name
    except OSError:
        return False


def _file_names(folder: Path) -> list[str]:
    """Return the names of the files in the folder, without links; [] if it cannot be read."""
    try:
        return [entry.name for entry in folder.iterdir() if entry.is_file() and not entry.is_symlink()]
    except OSError:
        return []


def _as_folder(entry: Path) -> Path | Problem:
    """Return `entry`, a path in `recipes/`, if it is a folder; else a problem on why it is no recipe."""
    try:
        is_folder = stat.S_ISDIR(entry.stat().st_mode)
    except OSError as error:
        return file_problem(entry, unreadable(error))
    return entry if is_folder else file_problem(entry, "is not a folder: a recipe is a folder with a recipe.toml")


def _read(path: Path) -> bytes:
    """Return the content of a file. Raise OSError if it is no regular file, or has more than `LARGEST` bytes."""
    # Without O_NONBLOCK, opening a named pipe would wait for a writer.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a regular file")
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise OSError(f"it has more than {LARGEST} bytes")
    return content


def _parse(path: Path, text: str) -> Source | Problem:
    """Parse the text of the file `path`. Return it as a Source, or a Problem if it is not valid TOML."""
    try:
        return Source(str(path), text, tomli.loads(text))
    except tomli.TOMLDecodeError as error:
        return _syntax_problem(path, text, error)
    except (ValueError, RecursionError):
        # TOML allows numbers of thousands of digits and keys of hundreds of parts, but Python does not read them.
        return file_problem(path, "holds a number that is too long, or is nested too deeply")


def _syntax_problem(path: Path, text: str, error: tomli.TOMLDecodeError) -> Problem:
    """Return the problem, with its position, for a text that is not valid TOML."""
    if error.msg.startswith(_REPEATED):
        from desired.declarations.positions import repeated_key

        key, place = repeated_key(text, error.pos)
        return Problem(str(path), *place, f"{key} is there twice")
    return Problem(str(path), error.lineno, error.colno, f"is not valid TOML: {error.msg[0].lower()}{error.msg[1:]}")
