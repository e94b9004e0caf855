"""Ten planted situations, for a user who knows nothing of Canon: doing what the text says, and no less, helps."""

import re
from pathlib import Path

import pytest

from reconciler.core.explanation import Family
from tests.explained_world import ExplainedWorld, first_line
from tests.world import Behaviour, World

NOW_A_PASS = "now instead of at the next pass: reconcile -r notes"


@pytest.fixture
def user(tmp_path: Path) -> ExplainedWorld:
    return ExplainedWorld.settled(tmp_path)


def test_1_a_new_release_waits_for_the_next_pass_or_for_the_command_that_is_named(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2")
    head = user.head()
    assert head.startswith("notes: waits by itself\n")
    assert "the next pass tries 1.1.0+v2, and promotes it if it is green" in head
    assert user.commands() == ["reconcile -r notes"]
    user.do(user.commands()[0])
    assert user.version() == "1.1.0+v2"


def test_2_a_red_release_names_its_log_and_every_way_on_each_of_which_is_enough(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2", Behaviour(breaks_lived=True))
    user.world.run()
    head = user.head()
    assert head.startswith("notes: needs you\n")
    assert re.search(r"look first: reconcile logs notes \d{8}T", head)
    assert "upstream publishes a release newer than 1.1.0+v2 (upstream)" in head
    retry = "reconcile -r notes --retry notes"
    assert retry in user.commands()
    user.do(NOW_A_PASS.rpartition(": ")[2])
    assert len(user.explain().history) == 1
    user.do(retry)
    assert len(user.explain().history) == 2
    (user.world.recipes["notes"].folder / "check.py").write_text("another test")
    assert user.explain().blockers == ()
    user.world.tag("notes", "1.1.1+v2")
    user.do("reconcile -r notes")
    assert user.version() == "1.1.1+v2"


def test_3_a_moved_tag_is_accepted_or_moved_back(user: ExplainedWorld) -> None:
    before = user.world.origins["notes"].tags["1.0.0+v1"]
    user.world.tag("notes", "1.0.0+v1")
    assert first_line(user) == "notes: needs you"
    assert f"or upstream moves 1.0.0+v1 back to {before[:7]} (upstream)" in user.head()
    accept, then = user.commands()
    assert accept == "reconcile accept notes 1.0.0+v1 --reason …"
    user.do(then)
    assert user.explain().family is Family.NEEDS_YOU
    user.do(accept)
    assert first_line(user) == "notes: waits by itself"
    user.do(then)
    assert user.version() == "1.0.0+v1"
    assert first_line(user) == "notes: nothing to do"


def test_4_lost_tags_are_accepted_by_the_command_that_is_named(user: ExplainedWorld) -> None:
    for minor in range(1, 4):
        user.world.tag("notes", f"0.{minor}.0")
    user.world.run()
    for minor in range(1, 4):
        del user.world.origins["notes"].tags[f"0.{minor}.0"]
    assert first_line(user) == "notes: needs you"
    accept = user.commands()[0]
    assert accept == "reconcile accept notes --reason …"
    user.do(accept)
    assert first_line(user) == "notes: nothing to do"


def test_5_a_missing_tool_is_named_with_where_it_is_looked_for(tmp_path: Path) -> None:
    user = ExplainedWorld.settled(tmp_path, requires=("git-lfs",))
    user.world.missing.add("git-lfs")
    user.world.tag("notes", "1.1.0+v2")
    head = user.head()
    assert head.startswith("notes: needs you\n")
    assert "look first: command -v git-lfs" in head
    assert "git-lfs is installed in one of /bin (this host)" in head
    user.do("reconcile -r notes")
    assert user.version() == "1.0.0+v1"
    user.world.missing.clear()
    user.do("reconcile -r notes")
    assert user.version() == "1.1.0+v2"


def test_6_a_pass_outside_the_fleets_unit_names_the_unit_to_start(user: ExplainedWorld) -> None:
    user.world.unit = "reconcile.service"
    user.world.tag("notes", "1.1.0+v2")
    assert first_line(user) == "notes: waits by itself"
    start = user.commands()[0]
    assert start == "systemctl start reconcile.service"
    user.do(start)
    assert user.version() == "1.1.0+v2"


def test_7_an_orphan_is_forgotten_or_declared_again(user: ExplainedWorld) -> None:
    recipe = user.world.recipes.pop("notes")
    assert first_line(user) == "notes: needs you"
    assert f"or it is declared again: {user.world.root}/fleet/recipes/notes/recipe.toml (you)" in user.head()
    user.world.recipes["notes"] = recipe
    assert first_line(user) == "notes: nothing to do"
    del user.world.recipes["notes"]
    user.do(user.commands()[0])
    assert user.version() == ""


def test_8_a_damaged_canonical_is_repaired_by_the_next_pass_without_a_person(user: ExplainedWorld) -> None:
    snapshot = user.world.state.canonical("notes", 1) / "manifest.json"
    snapshot.write_bytes(b"not what was sealed")
    head = user.head()
    assert head.startswith("notes: waits by itself\n")
    assert "the canonical is damaged" in head
    assert "the next pass tries 1.0.0+v1" in head
    user.do(user.commands()[-1])
    assert user.world.lived("notes") == ("1.0.0+v1",)
    assert first_line(user) == "notes: nothing to do"


def test_9_an_upstream_that_does_not_answer_is_reported_with_the_recorded_facts(user: ExplainedWorld) -> None:
    user.world.tag("notes", "1.1.0+v2", Behaviour(starts=False))
    user.world.run()
    user.world.origins["notes"].down = "connection refused"
    text = user.text()
    assert text.startswith("notes: waits by itself\n  upstream could not be seen: connection refused\n")
    assert "by the last answer that a pass recorded: 1.1.0+v2 was red" in text
    assert "look first: git ls-remote https://forge.example/notes.git" in text
    assert re.search(r"upstream was last seen by a pass \d+ s ago, 2026-11-01", text)
    user.world.origins["notes"].down = ""
    user.world.tag("notes", "1.1.1+v2")
    assert first_line(user) == "notes: waits by itself"


def test_10_a_tag_with_another_name_is_reported_with_the_form_that_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.declare("notes")
    world.tag("notes", "v26")
    user = ExplainedWorld(world)
    assert first_line(user) == "notes: waits by itself"
    assert "upstream publishes a release tag; a release is named x.y.z or x.y.z+APP (upstream)" in user.head()
    assert "  v26: looks like a version, but is not named x.y.z or x.y.z+APP" in user.text()
    user.world.tag("notes", "26.0.0+v26")
    user.do(user.commands()[-1])
    assert user.version() == "26.0.0+v26"
