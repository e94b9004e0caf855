"""A state folder belongs to one fleet: no command uses that of another one, and a renamed fleet keeps its own."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.one_recipe_fleet import OneRecipeFleet
from tests.folders import entries_below

COMMANDS = (
    (),
    ("--dry-run",),
    ("drift",),
    ("status",),
    ("explain",),
    ("history",),
    ("report", "--html", "-"),
    ("audit",),
    ("prove",),
    ("trial", "jot"),
    ("raise", "jot"),
    ("logs", "jot"),
    ("evidence", "jot"),
    ("hold", "jot", "--reason", "so"),
    ("resume", "jot"),
    ("accept", "jot", "--reason", "so"),
    ("rollback", "jot", "--reason", "so"),
    ("forget", "gone", "--reason", "so"),
)


def rename_fleet(jot: OneRecipeFleet, name: str) -> None:
    file = jot.fleet / "fleet.toml"
    file.write_text(re.sub(r'^name = ".*"', f'name = "{name}"', file.read_text(), flags=re.MULTILINE))


def state_row(jot: OneRecipeFleet) -> Mapping[str, str]:
    return next(check for check in jot.json("doctor").document["checks"] if check["name"] == "state")


def contents(folder: Path) -> dict[str, str]:
    """Describe all below a state folder but the lock, in which every command that takes it writes its pid."""
    return {name: facts for name, facts in entries_below(folder).items() if name not in {".", "lock"}}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: words[0] if words else "pass")
def test_the_state_folder_of_another_fleet_is_refused_and_nothing_in_it_changes(
    settled: OneRecipeFleet, command: tuple[str, ...]
) -> None:
    before = contents(settled.state)
    rename_fleet(settled, "other")
    done = settled.run(*command)
    assert (done.code, done.out, contents(settled.state)) == (78, "", before), done
    assert f"{settled.state} is the state folder of the fleet tiny" in done.err
    assert f"{settled.fleet} declares the fleet other" in done.err


def test_a_renamed_fleet_goes_on_once_a_person_wrote_its_name_into_the_file_that_the_hint_names(
    settled: OneRecipeFleet,
) -> None:
    rename_fleet(settled, "other")
    hint = settled.run().err
    (path,) = re.findall(r"if it was renamed: write its new name into (\S+)", " ".join(hint.split()))
    Path(path).write_text("other\n")
    assert settled.run("-q").code == 0
    assert settled.row_of("--dry-run")["cause"] == "in-sync"
    rename_fleet(settled, "tiny")
    assert settled.run("status").code == 78


def test_a_state_folder_of_an_older_canon_gets_the_name_by_the_first_pass_and_not_by_looking(
    settled: OneRecipeFleet,
) -> None:
    assert settled.run("-q").code == 0  # a copied state folder gets an id of its own
    (settled.state / "fleet").unlink()
    before = contents(settled.state)
    assert settled.run("status").code == 0
    assert "the next pass records" in state_row(settled)["found"]
    assert contents(settled.state) == before
    assert settled.run("-q").code == 0
    rename_fleet(settled, "other")
    assert settled.run("-q").code == 78


def test_doctor_says_whose_the_state_folder_is(settled: OneRecipeFleet) -> None:
    assert settled.run("-q").code == 0
    row = state_row(settled)
    assert (row["result"], "fleet tiny" in row["found"]) == ("ok", True)
    rename_fleet(settled, "other")
    row = state_row(settled)
    assert (row["result"], "the fleet tiny" in row["found"], "the fleet other" in row["found"]) == (
        "failed",
        True,
        True,
    )
