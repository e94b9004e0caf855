"""Fleets for the tests of the command line. The state that many tests start from is made once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.one_recipe_fleet import OneRecipeFleet, copy_fleet, make_one_recipe_fleet
from tests.message_servers import HookServer, MailServer, hook_server, mail_server
from tests.told_world import ToldWorld
from tests.world import World


@pytest.fixture
def jot(tmp_path: Path) -> OneRecipeFleet:
    """`jot` with one release, and no state yet."""
    return make_one_recipe_fleet(tmp_path)


@pytest.fixture(scope="session")
def promoted(tmp_path_factory: pytest.TempPathFactory) -> OneRecipeFleet:
    """`jot` at its first release; not to be changed."""
    jot = make_one_recipe_fleet(tmp_path_factory.mktemp("promoted"))
    done = jot.run()
    assert done.code == 0, done
    return jot


@pytest.fixture
def settled(promoted: OneRecipeFleet, tmp_path: Path) -> OneRecipeFleet:
    """`jot` at its first release, with everything in a folder of its own."""
    return copy_fleet(promoted, tmp_path)


@pytest.fixture
def told(tmp_path: Path) -> Iterator[ToldWorld]:
    with mail_server(MailServer()) as mail, hook_server(HookServer()) as hook:
        yield ToldWorld(World.promoted(tmp_path, "notes", "wiki"), mail, hook)
