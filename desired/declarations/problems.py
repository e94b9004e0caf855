"""The problems in declarations, and how they are written for people."""

import re
from collections.abc import Iterable
from datetime import date, time
from typing import Final

from attrs import frozen

from desired.unprintable import escape_unprintable

Path = tuple[str | int, ...]
"""The path of a value in a TOML file: keys, and indexes into lists from 0."""

LONGEST_SHOWN: Final = 60
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_PLAIN_BITS: Final = 64


@frozen
class Flaw:
    """A problem of the value at a path in a TOML file, without its line.

    * `message`: continues the sentence that begins with the path, such as "is missing".
    * `hint`: what was probably meant; "" if unknown.
    """

    path: Path
    message: str
    hint: str = ""


@frozen(order=True)
class Problem:
    """A problem of a declaration, with its position in a file.

    * `line`, `column`: both count from 1, the column in characters.
    * `hint`: what was probably meant; "" if unknown.
    """

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        meant = f"; did you mean {self.hint}?" if self.hint else ""
        return escape_unprintable(f"{self.file}:{self.line}:{self.column}: {self.message}{meant}")


class DeclarationError(Exception):
    """All problems in the declarations of a fleet, sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class RefusedError(ValueError):
    """A value that a key does not accept.

    `message` continues the sentence that begins with the key: "wants a number, not a list". `hint` is what was probably
    meant; "" if unknown.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def nearest(text: str, names: Iterable[str]) -> str:
    """Return the name in `names` that is most similar to `text`; "" if none is similar."""
    import difflib

    return next(iter(difflib.get_close_matches(text, list(names), n=1)), "")


def dotted(path: Path) -> str:
    """Return the path of a value in a TOML file as text, such as `install.steps[1]`."""
    written = "".join(f"[{step}]" if isinstance(step, int) else f".{_written_key(step)}" for step in path)
    return written.removeprefix(".")


def _written_key(key: str) -> str:
    """Return a key as TOML writes it: in quotes if it needs them."""
    return key if _BARE.fullmatch(key) else quoted(key)


def shown(value: object) -> str:
    """Return a TOML value as a short printable text. A list becomes "a list", a table "a table"."""
    match value:
        case str():
            return quoted(value)
        case bool() | float():
            return repr(value).lower()
        case int():
            # Python refuses to print numbers of thousands of digits, which TOML allows as hexadecimals.
            return str(value) if value.bit_length() <= _PLAIN_BITS else "a huge number"
        case date() | time():
            return value.isoformat()
        case list():
            return "a list"
        case _:
            return "a table"


def quoted(text: str) -> str:
    """Return a text in quotes. Characters that cannot be printed are escaped.

    A text of more than `LONGEST_SHOWN` characters is cut there and ends in "…".
    """
    short = text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
    escaped = short.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escape_unprintable(escaped)}"'


def refusal(wants: str, value: object, meant: str = "") -> RefusedError:
    """Return the error for a value that is not accepted.

    `wants` is what the key accepts. `meant` is what was probably meant; "" if unknown.
    """
    return RefusedError(f"wants {wants}, not {shown(value)}", meant)
