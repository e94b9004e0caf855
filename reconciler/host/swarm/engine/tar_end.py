"""Tells whether a tar archive that the engine sends is whole.

If the engine cannot read a file to its end, it ends the archive there, and its answer as usual. Such an archive can be
unpacked without an error. It lacks only its end: two blocks of zeros.
"""

import tarfile
import zlib
from collections.abc import Iterator

_BLOCK = 512
_END_BLOCKS = 2
_PAX = b"x"
# Types of members whose data is about the archive, or about the next member: PAX headers, and GNU's long names.
_META = (_PAX, b"g", b"L", b"K")
_PIECE = 1024 * 1024
# The number for zlib of gzip's format.
_GZIP = 31


class TarEnd:
    """Reads a tar archive piece by piece. `is_complete` says whether its end has come. It keeps no data of files.

    `is_gzip` is whether the archive is compressed by gzip.
    """

    def __init__(self, *, is_gzip: bool) -> None:
        self._gzip = zlib.decompressobj(_GZIP) if is_gzip else None
        self._pending = b""
        self._skip = 0
        self._pax_size = 0
        self._size: int | None = None
        self._zero_blocks = 0
        self._is_broken = False

    @property
    def is_complete(self) -> bool:
        """Return whether the archive ended with two blocks of zeros, and nothing but zeros came after them."""
        is_whole_gzip = self._gzip is None or (self._gzip.eof and not self._gzip.unused_data)
        return is_whole_gzip and not self._is_broken and not self._pending and self._zero_blocks >= _END_BLOCKS

    def feed(self, chunk: bytes) -> None:
        """Read the next piece of the archive. If it is not valid, `is_complete` is False from then on."""
        if self._is_broken:
            return
        try:
            for data in self._unpacked(chunk):
                self._read(data)
        except (tarfile.TarError, zlib.error, ValueError):
            self._is_broken = True

    def _unpacked(self, chunk: bytes) -> Iterator[bytes]:
        if self._gzip is None:
            yield chunk
            return
        yield self._gzip.decompress(chunk, _PIECE)
        while self._gzip.unconsumed_tail:
            yield self._gzip.decompress(self._gzip.unconsumed_tail, _PIECE)

    def _read(self, data: bytes) -> None:
        """Read the blocks in `data`, and keep an incomplete block for the next call."""
        self._pending += data
        at = 0
        while True:
            skipped = min(self._skip, len(self._pending) - at)
            self._skip, at = self._skip - skipped, at + skipped
            needed = self._pax_size or _BLOCK
            if self._skip or len(self._pending) - at < needed:
                break
            block = self._pending[at : at + needed]
            at += needed
            if self._pax_size:
                self._size, self._pax_size = _size_in(block) or self._size, 0
            else:
                self._read_block(block)
        self._pending = self._pending[at:]

    def _read_block(self, block: bytes) -> None:
        """Read a block that begins a member or the end. Raise tarfile.TarError for a block that does neither."""
        if not any(block):
            self._zero_blocks += 1
            return
        if self._zero_blocks:
            raise tarfile.ReadError("data after the end")
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if member.type == _PAX:
            self._pax_size = _padded(member.size)
        elif member.type in _META:
            self._skip = _padded(member.size)
        else:
            # Other supported types, such as links and folders, have no data, whatever their size says.
            has_data = member.isreg() or member.type not in tarfile.SUPPORTED_TYPES
            self._skip = _padded(member.size if self._size is None else self._size) if has_data else 0
            self._size = None


def _padded(size: int) -> int:
    return -(-size // _BLOCK) * _BLOCK


def _size_in(records: bytes) -> int | None:
    """Return the size of the next member that the records of a PAX header tell; None if they tell none.

    A record is "LENGTH NAME=VALUE" and a line end. LENGTH is that of the whole record. Raise ValueError for a record
    that is not of this form.
    """
    size = None
    while records and records[0]:
        length = int(records[: records.index(b" ")])
        name, _, value = records[records.index(b" ") + 1 : length].partition(b"=")
        if length <= 0 or not name:
            raise ValueError("not a record")
        size = int(value) if name == b"size" else size
        records = records[length:]
    return size
