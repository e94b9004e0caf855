"""`reconcile doctor` where something cannot be read: that is the finding of one check, and all others are made."""

import os
import shutil
from pathlib import Path

import pytest

from tests.cli.one_recipe_fleet import OneRecipeFleet
from tests.host.stopped_apps import HELD_BY_MODES

# What cannot be read, and the check that must say so. "" means that a pass can do without it.
UNREADABLE = {
    "state": "state",
    "state/work": "state",
    "state/kept": "state",
    "state/canonicals": "state",
    "state/canonicals/jot/1": "state",
    "state/canon.db": "state",
    "state/id": "state",
    "state/notifications.json": "notify",
    "state/mirrors": "state",
    "state/logs": "state",
    "state/lock": "",
    "fleet": "fleet",
    "fleet/fleet.toml": "fleet",
    "fleet/recipes": "fleet",
    "fleet/recipes/jot": "fleet",
    "fleet/recipes/jot/recipe.toml": "fleet",
    "fleet/keys": "fleet",
    "fleet/keys/a.asc": "fleet",
}


def checks_of(jot: OneRecipeFleet) -> dict[str, dict[str, str]]:
    jot.prefix = HELD_BY_MODES
    return {check["name"]: check for check in jot.json("doctor").document["checks"]}


@pytest.mark.parametrize("path", UNREADABLE)
def test_what_cannot_be_read_fails_its_check_and_no_other_is_left_out(settled: OneRecipeFleet, path: str) -> None:
    settled.declare("signed = true\n" if "keys" in path else "")
    (settled.state / "notifications.json").touch()
    (settled.fleet / "keys").mkdir()
    (settled.fleet / "keys" / "a.asc").touch()
    names = [*checks_of(settled)]
    (settled.folder / path).chmod(0)
    try:
        checks = checks_of(settled)
    finally:
        (settled.folder / path).chmod(0o700)
    assert [*checks] == names
    if UNREADABLE[path]:
        assert checks[UNREADABLE[path]]["result"] == "failed", checks


@pytest.mark.needs("root")
def test_the_state_folder_of_another_user_fails_the_check_with_who_is_to_run_this(settled: OneRecipeFleet) -> None:
    shutil.chown(settled.state, "nobody")
    for folder, names, files in os.walk(settled.state):
        for name in (*names, *files):
            shutil.chown(Path(folder, name), "nobody")
    checks = checks_of(settled)
    found = checks["state"]
    assert (found["result"], found["found"]) == ("failed", f"{settled.state} belongs to nobody, and this is root")
    assert found["hint"] == "run this as its owner, or give it to the user of the unit"
    assert {"fleet", "git", "disk", "upstreams", "timer"} < checks.keys()
