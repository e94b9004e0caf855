"""A tree into a tar."""

import errno
import hashlib
import os
import stat
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader
from typing import BinaryIO

from attrs import define, evolve, field, frozen

from state.errors import SnapshotError, UnfitDataError
from state.manifest import SealedEntry, SkippedEntry

CHUNK = 1 << 20
TAR_TYPES = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
}


def text(path: bytes) -> str:
    """A path as the manifest writes it, whatever the locale."""
    return path.decode("utf-8", "surrogateescape")


def raw(path: str) -> bytes:
    """The reverse of `text`."""
    return path.encode("utf-8", "surrogateescape")


@frozen
class Packed:
    entries: tuple[SealedEntry, ...]
    skipped: tuple[SkippedEntry, ...]


@define
class HashingWriter:
    """A file that is written and hashed on the way."""

    file: BinaryIO
    size: int = 0
    _digest: "hashlib._Hash" = field(factory=hashlib.sha256)

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        self.size += len(data)
        return self.file.write(data)

    def tell(self) -> int:
        return self.size

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


@define
class HashingReader:
    file: BinaryIO
    _digest: "hashlib._Hash" = field(factory=hashlib.sha256)

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self._digest.update(data)
        return data

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def pack(source: bytes, out: HashingWriter) -> Packed:
    """Write a tar of all that is below the folder `source`, always in the same order."""
    entries: list[SealedEntry] = []
    skipped: list[SkippedEntry] = []
    first: dict[tuple[int, int], str] = {}
    with tarfile.TarFile(
        fileobj=out,  # type: ignore[arg-type]  # write and tell are all that a new tar needs
        mode="w",
        format=tarfile.PAX_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
        copybufsize=CHUNK,
    ) as tar:
        for path, look in _walk(source):
            match _entry(source, path, look, first):
                case SkippedEntry() as entry:
                    skipped.append(entry)
                case SealedEntry(type="file") as entry:
                    entries.append(_add_file(tar, source, entry, look))
                case entry:
                    tar.addfile(header(entry))
                    entries.append(entry)
    return Packed(tuple(entries), tuple(skipped))


def _walk(source: bytes) -> Iterator[tuple[bytes, os.stat_result]]:
    """Every path below `source` with its look, folders before what they hold, names in byte order."""
    pending = _names(source, b"")
    while pending:
        path = pending.pop()
        try:
            look = os.lstat(os.path.join(source, path))
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise UnfitDataError(f"the path {text(path)[:80]!r}… is longer than this system allows") from error
            raise
        yield path, look
        if stat.S_ISDIR(look.st_mode):
            pending += _names(source, path)


def _names(source: bytes, below: bytes) -> list[bytes]:
    names = sorted(os.listdir(os.path.join(source, below)), reverse=True)
    return [os.path.join(below, name) for name in names]


def _entry(
    source: bytes, path: bytes, look: os.stat_result, first: dict[tuple[int, int], str]
) -> SealedEntry | SkippedEntry:
    def sealed(kind: str, *, size: int = 0, target: str = "") -> SealedEntry:
        mode = stat.S_IMODE(look.st_mode)
        return SealedEntry(text(path), kind, mode, look.st_uid, look.st_gid, look.st_mtime_ns, size, target=target)

    _refuse_attributes(source, path)
    if stat.S_ISDIR(look.st_mode):
        return sealed("folder")
    if stat.S_ISLNK(look.st_mode):
        return sealed("symlink", target=text(os.readlink(os.path.join(source, path))))
    if not stat.S_ISREG(look.st_mode):
        return SkippedEntry(text(path), _special(look.st_mode))
    shared = first.setdefault((look.st_dev, look.st_ino), text(path))
    if shared != text(path):
        return sealed("hardlink", target=shared)
    return sealed("file", size=look.st_size)


def _refuse_attributes(source: bytes, path: bytes) -> None:
    """Those that programs keep data in; what the system has there belongs to this host."""
    names: list[str] = []
    with suppress(OSError):  # a file system that knows none may refuse
        names = os.listxattr(os.path.join(source, path), follow_symlinks=False)
    lost = [name for name in names if name.startswith("user.")]
    if lost:
        raise UnfitDataError(
            f"{text(path)!r} has the extended attribute {lost[0]}, which a snapshot would lose",
            "let the app keep that in its files, by a setting of its own: other copies of its data lose it too",
        )


def _special(mode: int) -> str:
    return "socket" if stat.S_ISSOCK(mode) else "fifo" if stat.S_ISFIFO(mode) else "device"


def _add_file(tar: tarfile.TarFile, source: bytes, entry: SealedEntry, look: os.stat_result) -> SealedEntry:
    with open_regular(os.path.join(source, raw(entry.path))) as file:
        reader = HashingReader(file)
        if not os.path.samestat(os.fstat(file.fileno()), look):
            raise _in_motion(entry)
        try:
            tar.addfile(header(entry), reader)
        except OSError as error:
            if error.errno is None:  # tarfile's own, of a file that ends early
                raise _in_motion(entry) from error
            raise
        if file.read(1):
            raise _in_motion(entry)
    return evolve(entry, sha256=reader.sha256)


def _in_motion(entry: SealedEntry) -> SnapshotError:
    return SnapshotError(f"{entry.path!r} changed while it was sealed", "the app must be at rest")


def header(entry: SealedEntry) -> tarfile.TarInfo:
    """The tar header of an entry: ids by number only, times to the nanosecond."""
    info = tarfile.TarInfo(entry.path)
    info.type = TAR_TYPES[entry.type]
    info.mode, info.uid, info.gid = entry.mode, entry.uid, entry.gid
    info.size, info.linkname = entry.size, entry.target
    whole, part = divmod(abs(entry.mtime_ns), 10**9)
    info.mtime = whole if entry.mtime_ns >= 0 else -whole
    if part or entry.mtime_ns < 0:
        info.pax_headers = {"mtime": f"{'-' if entry.mtime_ns < 0 else ''}{whole}.{part:09d}"}
    return info


def open_regular(path: bytes) -> BufferedReader:
    """Open a file that must be a regular one, without waiting for the other end of a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "not a regular file", path)
    return os.fdopen(descriptor, "rb")
