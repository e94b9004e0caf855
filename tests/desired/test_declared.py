import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from desired.declarations.declared import read_fleet
from desired.model import (
    Backup,
    CanonicalPolicy,
    Custom,
    Data,
    DataPolicy,
    Fleet,
    Install,
    Keep,
    Ready,
    Recipe,
    Stop,
    Swarm,
    TierName,
    Upgrade,
)
from tests.fleet_declarations import FLEET, RECIPE, problem_texts, write_fleet

UPSTREAM = "https://forge.example/notes.git"


EVERY_FLEET_KEY = """\
format = 1
[fleet]
name = "ci"
protocols = ["https", "file"]
unit = "reconcile.service"
[environment]
pass = ["HTTPS_PROXY"]
[swarm]
zone = "ci.example"
proxy = "http://10.0.0.1:8443"
[defaults.recipe]
driver = "process"
"""


EVERY_KEY = """\
[recipe]
upstream = "file:///srv/notes.git"
driver = "process"
enrolled = false
exception = "wants a phone number"
review = 2027-03-01
requires = ["git-lfs", "g++"]
[release]
allow = ">=2.0.0,<4"
minimum_age = "7d"
[install]
env = { TITLE = "Notes\\n", EMPTY = "" }
secrets = { rotation_key = ["openssl", "rand", "-hex", "32"] }
steps = [["./seed-index.sh"], ["true", ""]]
needs = ["base"]
[ready]
http = "/health?deep=1"
status = [200, 401]
timeout = "90s"
[stop]
grace = "3m"
[data]
mark = ["python3", "mark.py"]
check = ["python3", "check.py"]
[backup]
take = ["python3", "backup.py"]
restore = ["python3", "restore.py"]
[upgrade]
base = "3.0.1+v2.0.0"
reason = "3.0.2 never starts"
also = ["2.9.0+v1", ">=2,<2.5"]
[tiers]
custom = "no tests yet"
[custom]
run = [["python3", "test_lfs.py"]]
timeout = "2h"
[canonical]
keep = "rest"
data = "fresh"
generations = 3
"""


