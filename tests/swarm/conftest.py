"""Tests on a real Swarm: two rows beside each other, on an engine of their own, which they leave as they found it."""

from collections.abc import Iterator

import pytest

from tests.swarm.engine import Engine, found_engine, missing


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The engine of the tests. Fails the last test that had it where anything of these tests is left on it at the end.

    What bears no path of theirs, .ci/run looks for when all are done: `tests/images/engine left`.
    """
    why = missing()
    if why is not None:
        pytest.skip(why)
    engine = found_engine()
    yield engine
    left = engine.below(tmp_path_factory.getbasetemp())
    assert not left, f"left on the engine: {sorted(left)}"
