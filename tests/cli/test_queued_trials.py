"""Trials by hand that wait for each other, and what they leave for the next pass: nothing but their line."""

import json
import sqlite3
from contextlib import closing

from tests.cli.one_recipe_fleet import FIRST, SECOND, THIRD, OneRecipeFleet, paused
from tests.procfile_apps import wait_for


def kinds(jot: OneRecipeFleet) -> list[str]:
    with closing(sqlite3.connect(jot.state / "canon.db")) as registry:
        return [kind for (kind,) in registry.execute("SELECT kind FROM ledger ORDER BY seq")]


def test_neither_a_green_nor_a_red_trial_by_hand_is_remembered_by_passes(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    before, lines = settled.remembered(), kinds(settled)
    assert settled.run("trial", "jot").code == 0
    settled.custom("exit 1")
    assert settled.run("trial", "jot").code == 4
    assert settled.remembered() == before
    assert kinds(settled) == [*lines, "trial", "trial"]
    settled.declare()
    row = settled.row_of()
    assert (row["result"], row["have"]["version"]) == ("promoted", SECOND)
    assert settled.remembered() != before


def test_a_second_trial_waits_for_the_first_and_then_runs_as_declared_by_then(
    settled: OneRecipeFleet,
) -> None:
    settled.release(SECOND)
    with paused(settled, "custom", "trial", "jot") as first:
        second = settled.start("trial", "jot", "--wait", "5m")
        assert second.stderr is not None
        said = second.stderr.readline()
        assert said.startswith("jot: waiting: jot: its slot is in use: "), said
        assert f"is held by pid {first.pid} (" in said
        settled.declare()
        (settled.folder / "go").touch()
        assert (first.wait(), second.wait()) == (0, 0)
        second.communicate()
    assert len(settled.tried()) == 3
    settled.assert_nothing_is_left()


def test_a_trial_whose_wait_is_over_tells_who_has_the_recipe(settled: OneRecipeFleet) -> None:
    with paused(settled, "custom", "trial", "jot") as first:
        said = settled.run("trial", "jot", "--wait", "1s", "-q")
        assert (said.code, said.out) == (75, "")
        assert f"reconcile: jot: its slot is in use: {settled.state}/work/jot/" in said.err
        assert f"is held by pid {first.pid} (" in said.err
    wrong = settled.run("trial", "jot", "--wait", "soon")
    assert (wrong.code, wrong.err.startswith("reconcile: --wait soon: ")) == (64, True)


def test_what_a_pass_promoted_meanwhile_is_the_base_of_a_trial_that_waited(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    settled.release(THIRD)
    settled.upstream.untag(THIRD)
    with paused(settled, "custom") as a_pass:
        trial = settled.start("trial", "jot", "--ref", "main", "--wait", "5m", "-o", "json")
        stderr = trial.stderr
        assert stderr is not None
        wait_for(lambda: "waiting: " in stderr.readline(), 120)
        assert settled.row_of("status")["have"]["version"] == FIRST
        (settled.folder / "go").touch()
        assert a_pass.wait() == 0
        out, _ = trial.communicate()
    assert trial.returncode == 0
    [row] = json.loads(out)["recipes"]
    assert row["base"]["version"] == SECOND, row
