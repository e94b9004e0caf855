"""What is deployed for a test here is gone after it; all of it shares the tests' own engine with tests/swarm."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.abra.installed_abra import Installed, Operator, docker, remove, settle
from tests.swarm.local_engine import Engine


@pytest.fixture
def installed(tmp_path: Path) -> Installed:
    return Installed.into(tmp_path / "bin")


@pytest.fixture
def operator(installed: Installed, tmp_path: Path) -> Operator:
    env = ["TYPE=page", "DOMAIN=page.example", "GREETING='what'", "SECRET_KEY_VERSION=v1 # length=8"]
    return settle(Operator(installed, tmp_path / "abra", f"page-{uuid.uuid4().hex[:8]}.example"), env)


@pytest.fixture
def registry(engine: Engine) -> str:
    """The registry beside the tests' own engine."""
    return engine.registry


@pytest.fixture
def on_engine(operator: Operator, registry: str) -> Iterator[str]:
    """The registry; whatever is deployed for the operator's app is gone afterwards."""
    yield registry
    remove(operator.stack)
    for secret in docker("secret", "ls", "--quiet", "--filter", f"name={operator.stack}_").split():
        docker("secret", "rm", secret)
