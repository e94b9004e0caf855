"""Fingerprints of a recipe's declaration and of its folder, to know whether what a trial rests on changed."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from attrs import asdict, filters, frozen

from desired.declarations.declared import RECIPE_FILE
from desired.model import Recipe

_CHUNK: Final = 1 << 20


@frozen
class FolderDigest:
    """`whole` tells every change in a folder, `tests` every one beside its declaration's file."""

    whole: str
    tests: str


def declaration_digest(recipe: Recipe) -> str:
    """`sha256:` and the hash of what is declared of a recipe, by its values.

    How the file is written does not count: comments, the order of keys, "10m" for "600s"; nor where its folder is.
    """
    return _digest_of(asdict(recipe, filter=filters.exclude("folder")))


def files_digest(folders: Mapping[str, Path]) -> FolderDigest:
    """The same for several recipes' folders at once, by the recipes' names."""
    every = {name: _folder_digest(folder) for name, folder in folders.items()}
    whole = {name: digest.whole for name, digest in every.items()}
    return FolderDigest(_digest_of(whole), _digest_of({name: digest.tests for name, digest in every.items()}))


def _digest_of(values: object) -> str:
    return f"sha256:{hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()}"


def _folder_digest(folder: Path) -> FolderDigest:
    whole, tests = hashlib.sha256(), hashlib.sha256()
    for path in _entries(folder):
        for part in (os.fsencode(path.relative_to(folder)), *_facts(path)):
            # Lengths keep one part from running over into the next.
            told = b"%d:%b" % (len(part), part)
            whole.update(told)
            if path != folder / RECIPE_FILE:
                tests.update(told)
    return FolderDigest(f"sha256:{whole.hexdigest()}", f"sha256:{tests.hexdigest()}")


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
