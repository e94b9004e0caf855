"""A stand-in for the engine's API, for the tests of its calls."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.host.swarm.engine_stand_in import Serve, engine_stand_in


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Return a function that serves the answers given to it until the end of the test."""
    with ExitStack() as stack:
        yield lambda answers: stack.enter_context(engine_stand_in(tmp_path, answers))
