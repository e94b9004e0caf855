"""The manifest of a sealed tree: its entries with their hashes, and totals over all of them."""

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from state.codec import NotARecordError, dump, load

FORMAT: Final = 2
TARS: Final = {1: "snapshot.tar", 2: "snapshot.tar.zst"}
"""The name of the tar in each format of the manifest. Format 1 has the tar as it is, format 2 compresses it."""


@frozen
class SealedEntry:
    """One path of a tree; `type` is file, folder, symlink or hardlink.

    Paths are relative, with `/`; bytes that are not UTF-8 become lone surrogates. `target` is the target of a symlink,
    or the path of the file that a hard link shares; else "". `size` is in bytes. Only a file has a size and a hash of
    its content; else they are 0 and "".
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
    """A path that is not in the snapshot, since it has no content: `type` is socket, fifo or device."""

    path: str
    type: str


@frozen
class Tar:
    """The hash of the file with the tar, and its size in bytes. The file is compressed in format 2."""

    sha256: str
    bytes: int


@frozen
class Totals:
    """The sums over all entries: how many there are, how many bytes they have, and how many paths were skipped.

    `bytes` counts the content of a hard-linked file once.
    """

    entries: int
    bytes: int
    skipped: int


@frozen
class Manifest:
    """The content of manifest.json. `about` is plain JSON data from the caller that sealed the snapshot."""

    format: int
    about: Mapping[str, object]
    tar: Tar
    totals: Totals
    entries: tuple[SealedEntry, ...]
    skipped: tuple[SkippedEntry, ...]


def make_manifest(
    about: Mapping[str, object], tar: Tar, entries: tuple[SealedEntry, ...], skipped: tuple[SkippedEntry, ...]
) -> Manifest:
    """Return the manifest of a tar with these entries, and with totals over all of them."""
    totals = Totals(len(entries), sum(entry.size for entry in entries), len(skipped))
    return Manifest(FORMAT, about, tar, totals, entries, skipped)


def encode(manifest: Manifest) -> bytes:
    """Return the bytes of manifest.json."""
    return f"{dump(manifest)}\n".encode("ascii")


def decode(content: bytes) -> Manifest:
    """Return the manifest of these bytes. Raise NotARecordError for anything else, also for an unknown format."""
    try:
        manifest = load(content.decode("ascii"), Manifest)
    except UnicodeDecodeError as error:
        raise NotARecordError(f"not a manifest: {error}") from error
    if manifest.format not in TARS:
        raise NotARecordError(f"a manifest of format {manifest.format}, and this program knows up to {FORMAT}")
    return manifest
