"""Read the tar of a sealed snapshot."""

import sys
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd as zstd  # noqa: PLC0414 - exported
else:
    from backports import zstd as zstd  # noqa: PLC0414 - exported


def tar_in(folder: Path) -> bytes:
    """Return the tar of a snapshot, decompressed."""
    return zstd.decompress((folder / "snapshot.tar.zst").read_bytes())
