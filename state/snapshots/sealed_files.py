"""Looks at the two files of a sealed snapshot without reading them.

This module imports little, because `status` uses it for every snapshot and should start quickly.
"""

import errno
import os
import stat
from io import BufferedReader
from pathlib import Path

from state.records import FileSeal, Seal

MANIFEST = "manifest.json"


class MismatchError(Exception):
    """Something is not as it was sealed. Callers outside of this package get the value `Damaged` instead."""


def file_seal(path: Path) -> FileSeal:
    """Return the inode, size and times of the file `path`. Raise MismatchError if it is not a regular file."""
    info = path.lstat()
    if not stat.S_ISREG(info.st_mode):
        raise MismatchError(f"{path} is not a regular file")
    return FileSeal(info.st_ino, info.st_size, info.st_mtime_ns, info.st_ctime_ns)


def changed_files(folder: Path, seal: Seal) -> frozenset[str]:
    """Return the names of the files in `folder` whose inode or times have changed since they were sealed.

    Raise MismatchError if the folder or a file is missing, or if a file has another size.
    """
    try:
        present = {entry.name for entry in folder.iterdir()}
    except (FileNotFoundError, NotADirectoryError):
        raise MismatchError(f"{folder} is missing") from None
    if missing := sorted(set(seal.files) - present):
        raise MismatchError(f"{folder} lacks {', '.join(missing)}")
    now = {name: file_seal(folder / name) for name in seal.files}
    for name, sealed in seal.files.items():
        if now[name].size != sealed.size:
            raise MismatchError(f"{folder / name} has {now[name].size} bytes, not {sealed.size}")
    return frozenset(name for name in seal.files if now[name] != seal.files[name])


def open_regular(path: bytes) -> BufferedReader:
    """Open a regular file for reading. Raise OSError for a link, a folder or a pipe, without waiting at the pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return os.fdopen(descriptor, "rb")
