"""Computes digests of a recipe's declaration and folder. If one changes, an earlier trial may count no more."""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from attrs import fields, frozen, has

from desired.declarations.declared import RECIPE_FILE
from desired.model import Recipe, WayName

_CHUNK: Final = 1 << 20
_NOT_DIGESTED: Final = frozenset({"folder", "drift", "minimum_age", "signed", "ways", "also"})


@frozen
class FolderDigest:
    """Two digests of a recipe's fleet folder, or of several such folders together.

    * `whole`: covers everything in the folders.
    * `tests`: covers everything except the files `recipe.toml`.
    """

    whole: str
    tests: str


def declaration_digest(recipe: Recipe) -> str:
    """Return the digest of a recipe's declared values and defaults: "sha256:" and hexadecimal digits.

    Left out is what has no effect on a promotion:

    * what `drift` ignores
    * the age and the signature that releases need to be tried
    * the ways that are no gates
    * the older releases of the way leap, unless that way is a gate
    * the path of the folder, and comments and the order of keys in the file
    """
    values, gates = _digested(recipe), recipe.ways.gates
    also = {"also": recipe.upgrade.also} if WayName.LEAP in gates and recipe.upgrade.also else {}
    return json_digest({**values, "gates": gates, **also} if gates else values)


def files_digest(folders: Mapping[str, Path]) -> FolderDigest:
    """Return two digests of all `folders` together: `whole` of everything, `tests` of all but `recipe.toml`.

    `folders` maps the name of each recipe to its fleet folder. The digests depend on names, kinds, executable bits,
    link targets and contents of files, but not on times. Raise OSError if a file cannot be read, or is removed
    meanwhile.
    """
    digests = {name: _folder_digest(folder) for name, folder in folders.items()}
    whole = {name: digest.whole for name, digest in digests.items()}
    return FolderDigest(json_digest(whole), json_digest({name: digest.tests for name, digest in digests.items()}))


def json_digest(values: object) -> str:
    """Return `sha256:` and the hash of `values` as JSON. What JSON lacks, such as a path, counts as its text."""
    return f"sha256:{hashlib.sha256(json.dumps(values, sort_keys=True, default=_as_json).encode()).hexdigest()}"


def _as_json(value: object) -> object:
    return _digested(value) if has(type(value)) else str(value)


def _digested(declared: Any) -> dict[str, object]:  # noqa: ANN401  # any attrs class of desired.model
    """Return the values that count for a recipe's digest, by name. `declared` is the recipe or a part of it."""
    names = _digested_names(type(declared))  # type: ignore[arg-type]  # a class is hashable
    return {name: getattr(declared, name) for name in names}


@cache
def _digested_names(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of those fields of the attrs class `kind` that count for the digest of a declaration."""
    return tuple(each.name for each in fields(kind) if each.name not in _NOT_DIGESTED)


def _folder_digest(folder: Path) -> FolderDigest:
    """Return the digests of one fleet folder: `whole` of everything in it, `tests` of everything but its `recipe.toml`.

    Raise OSError if a file cannot be read.
    """
    whole, tests = hashlib.sha256(), hashlib.sha256()
    declaration = folder / RECIPE_FILE
    for path in _entries(folder):
        is_test = path != declaration
        for part in (os.fsencode(path.relative_to(folder)), *_facts(path)):
            # The length comes first, so that no two lists of parts give the same bytes.
            encoded = b"%d:%b" % (len(part), part)
            whole.update(encoded)
            if is_test:
                tests.update(encoded)
    return FolderDigest(f"sha256:{whole.hexdigest()}", f"sha256:{tests.hexdigest()}")


def _entries(folder: Path) -> Iterator[Path]:
    """Yield every path below a folder. A folder comes before what is in it, and names are sorted as bytes."""
    for path in sorted(folder.iterdir(), key=os.fsencode):
        yield path
        if stat.S_ISDIR(path.lstat().st_mode):
            yield from _entries(path)


def _facts(path: Path) -> tuple[bytes, bytes]:
    """Return the kind of an entry of a folder, such as b"file", and its content.

    For a file, the content is the hash of its bytes. For a link, it is the target. For anything else, it is b"".
    """
    mode = path.lstat().st_mode
    if stat.S_ISREG(mode):
        return (b"program" if mode & stat.S_IXUSR else b"file"), _content(path)
    if stat.S_ISLNK(mode):
        return b"link", os.fsencode(path.readlink())
    return (b"folder" if stat.S_ISDIR(mode) else b"special %o" % stat.S_IFMT(mode)), b""


def _content(path: Path) -> bytes:
    """Return the hash of a file's content. The file is read piece by piece."""
    digest = hashlib.sha256()
    # The file may have been replaced by a link or a pipe: do not follow the link, and do not wait for a writer.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()
