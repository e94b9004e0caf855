"""The errors of the state folder, sorted by their remedy."""


class StateError(Exception):
    """The state folder has a problem that a person has to repair.

    `message` is one line that says what is wrong and where; `hint` says what to do, "" if nothing is known.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AgainLaterError(StateError):
    """Trying again later may help: the disk is full, or another process uses the file."""


class LockHeldError(AgainLaterError):
    """Another process holds the lock; the message names its pid, its command and its start."""


class FolderError(StateError):
    """The state folder is not safe to use, or cannot be made."""


class ForeignFolderError(FolderError):
    """The folder given as the state folder holds files of somebody else; it is left as it is."""


class RegistryError(StateError):
    """The registry cannot be read, has a newer format or is damaged, or refuses a record that contradicts it."""


class RegistryDamagedError(RegistryError):
    """The registry is not what was written to it."""


class KeptError(StateError):
    """The deployment record of a canonical that is kept running cannot be read or written."""


class SnapshotError(StateError):
    """A snapshot cannot be made, moved or read. A snapshot that is not what was sealed is a `Damaged` instead."""


class UnfitDataError(SnapshotError):
    """The data to be sealed holds something that a snapshot cannot store; the app's owner has to change it."""
