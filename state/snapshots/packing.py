"""Packs a folder with everything in it into a tar."""

import errno
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from typing import BinaryIO, Protocol

from attrs import define, evolve, field, frozen

from state.snapshots.compression import CHUNK
from state.snapshots.headers import head, header
from state.snapshots.manifest import SealedEntry, SkippedEntry
from state.snapshots.sealed_files import open_regular
from state.snapshots.sparse import Extents, Piece, extents_of, pieces, sparse_head, table_of, zeros
from state.state_errors import SnapshotError, UnfitDataError


def text(path: bytes) -> str:
    """Return a path as text for the manifest, read as UTF-8 in every locale. Invalid bytes become lone surrogates."""
    return path.decode("utf-8", "surrogateescape")


def raw(path: str) -> bytes:
    """Return the bytes of a path in the manifest: the reverse of `text`."""
    return path.encode("utf-8", "surrogateescape")


@frozen
class Packed:
    """What `pack` wrote into the tar (`entries`), and what it left out because it has no content, such as sockets."""

    entries: tuple[SealedEntry, ...]
    skipped: tuple[SkippedEntry, ...]


class TarOutput(Protocol):
    """Something to which a tar is written. `size` is how many bytes it has got so far."""

    size: int

    def write(self, data: bytes) -> int: ...


@define
class HashingWriter:
    """Writes to `file`. `size` counts the bytes that were written, and `sha256` is their hash."""

    file: BinaryIO
    size: int = 0
    _digest: "hashlib._Hash" = field(factory=hashlib.sha256)

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size += len(data)
        return self.file.write(data)

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def pack(source: bytes, out: TarOutput) -> Packed:
    """Write a tar of everything below the folder `source` to `out`. The order of the entries is always the same.

    Return the entries that were written, and the paths that were left out. Raise UnfitDataError for what a snapshot
    cannot store, SnapshotError if a file changes meanwhile.
    """
    entries: list[SealedEntry] = []
    skipped: list[SkippedEntry] = []
    first: dict[tuple[int, int], str] = {}
    for path, info in _walk(source):
        match _entry(source, path, info, first):
            case SkippedEntry() as entry:
                skipped.append(entry)
            case SealedEntry(type="file") as entry:
                entries.append(_add_file(out, source, entry, info))
            case entry:
                out.write(head(entry))
                entries.append(entry)
    out.write(bytes(2 * tarfile.BLOCKSIZE))
    out.write(bytes(-out.size % tarfile.RECORDSIZE))
    return Packed(tuple(entries), tuple(skipped))


