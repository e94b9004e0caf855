"""Write the answer to stdout and all other text to stderr, also if a stream is closed or cannot be written."""

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from reconciler.errors import CanonError

FAILED: Final = 1
# The only exit code of a report (0 to 5) that is graver than FAILED.
_HOLLOW: Final = 5
_REPORT_CODES: Final = range(_HOLLOW)

_WRITE_ERRORS: Final = (OSError, ValueError)
"""Raised on writing to a stream with a full disk, without a reader, or that was closed."""


class UnwrittenError(CanonError):
    """The answer could not be written to stdout."""


def open_missing() -> None:
    """Open each standard stream that the caller has closed, so that no other file gets its number.

    Writing to such a stream still fails.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # takes the lowest number that is free
    sys.stdout = sys.stdout or _writer(1)
    sys.stderr = sys.stderr or _writer(2)


def _writer(number: int) -> TextIO:
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def write_answer(text: str) -> None:
    """Write `text` to stdout and flush it. Raises UnwrittenError if that fails."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except _WRITE_ERRORS as error:
        raise UnwrittenError(*unwritten_message(error)) from error


def unwritten_message(error: OSError | ValueError) -> tuple[str, str]:
    """Return a message that says why the answer could not be written, and a hint where to see what was done."""
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"the answer could not be written to stdout: {reason}", "what was done is recorded: reconcile status"


def print_answer(text: str, exit_code: int) -> int:
    """Write `text` to stdout. Returns `exit_code`.

    If that fails, prints the reason to stderr, and returns FAILED unless `exit_code` is graver: 5 or more.
    """
    try:
        write_answer(text)
    except UnwrittenError as error:
        print_error(f"reconcile: {error.message}\n  {error.hint}\n")
        return FAILED if exit_code in _REPORT_CODES else exit_code
    return exit_code


def print_error(text: str) -> None:
    """Write to stderr. Text that cannot be written is dropped."""
    with suppress(*_WRITE_ERRORS):
        sys.stderr.write(text)
        sys.stderr.flush()


def flush_or_drop() -> None:
    """Flush stdout and stderr. Text that cannot be written is dropped, so that Python does not change the exit code."""
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except _WRITE_ERRORS:
            with suppress(*_WRITE_ERRORS):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, number)
                os.close(null)