def test_every_key_arrives_in_the_fleet(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": EVERY_KEY, "base": RECIPE}, EVERY_FLEET_KEY)
    notes = Recipe(
        name="notes",
        upstream="file:///srv/notes.git",
        folder=folder / "recipes" / "notes",
        driver="process",
        enrolled=False,
        exception="wants a phone number",
        review=date(2027, 3, 1),
        requires=("git-lfs", "g++"),
        allow=">=2.0.0,<4",
        minimum_age=timedelta(days=7),
        install=Install(
            env={"TITLE": "Notes\n", "EMPTY": ""},
            secrets={"rotation_key": ("openssl", "rand", "-hex", "32")},
            steps=(("./seed-index.sh",), ("true", "")),
            needs=("base",),
        ),
        ready=Ready(http="/health?deep=1", status=(200, 401), timeout=timedelta(seconds=90)),
        stop=Stop(grace=timedelta(minutes=3)),
        data=Data(mark=("python3", "mark.py"), check=("python3", "check.py")),
        backup=Backup(take=("python3", "backup.py"), restore=("python3", "restore.py")),
        upgrade=Upgrade(base="3.0.1+v2.0.0", reason="3.0.2 never starts", also=("2.9.0+v1", ">=2,<2.5")),
        tiers={TierName.CUSTOM: "no tests yet"},
        custom=Custom(run=(("python3", "test_lfs.py"),), timeout=timedelta(hours=2)),
        canonical=CanonicalPolicy(data=DataPolicy.FRESH, generations=3),
    )
    assert read_fleet(folder) == Fleet(
        name="ci",
        folder=folder,
        recipes={"notes": notes, "base": Recipe("base", UPSTREAM, folder / "recipes" / "base")},
        protocols=("https", "file"),
        unit="reconcile.service",
        passes=("HTTPS_PROXY",),
        swarm=Swarm("ci.example", "http://10.0.0.1:8443"),
    )


def test_the_least_declaration_means_the_models_own_values(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": RECIPE})
    assert read_fleet(folder) == Fleet("ci", folder, {"notes": Recipe("notes", UPSTREAM, folder / "recipes" / "notes")})


def test_recipes_are_ordered_by_name(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"b": RECIPE, "a-1": RECIPE, "a": RECIPE, "0": RECIPE})
    assert list(read_fleet(folder).recipes) == ["0", "a", "a-1", "b"]


def test_a_fleet_without_recipes_can_be_read(tmp_path: Path) -> None:
    assert read_fleet(write_fleet(tmp_path / "fleet", {})).recipes == {}


@pytest.mark.parametrize(
    ("table", "ready"),
    [
        ("tcp = true", Ready(http=None, tcp=True)),
        ('run = ["./ready.sh", "-q"]', Ready(http=None, run=("./ready.sh", "-q"))),
        ("status = [204]", Ready(status=(204,))),
        ('timeout = "1d"', Ready(timeout=timedelta(days=1))),
    ],
)
def test_an_app_is_ready_in_the_one_way_that_is_declared(tmp_path: Path, table: str, ready: Ready) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": f"{RECIPE}[ready]\n{table}\n"})
    assert read_fleet(folder).recipes["notes"].ready == ready


OVERLAID = f"""\
{RECIPE}driver = "swarm"
[install]
overlays = ["compose.ci.yml", "ci/compose.slow.yml"]
"""


def write_overlays(recipe: Path) -> None:
    (recipe / "ci").mkdir()
    for name in ("compose.ci.yml", "ci/compose.slow.yml"):
        (recipe / name).touch()


def test_overlays_of_a_recipe_on_a_swarm_keep_their_order(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": OVERLAID})
    write_overlays(folder / "recipes" / "notes")
    notes = read_fleet(folder).recipes["notes"]
    assert (notes.driver, notes.install.overlays) == ("swarm", ("compose.ci.yml", "ci/compose.slow.yml"))


@pytest.mark.parametrize("driver", ["swarm", "abra"])
def test_a_canonical_on_a_swarm_may_be_kept_running(tmp_path: Path, driver: str) -> None:
    text = f'{RECIPE}driver = "{driver}"\n[canonical]\nkeep = "running"\n'
    notes = read_fleet(write_fleet(tmp_path / "fleet", {"notes": text})).recipes["notes"]
    assert (notes.driver, notes.canonical) == (driver, CanonicalPolicy(keep=Keep.RUNNING))


def test_overlays_are_found_in_a_recipe_folder_that_is_a_link(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": OVERLAID})
    write_overlays(folder / "recipes" / "notes")
    (folder / "recipes" / "linked").symlink_to("notes")
    assert read_fleet(folder).recipes["linked"].install.overlays == ("compose.ci.yml", "ci/compose.slow.yml")


@pytest.mark.parametrize("what", ["link", "folder", "dangling link", "pipe"])
def test_an_overlay_that_is_no_file_is_refused(tmp_path: Path, what: str) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": OVERLAID})
    recipe = folder / "recipes" / "notes"
    write_overlays(recipe)
    overlay = recipe / "compose.ci.yml"
    overlay.unlink()
    match what:
        case "link":
            overlay.symlink_to("recipe.toml")
        case "folder":
            overlay.mkdir()
        case "dangling link":
            overlay.symlink_to(overlay.name)
        case _:
            os.mkfifo(overlay)
    assert problem_texts(folder) == [
        'recipes/notes/recipe.toml:5:13: install.overlays[0] names "compose.ci.yml", which is no file in recipes/notes'
    ]


@pytest.mark.parametrize(
    ("table", "swarm"),
    [
        ("", Swarm()),
        ('zone = "a"', Swarm(zone="a")),
        ('proxy = "direct"', Swarm(proxy=None)),
        ('proxy = "http://127.0.0.1"', Swarm(proxy="http://127.0.0.1")),
        ('proxy = "http://[::1]:65535"', Swarm(proxy="http://[::1]:65535")),
    ],
)
def test_apps_on_a_swarm_are_reached_as_declared(tmp_path: Path, table: str, swarm: Swarm) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": RECIPE}, f"{FLEET}[swarm]\n{table}\n")
    assert read_fleet(folder).swarm == swarm


def test_hidden_entries_among_recipes_are_left_alone(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": RECIPE, ".git": "not = toml = at all"})
    (folder / "recipes" / ".gitkeep").touch()
    assert list(read_fleet(folder).recipes) == ["notes"]


def test_a_recipe_folder_may_be_a_link(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": RECIPE})
    (folder / "recipes" / "linked").symlink_to("notes")
    assert set(read_fleet(folder).recipes) == {"linked", "notes"}


def test_carriage_returns_at_line_ends_change_nothing(tmp_path: Path) -> None:
    folder = write_fleet(tmp_path / "fleet", {"notes": ""})
    recipe = folder / "recipes" / "notes" / "recipe.toml"
    recipe.write_bytes(RECIPE.replace("\n", "\r\n").encode())
    assert read_fleet(folder).recipes["notes"].upstream == UPSTREAM
    recipe.write_bytes((RECIPE + 'b = 1\nc = ["\u00e9"]').replace("\n", "\r\n").encode())
    assert problem_texts(folder) == [
        "recipes/notes/recipe.toml:3:1: recipe.b is not a known key",
        "recipes/notes/recipe.toml:4:1: recipe.c is not a known key",
    ]