def _walk(source: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Yield every path below `source` with its lstat.

    A folder comes before what is in it, and names are sorted as bytes.
    """
    pending = _names(source, b"")
    while pending:
        path = pending.pop()
        try:
            info = os.lstat(os.path.join(source, path))
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise UnfitDataError(f"the path {text(path)[:80]!r}… is longer than this system allows") from error
            raise
        yield path, info
        if stat.S_ISDIR(info.st_mode):
            pending += _names(source, path)


def _names(source: bytes, below: bytes) -> list[bytes]:
    names = sorted(os.listdir(os.path.join(source, below)), reverse=True)
    return [os.path.join(below, name) for name in names]


def _entry(
    source: bytes, path: bytes, info: os.stat_result, first: dict[tuple[int, int], str]
) -> SealedEntry | SkippedEntry:
    """Return the manifest's entry for the path `path` below `source`, without the hash of its content.

    `info` is the lstat of the path. `first` maps the device and inode of each earlier file to its path. A file in
    `first` becomes a hard link to that path. Any other file is added to `first`. Raise UnfitDataError for an extended
    attribute `user.*`.
    """

    def sealed(kind: str, *, size: int = 0, target: str = "") -> SealedEntry:
        mode = stat.S_IMODE(info.st_mode)
        return SealedEntry(text(path), kind, mode, info.st_uid, info.st_gid, info.st_mtime_ns, size, target=target)

    _refuse_attributes(source, path)
    if stat.S_ISDIR(info.st_mode):
        return sealed("folder")
    if stat.S_ISLNK(info.st_mode):
        return sealed("symlink", target=text(os.readlink(os.path.join(source, path))))
    if not stat.S_ISREG(info.st_mode):
        return SkippedEntry(text(path), _special(info.st_mode))
    shared = first.setdefault((info.st_dev, info.st_ino), text(path))
    if shared != text(path):
        return sealed("hardlink", target=shared)
    return sealed("file", size=info.st_size)


def _refuse_attributes(source: bytes, path: bytes) -> None:
    """Raise UnfitDataError if the path `path` below `source` has an extended attribute `user.*`.

    Ignore other extended attributes, which belong to this host.
    """
    names: list[str] = []
    with suppress(OSError):  # a file system without attributes may raise
        names = os.listxattr(os.path.join(source, path), follow_symlinks=False)
    unsupported = [name for name in names if name.startswith("user.")]
    if unsupported:
        raise UnfitDataError(
            f"{text(path)!r} has the extended attribute {unsupported[0]}, which a snapshot would lose",
            "configure the app to store that in its files: other copies of its data lose it as well",
        )


def _special(mode: int) -> str:
    return "socket" if stat.S_ISSOCK(mode) else "fifo" if stat.S_ISFIFO(mode) else "device"


def _add_file(out: TarOutput, source: bytes, entry: SealedEntry, info: os.stat_result) -> SealedEntry:
    """Write the header and the content of a file to the tar. Return its entry with the hash of its content.

    Raise SnapshotError if the path is no longer the file of `info`, UnfitDataError if the file cannot be read.
    """
    with _open_readable(source, entry.path) as file:
        if not os.path.samestat(os.fstat(file.fileno()), info):
            raise _changed_error(entry)
        extents = extents_of(file.fileno(), info)
        digest = _add_whole(out, file, entry) if extents is None else _add_sparse(out, file, entry, extents)
    return evolve(entry, sha256=digest)


def _open_readable(source: bytes, path: str) -> BufferedReader:
    """Open a file below `source` for reading. Raise UnfitDataError if this user is not allowed to."""
    try:
        return open_regular(os.path.join(source, raw(path)))
    except PermissionError as error:
        unreadable = f"{path!r} cannot be read by the user that runs Canon"
        raise UnfitDataError(unreadable, "an app has to leave its data readable to the user that runs it") from error


def _add_whole(out: TarOutput, file: BufferedReader, entry: SealedEntry) -> str:
    """Write a file without holes to the tar. Return the hash of its content.

    Raise SnapshotError if the file no longer has the size that `entry` names.
    """
    out.write(head(entry))
    digest, left = hashlib.sha256(), entry.size
    while left and (data := file.read(min(CHUNK, left))):
        digest.update(data)
        out.write(data)
        left -= len(data)
    if left or file.read(1):
        raise _changed_error(entry)
    out.write(bytes(-entry.size % tarfile.BLOCKSIZE))
    return digest.hexdigest()


def _add_sparse(out: TarOutput, file: BufferedReader, entry: SealedEntry, extents: Extents) -> str:
    """Write a file with holes to the tar, without the holes. Return the hash of its content, with the holes as zeros.

    `extents` are offset and length of each piece of data. Raise SnapshotError if the file no longer has the size that
    `entry` names.
    """
    table = table_of(extents)
    stored = len(table) + sum(length for _, length in extents)
    out.write(sparse_head(header(entry), stored))
    out.write(table)
    digest = hashlib.sha256()
    for piece in pieces(extents, entry.size):
        if piece.is_hole:
            for chunk in zeros(piece.length):
                digest.update(chunk)
        else:
            _add_piece(out, file, piece, digest, entry)
    if os.fstat(file.fileno()).st_size != entry.size:
        raise _changed_error(entry)
    out.write(bytes(-stored % tarfile.BLOCKSIZE))
    return digest.hexdigest()


def _add_piece(out: TarOutput, file: BufferedReader, piece: Piece, digest: "hashlib._Hash", entry: SealedEntry) -> None:
    """Copy one piece of data from `file`, a file with holes, to the tar `out`. Add the data to the hash `digest`.

    Raise SnapshotError, which names the path of `entry`, if the file ends before the piece does.
    """
    file.seek(piece.offset)
    left = piece.length
    while left:
        data = file.read(min(CHUNK, left))
        if not data:
            raise _changed_error(entry)
        digest.update(data)
        out.write(data)
        left -= len(data)


def _changed_error(entry: SealedEntry) -> SnapshotError:
    return SnapshotError(f"{entry.path!r} changed while it was sealed", "the app must be stopped")
