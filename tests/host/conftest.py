"""A duration by which the processes of one test are found."""

import os
import threading
from collections.abc import Iterator

import pytest

from tests.host.commands_to_run import sleepers


@pytest.fixture
def span() -> Iterator[str]:
    """Yield a number of seconds that no other process of this host sleeps. No process may sleep it afterwards."""
    seconds = f"{100_000 + os.getpid()}.{threading.get_native_id()}"
    yield seconds
    assert sleepers(seconds) == []
