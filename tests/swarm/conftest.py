"""Tests on a real Swarm: one after another, on an engine of their own, which they leave as they found it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.swarm.engine import Engine, found_engine, missing

HERE = Path(__file__).parent


# Before xdist looks for the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # They share one host's ports, and what each leaves behind is told apart by what was there before. They wait for
    # the engine most of the time: begun first, they do so beside all the others.
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.xdist_group("swarm"))
    items.sort(key=lambda item: not item.path.is_relative_to(HERE))


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The engine of the tests. Fails the last test that had it where anything of ours is left on it at the end."""
    why = missing()
    if why is not None:
        pytest.skip(why)
    engine = found_engine()
    before = engine.ours()
    yield engine
    left = engine.ours() - before
    assert not left, f"left on the engine: {sorted(left)}"
