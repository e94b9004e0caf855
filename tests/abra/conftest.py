"""Fixtures for the abra driver. They use the same engine as tests/swarm, and remove what a test deployed."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.abra.installed_abra import AbraOperator, InstalledAbra, docker, make_operator, remove_stack
from tests.swarm.local_engine import LocalEngine


@pytest.fixture
def installed(tmp_path: Path) -> InstalledAbra:
    return InstalledAbra.into(tmp_path / "bin")


@pytest.fixture
def operator(installed: InstalledAbra, tmp_path: Path) -> AbraOperator:
    env = ["TYPE=page", "DOMAIN=page.example", "GREETING='what'", "SECRET_KEY_VERSION=v1 # length=8"]
    return make_operator(AbraOperator(installed, tmp_path / "abra", f"page-{uuid.uuid4().hex[:8]}.example"), env)


@pytest.fixture
def registry(engine: LocalEngine) -> str:
    """The registry beside the tests' own engine."""
    return engine.registry


@pytest.fixture
def on_engine(operator: AbraOperator, registry: str) -> Iterator[str]:
    """The registry. At the end, all that was deployed for the operator's app is removed."""
    yield registry
    remove_stack(operator.stack)
    for secret in docker("secret", "ls", "--quiet", "--filter", f"name={operator.stack}_").split():
        docker("secret", "rm", secret)
