"""Fleets for the tests of the face; the state that many start from is made once."""

from pathlib import Path

import pytest

from tests.cli.one_recipe_fleet import Jot, copy_of, make_jot


@pytest.fixture
def jot(tmp_path: Path) -> Jot:
    """`jot` with one release, and no state yet."""
    return make_jot(tmp_path)


@pytest.fixture(scope="session")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> Jot:
    """`jot` at its first release; not to be changed."""
    jot = make_jot(tmp_path_factory.mktemp("promoted"))
    done = jot.run()
    assert done.code == 0, done
    return jot


@pytest.fixture
def settled(promoted: Jot, tmp_path: Path) -> Jot:
    """`jot` at its first release, with everything in a folder of its own."""
    return copy_of(promoted, tmp_path)
