"""Tests on a real Swarm: one after another, on an engine of their own, which they leave as they found it."""

from collections.abc import Iterator

import pytest

from tests.swarm.engine import Engine, found_engine, missing


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
