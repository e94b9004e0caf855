"""The manifest of a snapshot: its entries with their hashes, and totals over all of them."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from state.codec import NotARecordError, dump, load

FORMAT: Final = 2
TARS: Final = {1: "snapshot.tar", 2: "snapshot.tar.zst"}
"""The name of the tar in each format of the manifest. Format 1 has the tar as it is, format 2 compresses it."""


@frozen
class SealedEntry:
    """One path in a snapshot. `type` is file, folder, symlink or hardlink.

    * `path`: relative, with `/`. Bytes that are not UTF-8 are lone surrogates.
    * `mode`, `uid`, `gid`, `mtime_ns`: its permissions, the ids of its owner and group, and its time of change.
    * `size`, `sha256`: the size of a file in bytes, and the hash of its content; 0 and "" for any other type.
    * `target`: the target of a symlink, or the path of the file that a hard link shares; "" for a file or a folder.
    """

    path: str
    type: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    sha256: str = ""
    target: str = ""


@frozen
class SkippedEntry:
    """A path that a snapshot leaves out, because it has no content. `type` is socket, fifo or device."""

    path: str
    type: str


@frozen
class Tar:
    """Hash and size in bytes of the file with the tar: snapshot.tar.zst, or snapshot.tar in the old format 1."""

    sha256: str
    bytes: int


@frozen
class Totals:
    """How much is in a snapshot.

    * `entries`: how many paths it has.
    * `bytes`: how many bytes its files have. The content of a file with several hard links counts once.
    * `skipped`: how many paths were left out of it.
    """

    entries: int
    bytes: int
    skipped: int


@frozen
class Manifest:
    """The content of manifest.json, which describes a snapshot.

    * `about`: JSON data that the caller gave when the snapshot was sealed.
    * `tar`: hash and size of the file with the tar.
    * `entries`: every path in the tar. `totals` counts them.
    * `skipped`: the paths that were left out of the tar, because they have no content.
    """

    format: int
    about: Mapping[str, object]
    tar: Tar
    totals: Totals
    entries: tuple[SealedEntry, ...]
    skipped: tuple[SkippedEntry, ...]


def make_manifest(
    about: Mapping[str, object], tar: Tar, entries: tuple[SealedEntry, ...], skipped: tuple[SkippedEntry, ...]
) -> Manifest:
    """Return the manifest of a new snapshot. Its totals are computed from the arguments.

    * `about`: JSON data to store in the manifest.
    * `tar`: hash and size of the file with the tar.
    * `entries`: every path in the tar.
    * `skipped`: the paths that were left out of the tar.
    """
    totals = Totals(len(entries), sum(entry.size for entry in entries), len(skipped))
    return Manifest(FORMAT, about, tar, totals, entries, skipped)


def encode(manifest: Manifest) -> bytes:
    """Return the manifest as the bytes of manifest.json."""
    return f"{dump(manifest)}\n".encode("ascii")


def decode(content: bytes) -> Manifest:
    """Return the manifest whose bytes, as in manifest.json, are `content`.

    Raise NotARecordError if the bytes are no manifest, or one of an unknown format.
    """
    try:
        manifest = load(content.decode("ascii"), Manifest)
    except UnicodeDecodeError as error:
        raise NotARecordError(f"not a manifest: {error}") from error
    if manifest.format not in TARS:
        raise NotARecordError(f"a manifest of format {manifest.format}, and this program knows up to {FORMAT}")
    return manifest
