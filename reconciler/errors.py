"""What can go wrong, sorted by what helps: trying again later, a person, or a bug report."""

import errno
import os
from collections.abc import Sequence

from state.state_errors import StateError

_ROOM = "make room on the disk of the state folder"
MORE_MEMORY = "give this host more memory, or let fewer apps be up at a time"
_REMEDIES = {
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: "mount its disk for writing",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
    errno.EBUSY: "something is mounted there: umount it",
    errno.EPERM: "see with lsattr whether it is immutable, and whose it is",
    errno.EIO: "its disk fails: see the kernel's log",
}


class CanonError(Exception):
    """One line for a person: what and where; `hint` says what to do about it, "" if nothing is known."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InfrastructureError(CanonError):
    """Trying again later may help; no recipe is to blame: a missing tool, a full disk, an unreachable host."""


class UpstreamError(InfrastructureError):
    """What upstream publishes cannot be taken, and only its own people can mend it; no release of it was tried."""


class RecipeError(CanonError):
    """The recipe or its tests are to blame: a crash, a missing secret, a wrong answer.

    `tail` holds the last lines of what it said.
    """

    def __init__(self, message: str, hint: str = "", tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.tail = tail


class TimedOutError(RecipeError):
    """Something was not done within its time, for which a busy host may be to blame.

    `pressure` says what the host was under just then, "" where nobody asked yet.
    """

    def __init__(self, message: str, pressure: str = "", tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, tail=tail)
        self.pressure = pressure


class KilledError(TimedOutError):
    """An app did not end in the time it has to stop, and was killed: what it was writing may be cut off."""


class NeededAppError(InfrastructureError):
    """An app that `whose` needs failed, which is held against nobody.

    `timed_out` says that it was only not done in time.
    """

    def __init__(self, whose: str, need: str, failed: RecipeError) -> None:
        said = f": {failed.tail[-1]}" if failed.tail else ""
        super().__init__(f"{whose} needs {need}, which failed: {failed.message}{said}", failed.hint)
        self.need = need
        self.timed_out = isinstance(failed, TimedOutError)


class StoppedError(InfrastructureError):
    """An app that was up was stopped from outside: by a person, by Swarm, or by a command of the tests."""


class NeedsPersonError(CanonError):
    """Only a person can decide or mend this."""


class BusyError(InfrastructureError):
    """Somebody else holds the lock; the message names pid, command and since when."""


class InterruptedPassError(BaseException):
    """A signal asked to stop; `signal_number` is the one that did.

    No Exception: whoever turns what went wrong with one recipe into that recipe's value must let this through, and
    so must libraries that go on after any exception.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"interrupted by signal {signal_number}")
        self.message = str(self)
        self.signal_number = signal_number


def killed_error(recipe: str, killed: Sequence[str], pressure: str = "") -> KilledError:
    """The error for an app of which some parts had to be killed, each named with the time it had: "worker (10 s)"."""
    what = f"{recipe} did not end in the time it has to stop and was killed, so its data may be cut off"
    remedy = "it has to end on SIGTERM, or needs more time: [stop] grace, on a Swarm stop_grace_period"
    return KilledError(f"{what}: {', '.join(killed)}; {remedy}", pressure)


def message_and_hint(failed: CanonError | StateError | OSError) -> tuple[str, str]:
    """What went wrong and where, and what to do about it, "" if nothing is known."""
    if not isinstance(failed, OSError):
        return failed.message, failed.hint
    where = f" ({os.fsdecode(failed.filename)})" if isinstance(failed.filename, str | bytes) else ""
    return f"{failed.strerror or failed}{where}", _REMEDIES.get(failed.errno or 0, "")


def in_one_line(failed: CanonError | StateError | OSError) -> str:
    """The same for where there is room for one line only."""
    return "; ".join(part for part in message_and_hint(failed) if part)


def reason_of(failed: Exception) -> str:
    """Any exception in one line: one that nobody expected is named as a bug."""
    return (
        in_one_line(failed) if isinstance(failed, CanonError | StateError | OSError) else f"a bug in Canon: {failed!r}"
    )
