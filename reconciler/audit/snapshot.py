"""Reads sealed snapshots byte by byte, and compares them with their manifests and records."""

import hashlib
import json
import os
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from types import ModuleType
from typing import IO, Any, Literal

from reconciler.audit.claims import Claim, checked, differs
from reconciler.audit.records import ClaimedRelease

_MANIFEST = "manifest.json"
_TARS = {1: "snapshot.tar", 2: "snapshot.tar.zst"}
_CHUNK = 1 << 20
_KINDS = {tarfile.REGTYPE: "file", tarfile.DIRTYPE: "folder", tarfile.SYMTYPE: "symlink", tarfile.LNKTYPE: "hardlink"}


def snapshot_claims(recipe: str, folder: Path, canonicals: Sequence[ClaimedRelease], begun: int) -> Iterator[Claim]:
    """Yield a claim about each snapshot of a recipe, and one that disagrees for each unrecorded entry of `folder`.

    * `folder`: the folder of the recipe's snapshots.
    * `canonicals`: the recorded generations. The snapshot of the newest must exist; older ones may have been deleted.
    * `begun`: the generation of a promotion or rollback that has begun and not ended; 0 for none. Its snapshot may be
      unrecorded.
    """
    newest = max((canonical.generation for canonical in canonicals), default=0)
    for canonical in canonicals:
        own = folder / str(canonical.generation)
        if canonical.generation == newest or os.path.lexists(own):
            yield checked(recipe, f"snapshot of generation {canonical.generation}", *_problems(own, canonical))
    recorded = {str(canonical.generation) for canonical in canonicals} | {str(begun)}
    others = sorted(path.name for path in folder.iterdir() if path.name not in recorded) if folder.is_dir() else []
    yield from (
        checked(recipe, f"snapshot {name}", f"no record mentions canonicals/{recipe}/{name}") for name in others
    )


def _problems(folder: Path, canonical: ClaimedRelease) -> Iterator[str]:
    """Yield a text for each difference between the snapshot in `folder` and its record `canonical`.

    Of the differences within the tar, yield only the first. A text "" comes from a check that found no difference.
    """
    try:
        content = (folder / _MANIFEST).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        yield f"{folder.name}/{_MANIFEST} is missing"
        return
    if hashlib.sha256(content).hexdigest() != canonical.manifest:
        yield f"{folder.name}/{_MANIFEST} is not what was sealed"
        return
    try:
        manifest = json.loads(content)
        name = _TARS[manifest["format"]]
        yield from _record_problems(canonical, manifest, name)
        yield from (f"it holds {added}, which was not sealed" for added in _added(folder, name))
        yield _tar_problem(folder / name, manifest)
    except (KeyError, TypeError, ValueError) as error:
        yield f"its manifest cannot be read: {error!r}"


def _added(folder: Path, name: str) -> list[str]:
    return sorted({path.name for path in folder.iterdir()} - {name, _MANIFEST})


def _record_problems(canonical: ClaimedRelease, manifest: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield a text for each value that both the record of a generation and the manifest have.

    The text is "" if the two values are equal; else it says how they differ. `name` is the file name of the snapshot's
    tar.
    """
    about, totals, tar = manifest["about"], manifest["totals"], manifest["tar"]
    yield differs("its recipe", canonical.recipe, about.get("recipe"))
    yield differs("its version", canonical.version, about.get("version"))
    yield differs("its commit", canonical.commit, about.get("commit"))
    yield differs("its trial", canonical.trial, about.get("trial"))
    yield differs("its lineage", list(canonical.lineage), about.get("lineage"))
    yield differs("its size", canonical.size, totals["bytes"])
    yield differs("its number of entries", canonical.entries, totals["entries"])
    yield differs("its packed size", canonical.packed, tar["bytes"])
    yield differs("its files", sorted(canonical.files), sorted([name, _MANIFEST]))


def _tar_problem(path: Path, manifest: Mapping[str, Any]) -> str:
    """Return a text on the first difference between the tar `path` and its manifest; "" if they are alike."""
    where = f"{path.parent.name}/{path.name}"
    try:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != manifest["tar"]["sha256"]:
                return f"{where} is not what was sealed"
        with _opened(path) as tar:
            difference = next(_differences(tar, manifest["entries"]), "")
    except (FileNotFoundError, NotADirectoryError):
        return f"{where} is missing"
    except (tarfile.TarError, EOFError, ValueError) as error:
        return f"{where} cannot be unpacked: {error}"
    return f"{where}: {difference}" if difference else ""


@contextmanager
def _opened(path: Path) -> Iterator[tarfile.TarFile]:
    """Yield the tar `path`, compressed or not, to be read once from start to end. Close it afterwards."""
    is_compressed = path.suffix == ".zst"
    opened = _zstd().open(path) if is_compressed else path.open("rb")
    mode: Literal["r|", "r:"] = "r|" if is_compressed else "r:"
    with opened as file, tarfile.open(fileobj=file, mode=mode, encoding="utf-8", errors="surrogateescape") as tar:
        yield tar


def _zstd() -> ModuleType:
    """Return the module for zstd, imported only if needed. From Python 3.14 on it is in the standard library."""
    return import_module("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")


def _differences(tar: tarfile.TarFile, entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a text for each path on which the tar of a snapshot and its manifest do not agree.

    They do not agree if only one of them has the path, or if the kind, attributes or content of the path differ.
    `entries` is the manifest's list of paths.
    """
    for entry, info in zip_longest(entries, tar):
        if info is None:
            yield f"{entry['path']!r} is missing"
        elif entry is None:
            yield f"{info.name!r} was added"
        elif (facts := _facts(info)) != {name: entry[name] for name in facts}:
            yield f"{entry['path']!r} is another entry than the manifest says"
        elif info.isreg() and _sha256(tar.extractfile(info)) != entry["sha256"]:
            yield f"the content of {entry['path']!r} is not what was sealed"


def _facts(info: tarfile.TarInfo) -> Mapping[str, object]:
    """Return the values in the header of a tar entry, under the names that the manifest uses.

    Times are left out, because the header has only whole seconds.
    """
    return {
        "path": info.name,
        "type": _KINDS.get(info.type, "file" if info.isreg() else "other"),
        "mode": info.mode,
        "uid": info.uid,
        "gid": info.gid,
        "size": info.size,
        "target": info.linkname,
    }


def _sha256(content: IO[bytes] | None) -> str:
    digest = hashlib.sha256()
    while content is not None and (data := content.read(_CHUNK)):
        digest.update(data)
    return digest.hexdigest()
