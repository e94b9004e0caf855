"""Reads the members of a snapshot's tar one after the other, and compares each header with the manifest."""

import tarfile
from collections.abc import Iterator, Sequence
from typing import IO, Protocol, cast

from attrs import frozen

from state.snapshots.compression import CHUNK, ForwardReader
from state.snapshots.headers import TAR_TYPES, head
from state.snapshots.manifest import SealedEntry
from state.snapshots.sealed_files import MismatchError
from state.snapshots.sparse import Extents


class Content(Protocol):
    """Reads the content of a file in the tar, as bytes."""

    def read(self, size: int, /) -> bytes: ...

    def seek(self, offset: int, /) -> int: ...


@frozen
class Member:
    """One member of a tar.

    * `entry`: its entry in the manifest.
    * `content`: reads the bytes of a file; None if the member is no file.
    * `extents`: offset and length of each piece of data in the file; between them are holes.
    * `end`: the offset in the tar at which the next member begins.
    """

    entry: SealedEntry
    content: Content | None
    extents: Extents
    end: int


def members(tar: Iterator[bytes], entries: Sequence[SealedEntry]) -> Iterator[Member]:
    """Yield the members of a tar, in the order of `entries`. `tar` yields the bytes of the tar in chunks.

    The caller must read the content of a member before it takes the next one. Raise MismatchError if the tar cannot be
    read, has other members than `entries`, or is followed by other data.
    """
    reader = ForwardReader(tar)
    for number, entry in enumerate(entries, 1):
        member = _expected_member(reader, entry) or _parsed_member(reader, entry, number)
        yield member
        reader.seek(member.end)
    while rest := reader.read(CHUNK):
        if rest.strip(b"\0"):
            raise MismatchError("the tar is followed by other data")


def _expected_member(reader: ForwardReader, entry: SealedEntry) -> Member | None:
    """Return the next member of the tar if its header is, byte for byte, the header that `head` returns for `entry`.

    If it is another header, return None, and do not move the reader. tarfile is not used, because to parse the header
    with tarfile takes ten times as long.
    """
    try:
        expected = head(entry)
    except (KeyError, ValueError):  # no tar can have this entry
        return None
    if reader.peek(len(expected)) != expected:
        return None
    reader.read(len(expected))
    start = reader.tell()
    if entry.type != "file":
        return Member(entry, None, (), start)
    return Member(entry, reader, ((0, entry.size),), start + entry.size + -entry.size % tarfile.BLOCKSIZE)


def _parsed_member(reader: ForwardReader, entry: SealedEntry, number: int) -> Member:
    """Return the next member of the tar. Let tarfile parse its header.

    This is needed for files with holes, and for tars of older versions of Canon. Raise MismatchError if the tar cannot
    be read, or if the member does not match `entry`. `number` is the number of the entry in the manifest, from 1 on.
    """
    file = cast("IO[bytes]", reader)  # tarfile reads, seeks and tells
    try:
        # It reads the header at the reader's position, and nothing after that.
        archive = tarfile.TarFile(fileobj=file, mode="r", encoding="utf-8", errors="surrogateescape")
    except tarfile.TarError as error:
        raise MismatchError(f"the tar cannot be read: {error}") from error
    info = next(iter(archive), None)
    if info is None or not _matches(entry, info):
        raise MismatchError(f"tar and manifest differ at entry {number}")
    return Member(entry, archive.extractfile(info) if info.isreg() else None, extents_in(info), archive.offset)


def extents_in(info: tarfile.TarInfo) -> Extents:
    """Return offset and length of each piece of data in the file whose tar header is `info`.

    A file without holes is one piece.
    """
    sparse = cast("Sequence[tuple[int, int]] | None", info.sparse)
    return tuple(sparse) if sparse is not None else ((0, info.size),)


def _matches(entry: SealedEntry, info: tarfile.TarInfo) -> bool:
    """Return whether the header of a tar member has the values of the manifest's entry."""
    named = (entry.path, TAR_TYPES.get(entry.type), entry.mode, entry.uid, entry.gid, entry.size, entry.target)
    return named == (info.name, info.type, info.mode, info.uid, info.gid, info.size, info.linkname)
