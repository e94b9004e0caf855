"""The standard streams: the answer on stdout, all else on stderr, also where nobody reads them."""

import os
import sys
from contextlib import suppress
from typing import Final, TextIO

from reconciler.errors import CanonError

FAILED: Final = 1
# Of what a report ends with (0 to 5) the only one that is graver.
_HOLLOW: Final = 5
_REPORT_CODES: Final = range(_HOLLOW)

_WRITE_ERRORS: Final = (OSError, ValueError)
"""What writing to a stream raises whose disk is full, whose reader is gone, or which was closed."""


class UnwrittenError(CanonError):
    """The answer could not be written to stdout."""


def open_missing() -> None:
    """Open a standard stream that whoever started us had closed; writing to it fails as before.

    Otherwise the next file that we open would get its number, and be written to in its place.
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
    """Write the whole answer. Raises UnwrittenError."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except _WRITE_ERRORS as error:
        raise UnwrittenError(*unwritten_message(error)) from error


def unwritten_message(error: OSError | ValueError) -> tuple[str, str]:
    """Why the answer is missing, and where else to find it."""
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"the answer could not be written to stdout: {reason}", "what was done is recorded: reconcile status"


def print_answer(text: str, exit_code: int) -> int:
    """Write the whole answer; returns `exit_code`, or one that says that nobody got to read it."""
    try:
        write_answer(text)
    except UnwrittenError as error:
        print_error(f"reconcile: {error.message}\n  {error.hint}\n")
        return FAILED if exit_code in _REPORT_CODES else exit_code
    return exit_code


def print_error(text: str) -> None:
    """Write to stderr; what cannot be written there is dropped."""
    with suppress(*_WRITE_ERRORS):
        sys.stderr.write(text)
        sys.stderr.flush()


def flush_or_drop() -> None:
    """Leave nothing to Python's own end, which would make an exit code of its own of what cannot be written."""
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except _WRITE_ERRORS:
            with suppress(*_WRITE_ERRORS):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, number)
                os.close(nowhere)
