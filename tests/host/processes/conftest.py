"""A slot, its app, and the process driver."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App
from tests.procfile_apps import (
    app_in_slot,
    process_driver,
)


@pytest.fixture
def slot(tmp_path: Path) -> Path:
    return tmp_path / "work" / "slot"


@pytest.fixture
def driver(slot: Path) -> Iterator[ProcessDriver]:
    with process_driver(slot) as driver:
        yield driver


@pytest.fixture
def app(slot: Path) -> App:
    return app_in_slot(slot)
