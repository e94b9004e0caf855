"""What can go wrong with the state folder, sorted by what helps."""


class StateError(Exception):
    """One line for a person: what and where; `hint` says what to do about it, "" if nothing is known.

    Of this class itself and of those that name a part of the folder: a person has to mend something.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class AgainLaterError(StateError):
    """Trying again later may help: the disk is full, or somebody is at it."""


class LockHeldError(AgainLaterError):
    """Somebody else holds the lock; the message names pid, command and since when."""


class FolderError(StateError):
    """The state folder cannot be trusted or made."""


class ForeignFolderError(FolderError):
    """The folder that is named as the state folder holds what Canon did not make, and is left as it is."""


class RegistryError(StateError):
    """The registry is unreadable, of a newer format, or broken; or a record would contradict it."""


class RegistryDamagedError(RegistryError):
    """The registry is not what was written into it."""


class KeptError(StateError):
    """The account of a canonical that is kept running cannot be read or written."""


class SnapshotError(StateError):
    """A snapshot cannot be made, moved or looked at. One that is merely not as sealed is a `Damaged`."""


class UnfitDataError(SnapshotError):
    """What is to be sealed holds something that a snapshot cannot: whose data it is has to change it."""
