"""Fixtures of the tests of mirrors and checkouts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.git_servers import Forge, forge
from tests.host.git.mirrored_upstream import MirroredUpstream


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    with forge(tmp_path_factory.mktemp("forge") / "forge") as running:
        yield running


@pytest.fixture
def world(served: Forge, tmp_path: Path) -> MirroredUpstream:
    return MirroredUpstream(served, tmp_path)
