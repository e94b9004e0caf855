"""Says why a user cannot write to a folder, and what to do about it."""

import shlex

from attrs import frozen

_OWNER_MAY_WRITE = 0o300


@frozen
class FolderAccess:
    """What is known of an existing folder to which a user wants to write.

    * `owner`, `user`: the names of its owner and of this user.
    * `mode`: its permissions.
    * `is_read_only`: whether its file system is mounted read-only.
    * `is_allowed`: whether the system lets this user make files in it.
    """

    folder: str
    owner: str
    user: str
    mode: int
    is_read_only: bool
    is_allowed: bool


def obstacle(access: FolderAccess) -> tuple[str, str]:
    """Return why the user cannot make files in the folder, and what to do. Both are "" if nothing prevents that."""
    if access.is_read_only:
        return f"{access.folder} is on a file system that is mounted read-only", "mount it for writing"
    if access.is_allowed:
        return "", ""
    denied = f"{access.folder} cannot be written to by {access.user}"
    if access.owner != access.user:
        # The mode does not stop root, but it may be without its capabilities.
        more = ", or see with lsattr whether it is immutable" if access.user == "root" else ""
        return f"{denied} (it belongs to {access.owner})", f"run this as its owner{more}"
    if access.mode & _OWNER_MAY_WRITE != _OWNER_MAY_WRITE:
        return f"{denied} (its mode is {access.mode:04o})", f"chmod u+wx {shlex.quote(access.folder)}"
    return denied, "see with lsattr whether it is immutable"
