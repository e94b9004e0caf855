"""A fingerprint of a recipe's folder, to know whether its declaration or its tests changed."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20


def tests_digest(folder: Path) -> str:
    """`sha256:` and the hash of all names, kinds, executable bits, link targets and contents; times do not count.

    Raises OSError where something cannot be read or vanishes meanwhile.
    """
    digest = hashlib.sha256()
    for path in _entries(folder):
        for part in (os.fsencode(path.relative_to(folder)), *_facts(path)):
            # Lengths keep one part from running over into the next.
            digest.update(b"%d:%b" % (len(part), part))
    return f"sha256:{digest.hexdigest()}"


def files_digest(folders: Mapping[str, Path]) -> str:
    """The same for several recipes' folders at once, by the recipes' names."""
    every = json.dumps({name: tests_digest(folder) for name, folder in folders.items()}, sort_keys=True)
    return f"sha256:{hashlib.sha256(every.encode()).hexdigest()}"


def _entries(folder: Path) -> Iterator[Path]:
    """Everything in a folder, parents first, each folder in the order of its names' bytes."""
    for path in sorted(folder.iterdir(), key=os.fsencode):
        yield path
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from _entries(path)


def _facts(path: Path) -> tuple[bytes, bytes]:
    """Kind and content of one entry; what is neither file, folder nor link counts by its kind alone."""
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return (b"program" if mode & stat.S_IXUSR else b"file"), _content(path)
    if stat.S_ISLNK(mode):
        return b"link", os.fsencode(path.readlink())
    return (b"folder" if stat.S_ISDIR(mode) else b"special %o" % stat.S_IFMT(mode)), b""


def _content(path: Path) -> bytes:
    """The hash of a file's content, which is never held as a whole."""
    digest = hashlib.sha256()
    # A file that became a link or a pipe since it was looked at is not followed and not waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
