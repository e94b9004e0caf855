"""An app with its process driver, a folder for saved data, and a duration by which processes are found."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.ports.app import App
from tests.host.commands_to_run import sleepers
from tests.procfile_apps import app_in_slot, process_driver


@pytest.fixture
def span() -> Iterator[str]:
    """Yield a number of seconds that no other process of this host sleeps. No process may sleep it afterwards."""
    seconds = f"{100_000 + os.getpid()}.{threading.get_native_id()}"
    yield seconds
    assert sleepers(seconds) == []


@pytest.fixture
def app(tmp_path: Path) -> App:
    return app_in_slot(tmp_path / "work" / "slot")


@pytest.fixture
def driver(app: App) -> Iterator[ProcessDriver]:
    with process_driver(app.folder.parent) as driver:
        yield driver


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "saved"
    folder.mkdir()
    return folder
