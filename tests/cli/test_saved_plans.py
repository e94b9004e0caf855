"""A saved plan is carried out as it was saved, and refused when anything moved on which it rests."""

import json

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, THIRD, OneRecipeFleet
from tests.expected_documents import schema_errors
from tests.folders import entries_below


def test_a_saved_plan_is_applied_once_and_refused_when_it_was_carried_out(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    file = settled.folder / "plan.json"
    before = entries_below(settled.state)
    assert settled.run("plan", "--out", str(file)).code == 2
    assert entries_below(settled.state) == before
    assert file.stat().st_mode & 0o777 == 0o600
    saved, schema = json.loads(file.read_text()), json.loads(settled.run("schema", "saved-plan").out)
    assert [*schema_errors(saved, schema, schema)] == []
    assert saved["steps"]["jot"]["action"] == "promote"
    applied = settled.json("apply", str(file))
    assert (applied.code, applied.row("jot")["result"]) == (0, "promoted")
    again = settled.run("apply", str(file))
    assert again.code == 4
    assert "jot: its records in the registry" in again.err.splitlines()[0]


def test_a_plan_is_refused_when_a_tag_appeared_and_nothing_is_done(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    assert settled.run("plan", "--out", "plan.json").code == 2
    settled.release(THIRD)
    before = settled.promoted_state()
    refused = settled.json("apply", "plan.json")
    (error,) = refused.document["errors"]
    assert (refused.code, error["hint"]) == (4, "look again: reconcile plan --out plan.json")
    assert "jot: its tags upstream" in error["message"]
    assert (settled.promoted_state(), settled.tried()) == (before, settled.tried())
    canonical = settled.canonical()
    assert canonical is not None
    assert canonical.version == FIRST


def test_a_plan_for_another_state_folder_is_refused(settled: OneRecipeFleet) -> None:
    assert settled.run("plan", "--out", "plan.json").code == 0
    other = settled.run("apply", "plan.json", "--state", str(settled.folder / "other"))
    assert other.code == 64
    assert "is for the state folder" in other.err
    assert settled.run("apply", "plan.json", "-r", "jot").code == 64


@pytest.mark.parametrize("content", [None, b"[fleet]\n", b"{}", b'["saved-plan"]', b"\xff\x00", b"[" * 100_000])
def test_what_is_no_saved_plan_is_refused_by_both_commands_and_stays_as_it_is(
    settled: OneRecipeFleet, content: bytes | None
) -> None:
    """None is a folder."""
    file = settled.folder / "other.plan"
    file.write_bytes(content) if content is not None else file.mkdir()
    before = entries_below(settled.folder)
    applied, planned = settled.run("apply", "other.plan"), settled.run("plan", "--out", "other.plan")
    assert (applied.code, applied.out, planned.code, planned.out) == (64, "", 64, "")
    assert "other.plan" in applied.err.splitlines()[0]
    assert applied.err.splitlines()[-1] == "  make one: reconcile plan --out FILE"
    assert "--out other.plan" in planned.err.splitlines()[0]
    assert entries_below(settled.folder) == before


def test_a_file_that_is_missing_is_no_plan_to_apply(settled: OneRecipeFleet) -> None:
    said = settled.run("apply", "none.plan")
    assert (said.code, said.out) == (64, "")
    assert said.err.splitlines()[0] == "reconcile: none.plan cannot be read: No such file or directory"


def test_a_saved_plan_of_any_format_and_an_empty_file_are_replaced(settled: OneRecipeFleet) -> None:
    file = settled.folder / "plan.json"
    for content in ("", '{"format": 99, "command": "saved-plan"}'):
        file.write_text(content)
        assert settled.run("plan", "--out", "plan.json").code == 0
        assert json.loads(file.read_text())["names"] == ["jot"]


def test_a_plan_in_a_missing_folder_is_a_usage_error(settled: OneRecipeFleet) -> None:
    said = settled.run("plan", "--out", "nowhere/monday.plan")
    assert (said.code, said.out) == (64, "")
    assert said.err.splitlines()[0].startswith("reconcile: --out nowhere/monday.plan: ")
    assert said.err.splitlines()[1] == f"  mkdir -p {settled.folder}/nowhere"
