"""A file of the fleet folder that this user may not read costs no more than the trials of the recipe it belongs to."""

import re
from pathlib import Path

import pytest
from attrs import evolve

from tests.cli.one_recipe_fleet import OneRecipeFleet
from tests.reconcile_command import without_overriding
from tests.repositories import git

NOT_A_DIGEST = "not-read-whole"


@pytest.fixture
def reader(settled: OneRecipeFleet) -> OneRecipeFleet:
    """`jot` at its first release. Modes of files count for its commands, also if the tests run as root."""
    return evolve(settled, prefix=without_overriding())


def unreadable_file(path: Path) -> None:
    path.write_text("x")
    path.chmod(0)


def fleet_of(command: OneRecipeFleet) -> str:
    revision = command.json("--dry-run").document["pass"]["fleet"]
    assert isinstance(revision, str)
    return revision


def fleet_row(command: OneRecipeFleet) -> dict[str, str]:
    return next(check for check in command.json("doctor").document["checks"] if check["name"] == "fleet")


@pytest.mark.parametrize("words", [("--dry-run",), ("explain",), (), ("trial", "jot")])
def test_a_file_beside_the_recipes_that_cannot_be_read_stops_no_command(
    reader: OneRecipeFleet, words: tuple[str, ...]
) -> None:
    unreadable_file(reader.fleet / "NOTES.txt")
    done = reader.run(*words)
    assert (done.code, "Permission denied" in done.err) == (0, False), done


def test_a_fleet_that_could_not_be_read_whole_bears_no_digest(reader: OneRecipeFleet) -> None:
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", fleet_of(reader))
    unreadable_file(reader.fleet / "NOTES.txt")
    assert fleet_of(reader) == NOT_A_DIGEST


def test_a_clean_checkout_with_a_folder_that_git_cannot_list_does_not_pass_for_its_commit(
    reader: OneRecipeFleet,
) -> None:
    git(reader.fleet, "init", "--quiet", ".")
    git(reader.fleet, "add", "--all")
    git(reader.fleet, "commit", "--quiet", "-m", "Declare")
    commit = git(reader.fleet, "rev-parse", "HEAD").decode().strip()
    assert fleet_of(reader) == commit
    (reader.fleet / "old").mkdir(mode=0)
    try:
        assert fleet_of(reader) == f"{commit}-dirty.{NOT_A_DIGEST}"
    finally:
        (reader.fleet / "old").chmod(0o700)


@pytest.mark.parametrize("mode", [0o000, 0o444], ids=["cannot be listed", "cannot be entered"])
def test_a_folder_whose_files_cannot_be_read_is_not_left_out_of_a_digest(reader: OneRecipeFleet, mode: int) -> None:
    (reader.fleet / "old").mkdir()
    (reader.fleet / "old" / "file").touch()
    (reader.fleet / "old").chmod(mode)
    try:
        assert fleet_of(reader) == NOT_A_DIGEST
        assert "old" in fleet_row(reader)["found"]
    finally:
        (reader.fleet / "old").chmod(0o700)


def test_doctor_names_a_file_beside_the_recipes_as_a_warning_and_one_of_a_recipe_as_a_failure(
    reader: OneRecipeFleet,
) -> None:
    assert fleet_row(reader)["result"] == "ok"
    unreadable_file(reader.fleet / "NOTES.txt")
    row = fleet_row(reader)
    assert (row["result"], "NOTES.txt: Permission denied" in row["found"]) == ("warning", True)
    unreadable_file(reader.recipe / "lib.py")
    row = fleet_row(reader)
    assert (row["result"], "recipes/jot/lib.py: Permission denied" in row["found"]) == ("failed", True)
