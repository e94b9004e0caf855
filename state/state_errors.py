"""The errors of the state folder. Each class has another remedy."""

MAKE_ROOM = "make room on the disk of the state folder"


class StateError(Exception):
    """The state folder has a problem that a person has to repair.

    `message` is one line that says what is wrong and where. `hint` says what to do, "" if that is not known.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AgainLaterError(StateError):
    """Trying again later may help: the disk is full, or another process uses the file."""


class LockHeldError(AgainLaterError):
    """Another process holds the lock; the message names its pid, its command and when it started."""


class FolderError(StateError):
    """The state folder is not safe to use, or cannot be made."""


class ForeignFolderError(FolderError):
    """The folder that was named as the state folder has files that Canon did not make. Nothing in it is changed."""


class RegistryError(StateError):
    """The registry cannot be read, is damaged, has a newer format, or does not accept a record.

    It does not accept a record that contradicts what is recorded already.
    """


class RegistryDamagedError(RegistryError):
    """The registry's file does not have what was written to it."""


class OnHoldError(RegistryError):
    """The recipe is on hold, so nothing is promoted."""


class KeptError(StateError):
    """A deployment record cannot be read or written."""


class SnapshotError(StateError):
    """A snapshot cannot be made, moved or read. A damaged snapshot is no error: functions return `Damaged` for it."""


class UnfitDataError(SnapshotError):
    """An app's data has a file or an attribute that a snapshot cannot store. The recipe has to be changed."""
