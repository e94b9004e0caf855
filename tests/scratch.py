"""Where tests that write much, and cut no power, keep their folders: in memory where the system has such a place."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

_IN_MEMORY = "/dev/shm"


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    quick = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    with TemporaryDirectory(dir=quick) as folder:
        yield Path(folder)
