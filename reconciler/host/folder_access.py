"""Reads what the system says of a folder to which this user wants to write."""

import os
import pwd
import stat
from pathlib import Path

from reconciler.core.folder_access import FolderAccess


def read_access(folder: Path) -> FolderAccess:
    """Return what keeps this user from writing to an existing folder, or lets him. Raise OSError if it is not there."""
    info = folder.stat()
    return FolderAccess(
        folder=str(folder),
        owner=user_name(info.st_uid),
        user=user_name(os.geteuid()),
        mode=stat.S_IMODE(info.st_mode),
        is_read_only=bool(os.statvfs(folder).f_flag & os.ST_RDONLY),
        is_allowed=os.access(folder, os.W_OK | os.X_OK),
    )


def user_name(number: int) -> str:
    """Return the name of the user with this number; "user NUMBER" if the number has no name."""
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"user {number}"
