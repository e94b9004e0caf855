"""Finds the data in files with holes (sparse files), and writes such files to a tar in GNU's sparse format 1.0."""

import errno
import os
import tarfile
from collections.abc import Sequence
from itertools import chain

from attrs import frozen

from state.snapshots.sealed_files import MismatchError

_ZEROS = bytes(1 << 20)
_SECTOR = 512
# Where a header has its checksum, and the name and version of its format.
_SUM, _MAGIC = slice(148, 156), slice(257, 265)

Extents = tuple[tuple[int, int], ...]
"""Offset and length of each piece of data, in order. A piece of length 0 ends a file that ends with a hole."""


def extents_of(descriptor: int, info: os.stat_result) -> Extents | None:
    """Return the extents of an open file: offset and length of each piece of data, without the holes.

    Return None if the file has no holes, or if its file system does not tell where they are. `info` is the stat of the
    file.
    """
    if info.st_blocks * _SECTOR >= info.st_size:
        return None
    extents: list[tuple[int, int]] = []
    end = 0
    while end < info.st_size:
        try:
            start = os.lseek(descriptor, end, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # no more data: the rest is a hole
                return None
            extents.append((info.st_size, 0))
            break
        end = min(os.lseek(descriptor, start, os.SEEK_HOLE), info.st_size)
        extents.append((start, end - start))
    os.lseek(descriptor, 0, os.SEEK_SET)
    return None if extents == [(0, info.st_size)] else tuple(extents)


def table_of(extents: Extents) -> bytes:
    """Return the table of a file with holes as bytes. In a tar, the table comes before the data of the file.

    The table has the number of pieces of data, and the offset and length of each piece. Zero bytes fill it up to whole
    blocks of 512 bytes.
    """
    numbers = (len(extents), *chain.from_iterable(extents))
    table = "".join(f"{number}\n" for number in numbers).encode("ascii")
    return table + bytes(-len(table) % tarfile.BLOCKSIZE)


def sparse_head(info: tarfile.TarInfo, stored: int) -> bytes:
    """Return the tar header of a file with holes as bytes. `info` is its usual header, with its full size.

    `stored` is how many bytes the file takes in the tar: its table and its data. This number is written into the last
    block of the header, in GNU's own form, which has no limit. If the number were in a pax record before that block,
    Python's reader would look for the next entry at a wrong place.
    """
    last = tarfile.TarInfo("sparse")
    last.mode, last.uid, last.gid, last.mtime, last.size = info.mode, info.uid, info.gid, info.mtime, stored
    info.pax_headers = {
        **info.pax_headers,
        "path": info.name,
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.realsize": str(info.size),
    }
    info.size = 0
    before = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")[: -tarfile.BLOCKSIZE]
    return before + _as_ustar(last.tobuf(tarfile.GNU_FORMAT))


def _as_ustar(block: bytes) -> bytes:
    """Return a header block of GNU's form as one of ustar's form.

    This is needed because GNU tar reads pax records only before a ustar block.
    """
    named = block[: _SUM.start] + b" " * 8 + block[_SUM.stop : _MAGIC.start] + b"ustar\x0000" + block[_MAGIC.stop :]
    return named[: _SUM.start] + b"%06o\0 " % sum(named) + named[_SUM.stop :]


@frozen
class Piece:
    """A part of a file: the `length` bytes from `offset` on. It is a hole if `is_hole` is True, and data if False."""

    offset: int
    length: int
    is_hole: bool


def pieces(extents: Sequence[tuple[int, int]], size: int) -> list[Piece]:
    """Return the pieces of a file of `size` bytes, in order: its data, as `extents` says, and the holes between.

    Raise MismatchError if the extents overlap or exceed `size`.
    """
    parts: list[Piece] = []
    end = 0
    for offset, length in (*extents, (size, 0)):
        if offset < end or length < 0 or offset + length > size:
            raise MismatchError("the table of a file with holes does not fit the file")
        parts += [Piece(end, offset - end, is_hole=True)] if offset > end else []
        parts += [Piece(offset, length, is_hole=False)] if length else []
        end = offset + length
    return parts


def zeros(length: int) -> "list[bytes]":
    """Return `length` zero bytes in chunks of at most 1 MiB. The chunks share their memory."""
    whole, rest = divmod(length, len(_ZEROS))
    return [_ZEROS] * whole + ([_ZEROS[:rest]] if rest else [])
