"""The errors of Canon. The class of an error says who can do something about it."""

import errno
import os
import shlex
from collections.abc import Sequence
from pathlib import Path

from state.state_errors import StateError

MORE_MEMORY = "give this host more memory, or let fewer apps be up at a time"
# A write that fails names no file. Without one, the numbers below these may be about a connection.
_REMEDIES_OF_WRITES = {
    errno.ENOSPC: "make room on the disk that is full",
    errno.EDQUOT: "make room on the disk whose quota is used up",
    errno.EFBIG: "raise the limit on the size of files (ulimit -f)",
}
_REMEDIES = {
    **_REMEDIES_OF_WRITES,
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room on its disk",
    errno.EROFS: "mount its disk for writing",
    errno.EBUSY: "something is mounted there: umount it",
    errno.EPERM: "see with lsattr whether it is immutable, and whose it is",
    errno.EIO: "its disk fails: see the kernel's log",
}


class CanonError(Exception):
    """An error. `message` is one line for a person. `hint` is what to do about it; "" if nothing is known."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(CanonError):
    """The command line names something that does not exist, or has a value that is not valid."""


class InfrastructureError(CanonError):
    """A fault of the host, not of a recipe: a missing program, a full disk, an unreachable server. A retry may help."""


class NoFleetError(CanonError):
    """The fleet folder `folder` is missing.

    `commands` are what a user may want to run next, each with what it does.
    """

    def __init__(self, folder: str) -> None:
        init = f"reconcile init {shlex.quote(folder)}"
        super().__init__(f"there is no fleet: {folder} is missing", f"make one: {init}; or name another: --fleet DIR")
        self.folder = folder
        self.commands = (
            (init, "make a fleet there, without recipes yet"),
            ("reconcile --fleet DIR", "use the fleet in DIR; or set RECONCILE_FLEET"),
            ("reconcile demo canon-demo --tell", "see Canon at work; all of it is in the new folder canon-demo"),
        )


class NotCheckedError(CanonError):
    """A check of `reconcile doctor` could not be made, because something could not be asked or read."""


class UpstreamError(InfrastructureError):
    """A fault in upstream's repository, such as a missing object. Only upstream can repair this.

    No release of the recipe is tried.
    """


class RecipeError(CanonError):
    """A fault of the recipe or its tests: a crash, a missing secret, a wrong answer. `tail` is the end of the log."""

    def __init__(self, message: str, hint: str = "", tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.tail = tail


class TimedOutError(RecipeError):
    """An app or a command of the tests took too long. The recipe may be to blame, or a busy host.

    `pressure` is one line on how busy the host was then; "" if this was not measured yet.
    """

    def __init__(self, message: str, pressure: str = "", tail: tuple[str, ...] = ()) -> None:
        super().__init__(message, tail=tail)
        self.pressure = pressure


class KilledError(TimedOutError):
    """An app did not stop in time and was killed. Its last writes may be incomplete."""


class NeededAppError(InfrastructureError):
    """The recipe `needed_by` needs the app of the recipe `need`, which failed with the error `failed`.

    Neither recipe is blamed. `timed_out` is True if the app only took too long.
    """

    def __init__(self, needed_by: str, need: str, failed: RecipeError) -> None:
        last_line = f": {failed.tail[-1]}" if failed.tail else ""
        super().__init__(f"{needed_by} needs {need}, which failed: {failed.message}{last_line}", failed.hint)
        self.need = need
        self.timed_out = isinstance(failed, TimedOutError)


class StoppedError(InfrastructureError):
    """An app was stopped from outside: by a person, by Swarm, or by a command of the tests."""


class NeedsPersonError(CanonError):
    """Canon cannot go on by itself. A person has to decide or repair something, and the hint says what."""


class BusyError(InfrastructureError):
    """Another process holds the lock on the file `lock`: that of the pass, of a slot, or of a fetch.

    The message has that process's pid and command, and when it took the lock, if they are known.
    """

    def __init__(self, message: str, hint: str, lock: Path) -> None:
        super().__init__(message, hint)
        self.lock = lock


class InterruptedPassError(BaseException):
    """A signal asked the command to stop. `signal_number` is the number of the signal.

    This is a BaseException. So it is not caught where any Exception of one recipe is caught in order to go on with the
    next recipe.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(f"interrupted by signal {signal_number}")
        self.message = str(self)
        self.signal_number = signal_number


def killed_error(recipe: str, killed: Sequence[str], pressure: str = "") -> KilledError:
    """Return the error for the app of the recipe `recipe`, which had to be killed.

    `killed` are its killed processes or services, each with the time that it had: "worker (10 s)". `pressure` is one
    line on how busy the host was; "" if not measured.
    """
    what = f"{recipe} did not end in the time it has to stop and was killed, so its data may be cut off"
    remedy = "it has to end on SIGTERM, or needs more time: [stop] grace, on a Swarm stop_grace_period"
    return KilledError(f"{what}: {', '.join(killed)}; {remedy}", pressure)


def message_and_hint(failed: CanonError | StateError | OSError) -> tuple[str, str]:
    """Return the message of an error, and a hint what to do about it. The hint is "" if nothing is known.

    The message of an OSError has its path added.
    """
    if not isinstance(failed, OSError):
        return failed.message, failed.hint
    where = f" ({os.fsdecode(failed.filename)})" if isinstance(failed.filename, str | bytes) else ""
    # The errors of modules, such as ssl.SSLError and socket.gaierror, have numbers of their own in `errno`.
    number = failed.errno if type(failed).__module__ == "builtins" else None
    remedies = _REMEDIES if where else _REMEDIES_OF_WRITES
    return f"{failed.strerror or failed}{where}", remedies.get(number or 0, "")


def in_one_line(failed: CanonError | StateError | OSError) -> str:
    """Return the message and the hint of an error in one line."""
    return "; ".join(part for part in message_and_hint(failed) if part)


def reason_of(failed: Exception) -> str:
    """Return any exception as one line of text.

    An exception that Canon does not raise by intent is called a bug in Canon.
    """
    if isinstance(failed, CanonError | StateError | OSError):
        return in_one_line(failed)
    return f"a bug in Canon: {failed!r}"
