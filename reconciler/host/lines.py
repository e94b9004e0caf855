"""Reads small text files. Files of a release, such as its Procfile, are checked; files of the system are not."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reconciler.errors import RecipeError

_LARGEST_TEXT = 64 * 1024


def read_text(path: Path) -> str | None:
    """Return the text of the file `path` of a release; None if there is no such file.

    Raise RecipeError if it is a link or no regular file, is larger than 64 KiB, is not UTF-8, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise RecipeError(f"{path.name} cannot be read: {failure.strerror}") from None
    try:
        regular = stat.S_ISREG(os.fstat(handle).st_mode)
        data = os.read(handle, _LARGEST_TEXT + 1) if regular else b""
    finally:
        os.close(handle)
    if not regular or len(data) > _LARGEST_TEXT:
        raise RecipeError(f"{path.name} is no plain file of at most {_LARGEST_TEXT} bytes")
    return _decoded(path.name, data)


def read_or_empty(path: Path) -> str:
    """Return the text of a file of the system, such as one in /proc; "" if it cannot be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        raise RecipeError(f"{name}:{line}: is not UTF-8") from None


def content_lines(file: str, text: str) -> Iterator[tuple[str, str]]:
    """Yield the position "FILE:LINE" and the text of each line of `text`, without blank lines and comments.

    Blanks at both ends of a line are removed. `file` is the FILE of the position. Raise RecipeError for a NUL byte.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        content = line.strip(" \t\r")
        if "\0" in content:
            raise RecipeError(f"{file}:{number}: holds a NUL byte")
        if content and not content.startswith("#"):
            yield f"{file}:{number}", content
