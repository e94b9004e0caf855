"""A danger of a way stays known, and told everywhere, until a pass proves the same to be safe, in a world in memory."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import evolve

from desired.model import TierName, WayName
from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.cli.trial_command import Asked, _ready, _run
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.way_problems import seen_of_ways
from reconciler.show.page.page import render_page
from tests.gated_ways import GOOD
from tests.older_world import OlderWorld
from tests.page_world import facts_of
from tests.ways_world import NEWER, WaysWorld

YES, NO, SKIP = WayAnswer.YES, WayAnswer.NO, WayAnswer.SKIP


def by_hand(notes: WaysWorld, way: WayName) -> list[WayAnswer]:
    """Try `way` of the canonical's release by hand, and return its answer."""
    context = CommandContext(Options(), notes.world.fleet, notes.world.state, ("notes",))
    asked = Asked(None, frozenset(TierName), (way,))
    with _ready(notes.world.host(), context, "notes", asked) as ready:
        return [each.answer for each in _run(ready, asked).ways]


def with_other_tests(notes: WaysWorld) -> None:
    """Change the tests of the recipe, so that the next pass tries its ways anew."""
    readme = notes.world.recipes["notes"].folder / "README"
    readme.write_text(readme.read_text() + "." if readme.exists() else "a comment")


def unsigned_older(notes: WaysWorld) -> list[WayAnswer]:
    """Need signatures from now on: the canonical has one, and the release to which its way back leads has none."""
    notes.world.recipes["notes"] = evolve(notes.world.recipes["notes"], signed=True)
    notes.world.signatures[notes.commit_of(NEWER)] = GOOD
    return [each.answer for each in notes.tried(WayName.BACK)]


def safe_by_hand(notes: WaysWorld) -> list[WayAnswer]:
    notes.older = set()
    return by_hand(notes, WayName.BACK)


def dangers(notes: WaysWorld) -> tuple[list[str], bool]:
    """Return the subjects of which a message tells a danger, and whether the head of the page warns of one."""
    lines = notes.world.host().registry.lines(kind="way")
    problems = seen_of_ways(notes.world.look().rows, notes.world.recipes, lines).problems
    above = render_page(facts_of(notes.world)).partition("<main>")[0]
    return list(problems), "DANGER" in above


@pytest.mark.parametrize(("later", "answer"), [(unsigned_older, SKIP), (safe_by_hand, YES)])
def test_neither_a_skip_nor_a_try_by_hand_ends_the_danger_of_a_way_back(
    later: Callable[[WaysWorld], list[WayAnswer]], answer: WayAnswer, tmp_path: Path
) -> None:
    notes = WaysWorld.upgraded(tmp_path)
    notes.older = {"damages"}
    assert [each.answer for each in notes.tried(WayName.BACK)] == [NO]
    assert later(notes) == [answer]
    assert dangers(notes) == (["way:notes:back"], True)


def test_a_later_pass_that_finds_the_way_back_safe_ends_its_danger(tmp_path: Path) -> None:
    notes = WaysWorld.upgraded(tmp_path)
    notes.older = {"damages"}
    notes.tried(WayName.BACK)
    notes.older = set()
    with_other_tests(notes)
    assert [each.answer for each in notes.tried(WayName.BACK)] == [YES]
    assert dangers(notes) == ([], False)


@pytest.mark.parametrize("quick", [3, 99])
def test_a_fall_whose_dangerous_moment_was_not_hit_again_stays_a_danger(quick: int, tmp_path: Path) -> None:
    notes = OlderWorld.upgraded(tmp_path)
    assert isinstance(notes, OlderWorld)
    notes.falls = [{"damages"}]
    assert [each.answer for each in notes.tried(WayName.FALL)] == [NO]
    with_other_tests(notes)
    notes.quick = quick
    [fall] = notes.tried(WayName.FALL)
    assert (fall.cases[0].answer, fall.answer) == (SKIP, SKIP if quick == 99 else YES)
    assert dangers(notes) == (["way:notes:fall"], True)
    with_other_tests(notes)
    notes.quick = 0
    assert [each.answer for each in notes.tried(WayName.FALL)] == [YES]
    assert dangers(notes) == ([], False)


def test_the_page_shows_a_try_by_hand_beside_the_danger_and_says_who_tried(tmp_path: Path) -> None:
    notes = WaysWorld.upgraded(tmp_path)
    notes.older = {"damages"}
    notes.tried(WayName.BACK)
    safe_by_hand(notes)
    shown = [line for line in render_page(facts_of(notes.world)).splitlines() if "<b>back</b>" in line]
    assert ["DANGER" in line for line in shown] == [True, False]
    assert [", by hand" in line for line in shown] == [False, True]
