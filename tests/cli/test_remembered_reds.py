"""A red release is remembered: what makes it be tried again, and what does not."""

import re
import shutil

from tests import tiny_fleet
from tests.cli.one_recipe_fleet import FIRST, SECOND, THIRD, OneRecipeFleet
from tests.reconcile_command import TREE

BREAKS = "import sys\nsys.exit('this release is broken')\n"


def red(jot: OneRecipeFleet) -> None:
    """Publish a second release that never starts, and let a pass find out."""
    jot.release(SECOND, app_py=BREAKS)
    told = jot.json()
    assert (told.code, told.row("jot")["result"]) == (4, "red")


def test_a_red_is_reported_with_its_tier_its_last_lines_its_log_and_what_would_change_it(
    settled: OneRecipeFleet,
) -> None:
    before, kept = settled.tried(), settled.promoted_state().without_tags()
    commit = settled.release(SECOND, app_py=BREAKS)
    said = settled.run()
    assert said.code == 4
    [trial] = set(settled.tried()) - set(before)
    block = [line.strip() for line in said.out.split("\n\n")[1].splitlines()]
    assert block[0] == "jot: red, the release failed its trial"
    assert block[1] == f"release    {SECOND} ({commit[:7]})"
    why = rf"jot {re.escape(SECOND)} is not ready: web ended with exit code 1"
    assert re.fullmatch(rf"failing    install failed( after .*)?: {why}", block[2])
    assert block[3] == "| web: this release is broken"
    assert block[4] == f"canonical  {FIRST}, unchanged, intact"
    assert block[5] == f"log        {settled.state}/logs/jot/{trial} (reconcile logs jot)"
    assert block[6].startswith("next       not tried again until there is a newer release, or its commit, its tests, ")
    assert block[6].endswith("reconcile --retry jot")
    assert settled.promoted_state().without_tags() == kept
    assert "this release is broken" in settled.run("logs", "jot").out


def test_a_release_line_that_fails_is_red_and_its_last_lines_are_shown(settled: OneRecipeFleet) -> None:
    procfile = "release: echo migrating; echo no such table >&2; exit 3\n" + tiny_fleet.PROCFILE.decode()
    settled.release(SECOND, Procfile=procfile)
    said = settled.run()
    assert said.code == 4
    assert f"failing    install failed: jot {SECOND}: release ended with exit code 3\n" in said.out
    assert "    | migrating\n    | no such table\n" in said.out
    assert "no such table" in settled.run("logs", "jot").out


def test_a_red_is_not_tried_again_while_nothing_changed(settled: OneRecipeFleet) -> None:
    red(settled)
    tried = settled.tried()
    said, told = settled.run(), settled.json("--dry-run")
    assert (said.code, told.code) == (4, 4)
    row = told.row("jot")
    assert (row["held_back"], row["needs_person"], row["action"]) == ("red-before", True, "none")
    assert f"needs you: red-before: {SECOND} was red on " in said.out
    assert "or: reconcile --retry jot" in said.out
    assert said.out.splitlines()[-2] == "nothing was run: 1 recipe checked"
    assert settled.tried() == tried
    assert "1.1.0+v2 was red on " in settled.run("status").out.splitlines()[1]


def test_a_red_is_tried_again_when_a_person_asks_or_its_tests_change_or_a_newer_one_comes(
    settled: OneRecipeFleet,
) -> None:
    red(settled)
    count = len(settled.tried())
    assert settled.json("--dry-run", "--retry", "jot").code == 2
    asked = settled.json("--retry", "jot")
    assert (asked.code, asked.row("jot")["result"], len(settled.tried())) == (4, "red", count + 1)
    assert settled.row_of("--dry-run")["held_back"] == "red-before"

    (settled.recipe / "note").write_text("a test's file\n")
    assert settled.json("--dry-run").code == 2
    changed = settled.json()
    assert (changed.code, changed.row("jot")["result"], len(settled.tried())) == (4, "red", count + 2)

    settled.release(THIRD)
    good = settled.json()
    assert (good.code, good.row("jot")["result"]) == (0, "promoted")
    assert good.row("jot")["have"]["lineage"] == [FIRST, THIRD]


def test_a_red_is_remembered_where_its_declaration_is_only_written_in_another_way(settled: OneRecipeFleet) -> None:
    settled.declare('[install]\nenv = { A = "1", B = "2" }\n[ready]\ntimeout = "10m"\n')
    assert settled.json().code == 0
    red(settled)
    said = settled.recipe / "recipe.toml"
    before = said.read_text()
    head, _, tables = before.partition("[install]")
    said.write_text(f'# the same\n[ready]\n"timeout"="600s"\n\n[install.env]\nB="2"\nA="1"\n\n{head}')
    assert "600s" not in before
    assert "A = " in tables
    assert settled.row_of("--dry-run")["held_back"] == "red-before"

    said.write_text(before.replace('A = "1"', 'A = "3"'))
    assert settled.json("--dry-run").code == 2


def test_a_red_is_worth_another_try_where_canon_or_this_place_is_another(settled: OneRecipeFleet) -> None:
    red(settled)
    canon = settled.folder / "canon"
    for package in ("desired", "state", "reconciler"):
        shutil.copytree(TREE / package, canon / package)
    (canon / "state" / "__init__.py").write_text("# changed\n")
    assert settled.json("--dry-run").code == 4
    settled.variables = {"PYTHONPATH": str(canon)}
    assert settled.json("--dry-run").code == 2
    settled.variables = {"PATH": f"/opt/tools:{settled.environment['PATH']}"}
    assert settled.json("--dry-run").code == 2


def test_a_trial_by_hand_feeds_no_memory(settled: OneRecipeFleet) -> None:
    settled.release(SECOND, app_py=BREAKS)
    told = settled.json("trial", "jot")
    assert (told.code, told.row("jot")["result"]) == (4, "red")
    assert settled.row_of("--dry-run")["held_back"] is None
    assert settled.json("--dry-run").code == 2
