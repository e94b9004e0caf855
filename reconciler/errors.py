"""The errors of Canon, by what helps: trying again later, a decision of a person, or a bug report."""

import errno
import os
from collections.abc import Sequence

from state.state_errors import StateError

_MAKE_ROOM = "make room on the disk of the state folder"
MORE_MEMORY = "give this host more memory, or let fewer apps be up at a time"
_REMEDIES = {
    errno.ENOSPC: _MAKE_ROOM,
    errno.EDQUOT: _MAKE_ROOM,
    errno.EROFS: "mount its disk for writing",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EBUSY: "something is mounted there: umount it",
    errno.EPERM: "see with lsattr whether it is immutable, and whose it is",
    errno.EIO: "its disk fails: see the kernel's log",
}


class CanonError(Exception):
    """An error in one line for a person; `hint` says what to do about it, "" if nothing is known."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InfrastructureError(CanonError):
    """The host is to blame, and no recipe: a missing tool, a full disk, an unreachable server. A retry may help."""


class UpstreamError(InfrastructureError):
    """Upstream publishes something that cannot be fetched; only upstream can repair that. No release was tried."""


class RecipeError(CanonError):
    """The recipe or its tests are to blame: a crash, a missing secret, a wrong answer. `tail`: its last log lines."""

    def __init__(self, message: str, hint: str = "", tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.tail = tail


class TimedOutError(RecipeError):
    """Something took too long, for which a busy host may be to blame.

    `pressure` describes load, memory, disk and stalls of the host at that time in one line, "" if not measured yet.
    """

    def __init__(self, message: str, pressure: str = "", tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, tail=tail)
        self.pressure = pressure


class KilledError(TimedOutError):
    """An app did not stop in time and was killed: its last writes may be cut off."""


class NeededAppError(InfrastructureError):
    """The app of `need` failed, which the recipe `needed_by` needs. `failed` is its error; neither recipe is blamed.

    `timed_out`: the app only took too long.
    """

    def __init__(self, needed_by: str, need: str, failed: RecipeError) -> None:
        last_line = f": {failed.tail[-1]}" if failed.tail else ""
        super().__init__(f"{needed_by} needs {need}, which failed: {failed.message}{last_line}", failed.hint)
        self.need = need
        self.timed_out = isinstance(failed, TimedOutError)


class StoppedError(InfrastructureError):
    """An app was stopped from outside: by a person, by Swarm, or by a command of the tests."""


class NeedsPersonError(CanonError):
    """Only a person can decide or repair this."""


class BusyError(InfrastructureError):
    """Another process holds the lock of the pass or of a slot.

    The message names its pid, its command and the time since when.
    """


class InterruptedPassError(BaseException):
    """A signal asked the command to stop; `signal_number` is the number of that signal.

    Derives from BaseException, so that code which catches every Exception of one recipe and goes on lets it through.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"interrupted by signal {signal_number}")
        self.message = str(self)
        self.signal_number = signal_number


def killed_error(recipe: str, killed: Sequence[str], pressure: str = "") -> KilledError:
    """Return the error for killed parts of an app, each named with the time it had to stop: "worker (10 s)"."""
    what = f"{recipe} did not end in the time it has to stop and was killed, so its data may be cut off"
    remedy = "it has to end on SIGTERM, or needs more time: [stop] grace, on a Swarm stop_grace_period"
    return KilledError(f"{what}: {', '.join(killed)}; {remedy}", pressure)


def message_and_hint(failed: CanonError | StateError | OSError) -> tuple[str, str]:
    """Return what went wrong and where, and what to do about it ("" if nothing is known)."""
    if not isinstance(failed, OSError):
        return failed.message, failed.hint
    where = f" ({os.fsdecode(failed.filename)})" if isinstance(failed.filename, str | bytes) else ""
    return f"{failed.strerror or failed}{where}", _REMEDIES.get(failed.errno or 0, "")


def in_one_line(failed: CanonError | StateError | OSError) -> str:
    """Return message and hint of an error in one line."""
    return "; ".join(part for part in message_and_hint(failed) if part)


def reason_of(failed: Exception) -> str:
    """Return any exception in one line; an unexpected one is called a bug."""
    return (
        in_one_line(failed) if isinstance(failed, CanonError | StateError | OSError) else f"a bug in Canon: {failed!r}"
    )
