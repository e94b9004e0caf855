"""What a sealed tree holds, entry by entry."""

from collections.abc import Mapping

from attrs import frozen

from state.codec import NotARecordError, dump, load

FORMAT = 1


class MismatchError(Exception):
    """Something sealed is not what it should be. Callers of this room see `Damaged` instead."""


@frozen
class SealedEntry:
    """One path of a tree; `type` is file, folder, symlink or hardlink.

    Paths are relative, with `/`; bytes that are no UTF-8 stand as lone surrogates. `target` is where a symlink points,
    or the path of the file that a hard link shares. `size` and `sha256` are of a file's content, else 0 and "".
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
    """A path that was not sealed since only its type could be kept: socket, fifo or device."""

    path: str
    type: str


@frozen
class Tar:
    sha256: str
    bytes: int


@frozen
class Totals:
    """Sums over the entries; `bytes` counts each file's content once."""

    entries: int
    bytes: int
    skipped: int


@frozen
class Manifest:
    """All of manifest.json. `about` is whatever the sealer wanted to say, in plain JSON data."""

    format: int
    about: Mapping[str, object]
    tar: Tar
    totals: Totals
    entries: tuple[SealedEntry, ...]
    skipped: tuple[SkippedEntry, ...]


def make_manifest(
    about: Mapping[str, object], tar: Tar, entries: tuple[SealedEntry, ...], skipped: tuple[SkippedEntry, ...]
) -> Manifest:
    totals = Totals(len(entries), sum(entry.size for entry in entries), len(skipped))
    return Manifest(FORMAT, about, tar, totals, entries, skipped)


def encode(manifest: Manifest) -> bytes:
    """The bytes of manifest.json."""
    return f"{dump(manifest)}\n".encode("ascii")


def decode(content: bytes) -> Manifest:
    """The reverse of `encode`; raises NotARecordError, also for a format which this program does not know."""
    try:
        manifest = load(content.decode("ascii"), Manifest)
    except UnicodeDecodeError as error:
        raise NotARecordError(f"no manifest: {error}") from error
    if manifest.format != FORMAT:
        raise NotARecordError(f"a manifest of format {manifest.format}, and this program knows {FORMAT}")
    return manifest
