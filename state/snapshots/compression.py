"""Compresses a tar with zstd, and reads it again from start to end."""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

from attrs import define, field

from state.snapshots.sealed_files import MismatchError

if TYPE_CHECKING:
    from backports.zstd import ZstdCompressor

CHUNK: Final = 1 << 20
# A higher level takes more time than `tar | zstd` does, and saves little.
_LEVEL: Final = 2
_WORKERS: Final = 2
# The decompressor refuses a frame that needs more memory than 8 MiB. Level 2 needs 1 MiB.
_WINDOW_LOG: Final = 23


class Output(Protocol):
    def write(self, data: bytes) -> int: ...


def _zstd() -> ModuleType:
    """Return the module zstd. It is imported only when needed, so that commands start quickly.

    The standard library has it from Python 3.14 on; before that, it is in `backports`.
    """
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def _new_compressor() -> "ZstdCompressor":
    zstd = _zstd()
    parameter = zstd.CompressionParameter
    workers = min(_WORKERS, parameter.nb_workers.bounds()[1])  # 0 where the library was built without threads
    compressor: ZstdCompressor = zstd.ZstdCompressor(
        options={parameter.compression_level: _LEVEL, parameter.checksum_flag: 1, parameter.nb_workers: workers}
    )
    return compressor


@define
class CompressingWriter:
    """Compresses with zstd what is written to this object, and writes the compressed bytes to `out`.

    `size` counts the bytes before compression.
    """

    out: Output
    size: int = 0
    _compressor: "ZstdCompressor" = field(factory=_new_compressor)

    def write(self, data: bytes) -> int:
        self.size += len(data)
        if packed := self._compressor.compress(data):
            self.out.write(packed)
        return len(data)

    def finish(self) -> None:
        """Write the rest of the compressed data to `out`. Nothing more can be written afterwards."""
        self.out.write(self._compressor.flush())


def plain(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of an uncompressed file in chunks of at most 1 MiB."""
    while data := file.read(CHUNK):
        yield data


def decompressed(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of a file that zstd compressed, in chunks of at most 1 MiB.

    Raise MismatchError if the compressed data is damaged, is cut off, or is followed by other data.
    """
    zstd = _zstd()
    decompressor = zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: _WINDOW_LOG})
    try:
        while not decompressor.eof:
            data = file.read(CHUNK) if decompressor.needs_input else b""
            if decompressor.needs_input and not data:
                raise MismatchError("the compressed tar is cut off")
            yield decompressor.decompress(data, CHUNK)
    except zstd.ZstdError as error:
        raise MismatchError(f"the compressed tar cannot be read: {error}") from error
    if decompressor.unused_data or file.read(1):
        raise MismatchError("the compressed tar is followed by other data")


@define
class ForwardReader:
    """Makes an iterator of chunks of bytes readable as a file, for tarfile. It can be read only forward."""

    _chunks: Iterator[bytes]
    _buffer: bytes = b""
    _used: int = 0
    """How much of the buffer was read."""
    _position: int = 0

    def seekable(self) -> bool:
        """Return True. tarfile asks whether a file is seekable before it skips a hole in it."""
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, position: int) -> int:
        """Skip bytes up to `position`, or to the end if that comes first. Return the position reached.

        Raise OSError if `position` is before the present one.
        """
        if position < self._position:
            raise OSError("a compressed tar is read only forward")
        while self._position < position and self.read(min(CHUNK, position - self._position)):
            pass
        return self._position

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the end of the file."""
        data = self._take(size)
        while len(data) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self._buffer, self._used = chunk, 0
            data += self._take(size - len(data))
        self._position += len(data)
        return data

    def peek(self, size: int) -> bytes:
        """Return the next `size` bytes; fewer only at the end of the file.

        The next `read` returns the same bytes again.
        """
        while len(self._buffer) - self._used < size and (chunk := next(self._chunks, None)) is not None:
            self._buffer, self._used = self._buffer[self._used :] + chunk, 0
        return self._buffer[self._used : self._used + size]

    def _take(self, size: int) -> bytes:
        data = self._buffer[self._used : self._used + size]
        self._used += len(data)
        return data
