"""`reconcile rollback`, run as a person runs it."""

import shutil

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet


@pytest.fixture
def newer(settled: OneRecipeFleet) -> OneRecipeFleet:
    """`jot` at its second release, with the generation of the first one stored."""
    settled.release(SECOND)
    assert settled.run("-q").code == 0
    return settled


def test_with_upstream_down_a_rollback_brings_back_release_and_data_and_no_pass_undoes_it(
    newer: OneRecipeFleet,
) -> None:
    away = newer.folder / "away"
    newer.upstream.path.rename(away)
    said = newer.run("rollback", "jot", "--reason", "it loses mails", "-q")
    assert said.code == 0
    assert said.out == (
        f"jot: rolled back to {FIRST}, generation 1, recorded as generation 3, read back; "
        f"stays there until a release newer than {SECOND}, or: reconcile resume jot\n"
    )
    newer.assert_nothing_is_left()
    assert newer.lines() == [FIRST, "marked"]
    assert sorted(path.name for path in (newer.state / "canonicals" / "jot").iterdir()) == ["2", "3"]
    assert newer.run("audit").code == 0
    assert f"is the canonical again, generation 3, a copy of 1; {SECOND} was left" in newer.run("history", "jot").out
    away.rename(newer.upstream.path)
    done = newer.json()
    row = done.row("jot")
    assert (done.code, row["result"], row["held_back"], row["have"]["version"]) == (0, "none", "held", FIRST)
    assert (row["rollback"]["left"], row["rollback"]["reason"], row["waiting"]) == (SECOND, "it loses mails", [SECOND])
    assert (row["have"]["generation"], row["have"]["copy_of"]) == (3, 1)
    card = newer.run("status", "jot").out
    assert "3, a copy of generation 1" in card
    assert f"rolled back from {SECOND} to {FIRST}" in card
    assert newer.run("resume", "jot").code == 0
    assert newer.json().row("jot")["result"] == "promoted"


def test_a_generation_that_does_not_pass_the_present_tests_is_not_gone_back_to(newer: OneRecipeFleet) -> None:
    before = newer.promoted_state()
    (newer.recipe / "check.py").write_text("raise SystemExit(7)")
    refused = newer.json("rollback", "jot", "--reason", "why")
    assert refused.code == 4
    [error] = refused.document["errors"]
    assert error["message"].startswith(f"jot: generation 1 ({FIRST}) does not come up: data.check")
    assert newer.promoted_state() == before
    newer.assert_nothing_is_left()


def test_a_wrong_rollback_is_refused_in_one_line_with_what_is_stored(newer: OneRecipeFleet) -> None:
    stored = f"stored generations: 2 ({SECOND}, intact), 1 ({FIRST}, intact)"
    for to, code, said in (("9", 64, "jot has no stored generation 9"), ("2", 64, "generation 2 is the canonical")):
        refused = newer.run("rollback", "jot", "--to", to, "--reason", "why", "-q")
        assert (refused.code, refused.out) == (code, "")
        assert refused.err.splitlines() == [refused.err.splitlines()[0], f"  {stored}"]
        assert said in refused.err
    shutil.rmtree(newer.state / "canonicals" / "jot" / "1")
    gone = newer.run("rollback", "jot", "--reason", "why", "-q")
    assert (gone.code, gone.out) == (1, "")
    assert f"no intact generation of a release before {SECOND}" in gone.err
    assert newer.run("rollback", "jot", "--reason", " ").code == 64
