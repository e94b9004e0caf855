"""A registry, a small tree and its snapshot."""

from pathlib import Path

import pytest

from state.records import Seal
from state.registry.registry import SqliteRegistry
from tests.state.file_trees import ABOUT, SNAPSHOTS


@pytest.fixture
def registry(tmp_path: Path) -> SqliteRegistry:
    """A registry alone in its folder, not written to yet."""
    (tmp_path / "state").mkdir()
    return SqliteRegistry(tmp_path / "state" / "canon.db")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small tree with one entry of each type."""
    source = tmp_path / "source"
    (source / "data").mkdir(parents=True)
    (source / "data" / "notes.db").write_bytes(b"kept" * 20)
    (source / "data" / "again.db").hardlink_to(source / "data" / "notes.db")
    (source / "link").symlink_to("data/notes.db")
    return source


@pytest.fixture
def sealed(source: Path, tmp_path: Path) -> tuple[Path, Seal]:
    return tmp_path / "sealed", SNAPSHOTS.seal(source, tmp_path / "sealed", ABOUT)
