"""A state folder that something happened to: what is told, and that the way out which is named leads out."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.jot import FIRST, Jot


def _garbage(content: bytes) -> bytes:
    return b"\xfe" * len(content)


def _cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize("harm", [_garbage, _cut, lambda _: b""], ids=["garbage", "cut in half", "emptied"])
@pytest.mark.parametrize("command", [("--dry-run",), (), ("status",)], ids=["dry run", "pass", "status"])
def test_a_damaged_registry_is_told_with_both_ways_out(
    settled: Jot, harm: Callable[[bytes], bytes], command: tuple[str, ...]
) -> None:
    registry = settled.state / "canon.db"
    registry.write_bytes(harm(registry.read_bytes()))
    said = settled.run(*command)
    assert (said.code, said.out) == (1, "")
    error, hint = said.err.splitlines()[-2:]
    assert error.startswith(f"reconcile: registry {registry}: ")
    ways_out = f"bring it back from a backup; or move {registry} and {settled.state}/canonicals away"
    assert ways_out in hint


def test_with_a_damaged_registry_moved_away_every_recipe_begins_anew(settled: Jot, tmp_path: Path) -> None:
    (settled.state / "canon.db").write_bytes(b"garbage")
    (told,) = re.findall(r"or move (.+) away, ", settled.run().err)
    for number, path in enumerate(told.split(" and ")):
        Path(path).rename(tmp_path / f"away-{number}")
    assert settled.run().code == 0
    have = settled.canonical()
    assert have is not None
    assert (have.generation, have.lineage) == (1, (FIRST,))
    assert settled.lines() == [FIRST, "marked"]


def test_what_somebody_laid_into_the_state_folder_is_named_and_left(settled: Jot) -> None:
    strays = [settled.state / "canonicals" / "zzz", settled.state / "work" / "notes.txt"]
    for stray in strays:
        stray.write_text("somebody's")
    said, told = settled.run(), settled.json()
    assert (said.code, told.code) == (0, 0)
    (note,) = told.document["notes"]
    assert f"note: {note}" in said.out
    assert all(str(stray) in note and stray.read_text() == "somebody's" for stray in strays)
