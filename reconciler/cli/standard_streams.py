"""Writes to stdout and stderr, which may be closed, or fail.

`--version` loads this module and should be quick, so nothing here needs `typing`.
"""

import io
import os
import sys
from contextlib import suppress

from reconciler.errors import CanonError

# No `typing` in this file: `--version` loads it, and that import alone takes a third of a bare start.
FAILED = 1
# The only exit code of a report (0 to 5) that is graver than FAILED. All the lower ones are less grave.
_HOLLOW = 5
_REPORT_CODES = range(_HOLLOW)

_WRITE_ERRORS = (OSError, ValueError)
"""What Python raises on writing to a stream if the disk is full, nobody reads, or the stream is closed."""


class UnwrittenError(CanonError):
    """The answer of a command could not be written to stdout."""


def open_missing() -> None:
    """Open /dev/null in place of each standard stream that was closed when this program started.

    Without this, the next file that is opened would get the number of stdin, stdout or stderr. /dev/null is opened for
    reading only, so writing to such a stream still fails.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)  # takes the lowest number that is free
    sys.stdout = sys.stdout or _writer(1)
    sys.stderr = sys.stderr or _writer(2)


def _writer(number: int) -> io.TextIOWrapper:
    """Return a text stream that writes to the file descriptor `number`."""
    return open(number, "w", encoding="utf-8", errors="backslashreplace", closefd=False)


def write_answer(text: str) -> None:
    """Write `text` to stdout at once. Raise UnwrittenError if that fails."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except _WRITE_ERRORS as error:
        raise UnwrittenError(*unwritten_message(error)) from error


def unwritten_message(error: OSError | ValueError) -> tuple[str, str]:
    """Return the message and the hint for an answer that could not be written to stdout. `error` is the reason."""
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    return f"the answer could not be written to stdout: {reason}", "what was done is recorded: reconcile status"


def print_answer(text: str, exit_code: int) -> int:
    """Write `text` to stdout. Return `exit_code`.

    If writing fails, print the reason to stderr, and return FAILED (1) in place of a code from 0 to 4; other codes are
    returned unchanged.
    """
    try:
        write_answer(text)
    except UnwrittenError as error:
        print_error(f"reconcile: {error.message}\n  {error.hint}\n")
        return report_code_after_failure(exit_code)
    return exit_code


def report_code_after_failure(exit_code: int) -> int:
    """Return the exit code for a report that could not be written: FAILED (1) in place of 0 to 4; other codes stay."""
    return FAILED if exit_code in _REPORT_CODES else exit_code


def print_error(text: str) -> None:
    """Write `text` to stderr. If that fails, the text is lost, and no error is raised."""
    with suppress(*_WRITE_ERRORS):
        sys.stderr.write(text)
        sys.stderr.flush()


def flush_or_drop() -> None:
    """Flush stdout and stderr. A stream that cannot be flushed is replaced by /dev/null, and its text is lost.

    Python flushes both streams again at its end. If this second flush failed, the exit code would be 120.
    """
    for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
        try:
            stream.flush()
        except _WRITE_ERRORS:
            with suppress(*_WRITE_ERRORS):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, number)
                os.close(null)
