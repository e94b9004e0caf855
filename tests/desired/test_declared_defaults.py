from datetime import timedelta
from pathlib import Path

from attrs import evolve

from desired.declarations.declared import read_fleet
from desired.model import (
    Install,
    Ready,
    Recipe,
    Upgrade,
)
from tests.fleet_declarations import FLEET, write_fleet

DEFAULTS = """\
[defaults.recipe]
upstream = "https://forge.example/shared.git"
requires = ["git-lfs"]
enrolled = false
exception = "all of them wait"
[defaults.install.env]
A = "below"
B = "below"
[defaults.ready]
tcp = true
timeout = "1m"
[defaults.upgrade]
base = "1.0.0"
reason = "2.0.0 never starts"
"""


def read_over_defaults(tmp_path: Path, recipe: str) -> Recipe:
    folder = write_fleet(tmp_path / "fleet", {"notes": recipe}, FLEET + DEFAULTS)
    recipes = read_fleet(folder).recipes
    return evolve(recipes["notes"], folder=Path("notes"))


def test_defaults_hold_where_a_recipe_says_nothing(tmp_path: Path) -> None:
    assert read_over_defaults(tmp_path, "") == Recipe(
        name="notes",
        upstream="https://forge.example/shared.git",
        folder=Path("notes"),
        requires=("git-lfs",),
        enrolled=False,
        exception="all of them wait",
        install=Install(env={"A": "below", "B": "below"}),
        ready=Ready(http=None, tcp=True, timeout=timedelta(minutes=1)),
        upgrade=Upgrade("1.0.0", "2.0.0 never starts"),
    )


def test_a_recipe_overrides_defaults_key_by_key(tmp_path: Path) -> None:
    own = """\
recipe.requires = []
install.env.B = "own"
ready.timeout = "2m"
upgrade.reason = "2.0.0 starts late"
"""
    recipe = read_over_defaults(tmp_path, own)
    assert recipe.upstream == "https://forge.example/shared.git"
    assert recipe.requires == ()
    assert recipe.install.env == {"A": "below", "B": "own"}
    assert recipe.ready == Ready(http=None, tcp=True, timeout=timedelta(minutes=2))
    assert recipe.upgrade == Upgrade("1.0.0", "2.0.0 starts late")


def test_a_recipe_that_chooses_for_itself_leaves_what_belongs_to_the_defaults_choice(tmp_path: Path) -> None:
    own = """\
recipe.enrolled = true
ready.http = "/up"
upgrade.base = "canonical"
"""
    recipe = read_over_defaults(tmp_path, own)
    assert (recipe.enrolled, recipe.exception) == (True, "")
    assert recipe.ready == Ready(http="/up", timeout=timedelta(minutes=1))
    assert recipe.upgrade == Upgrade()
