"""A state folder that something happened to: what is told, and that the way out which is named leads out."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.one_recipe_fleet import FIRST, OneRecipeFleet
from tests.folders import entries_below
from tests.reconcile_command import BIN

WRITING = (
    (),
    ("trial", "jot"),
    ("raise", "jot"),
    ("accept", "jot", "--reason", "so"),
    ("forget", "gone", "--reason", "so"),
)


def _garbage(content: bytes) -> bytes:
    return b"\xfe" * len(content)


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("harm", [_garbage, _cut, lambda _: b""], ids=["garbage", "cut in half", "emptied"])
@pytest.mark.parametrize("command", [("--dry-run",), (), ("status",)], ids=["dry run", "pass", "status"])
def test_a_damaged_registry_is_reported_with_both_remedies(
    settled: OneRecipeFleet, harm: Callable[[bytes], bytes], command: tuple[str, ...]
) -> None:
    registry = settled.state / "canon.db"
    registry.write_bytes(harm(registry.read_bytes()))
    said = settled.run(*command)
    assert (said.code, said.out) == (1, "")
    error, hint = said.err.splitlines()[-2:]
    assert error.startswith(f"reconcile: registry {registry}: ")
    ways_out = f"restore it from a backup; or move {registry} and {settled.state}/canonicals away"
    assert ways_out in hint


def test_with_a_damaged_registry_moved_away_every_recipe_begins_anew(settled: OneRecipeFleet, tmp_path: Path) -> None:
    (settled.state / "canon.db").write_bytes(b"garbage")
    (told,) = re.findall(r"or move (.+) away, ", settled.run().err)
    for number, path in enumerate(told.split(" and ")):
        Path(path).rename(tmp_path / f"away-{number}")
    assert settled.run().code == 0
    have = settled.canonical()
    assert have is not None
    assert (have.generation, have.lineage) == (1, (FIRST,))
    assert settled.lines() == [FIRST, "marked"]


def test_foreign_files_in_the_state_folder_are_kept_and_named(settled: OneRecipeFleet) -> None:
    strays = [settled.state / "canonicals" / "zzz", settled.state / "work" / "notes.txt"]
    for stray in strays:
        stray.write_text("somebody's")
    said, told = settled.run(), settled.json()
    assert (said.code, told.code) == (0, 0)
    notes = told.document["notes"]
    assert len(notes) == len(strays)
    for stray in strays:
        (note,) = [note for note in notes if str(stray) in note]
        assert f"note: {note}" in said.out
        assert stray.read_text() == "somebody's"


@pytest.mark.parametrize("command", WRITING, ids=lambda words: words[0] if words else "pass")
def test_a_folder_that_is_no_state_folder_is_refused_by_every_command_that_writes(
    settled: OneRecipeFleet, tmp_path: Path, command: tuple[str, ...]
) -> None:
    srv = tmp_path / "srv"
    (srv / "work" / "important").mkdir(parents=True)
    before = entries_below(srv)
    said = settled.run(*command, "--state", str(srv))
    assert (said.code, said.out) == (78, "")
    assert f"{srv} is not a state folder of Canon: it holds work; nothing in it was changed" in said.err
    assert entries_below(srv) == before


@pytest.mark.parametrize(
    "words",
    [
        ("--state", ""),
        ("--state", " ", "status"),
        ("drift", "--fleet", ""),
        ("--recipe", ""),
        ("--retry", ""),
        ("trial", "jot", "--ref", ""),
        ("trial", "jot", "--junit", ""),
        ("logs", "jot", ""),
        ("status", ""),
        ("init", ""),
        ("demo", ""),
    ],
    ids=" ".join,
)
def test_an_empty_value_is_a_usage_error_and_never_the_default(settled: OneRecipeFleet, words: tuple[str, ...]) -> None:
    before = entries_below(settled.folder)
    said = settled.run(*words)
    assert (said.code, said.out) == (64, "")
    assert "is empty; is a variable not set?" in said.err
    assert entries_below(settled.folder) == before


@pytest.mark.parametrize("name", ["RECONCILE_STATE", "RECONCILE_FLEET", "STATE_DIRECTORY", "CONFIGURATION_DIRECTORY"])
def test_a_variable_that_is_set_and_empty_is_usage_and_never_the_default(settled: OneRecipeFleet, name: str) -> None:
    ours = {"STATE_DIRECTORY": "RECONCILE_STATE", "CONFIGURATION_DIRECTORY": "RECONCILE_FLEET"}.get(name, name)
    environment = {key: value for key, value in settled.environment.items() if key != ours} | {name: ""}
    said = subprocess.run(
        [BIN / "reconcile", "--dry-run"], env=environment, capture_output=True, text=True, check=False
    )
    assert (said.returncode, said.stdout) == (64, "")
    assert said.stderr.splitlines()[0] == f"reconcile: {name} is set and empty"
