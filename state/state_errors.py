"""The errors of the state folder. The class of an error depends on what can be done about it."""

MAKE_ROOM = "make room on the disk of the state folder"


class StateError(Exception):
    """The state folder has a problem that a person has to repair.

    `message` is one line that says what is wrong and where. `hint` is what to do; "" if that is not known.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AgainLaterError(StateError):
    """A later try may succeed: the disk is full, or another process uses the file."""


class LockHeldError(AgainLaterError):
    """Another process holds the lock. The message has its pid, its command and when it started."""


class FolderError(StateError):
    """The state folder cannot be made, or is not safe to use."""


class ForeignFolderError(FolderError):
    """The folder that was named as the state folder has files that Canon did not make. Nothing in it was changed."""


class NoRecordsError(FolderError):
    """The state folder is missing, or nothing was recorded in it yet."""


class OtherFleetError(FolderError):
    """The state folder belongs to another fleet than the one that is declared. Nothing in it was changed."""


class RegistryError(StateError):
    """The registry cannot be read, is damaged, has a newer format, or refuses a record.

    The registry refuses a record that contradicts an earlier one.
    """


class RegistryDamagedError(RegistryError):
    """The file of the registry has other content than was written to it."""


class OnHoldError(RegistryError):
    """The recipe is on hold, so its release is not promoted."""


class KeptError(StateError):
    """A deployment record cannot be read or written."""


class SnapshotError(StateError):
    """A snapshot cannot be made, moved or read. A damaged snapshot is no error: functions return `Damaged` for it."""


class UnfitDataError(SnapshotError):
    """An app's data has a file or an attribute that a snapshot cannot store. The recipe has to be changed."""
