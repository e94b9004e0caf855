from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.folders import scratch_folder
from tests.promotion.kept_world import kept_world
from tests.world import World


@pytest.fixture(scope="session")
def template() -> Iterator[World]:
    with scratch_folder() as root:
        yield kept_world(root)


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    return template.copy(tmp_path)
