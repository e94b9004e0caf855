"""A saved plan is carried out as it was saved, and refused when anything moved on which it rests."""

import json

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
    (settled.folder / "plan.json").write_text("{}")
    said = settled.run("apply", "plan.json")
    assert (said.code, said.err.splitlines()[0].partition(":")[2]) == (64, " plan.json is no saved plan: 'format'")
    assert settled.run("plan", "--out", "plan.json").code == 0
    other = settled.run("apply", "plan.json", "--state", str(settled.folder / "other"))
    assert other.code == 64
    assert "is for the state folder" in other.err
    assert settled.run("apply", "plan.json", "-r", "jot").code == 64
