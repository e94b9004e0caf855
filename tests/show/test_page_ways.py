"""The page of `reconcile report` shows the ways of each canonical, the dangerous ones first and loudly."""

from datetime import UTC, datetime
from pathlib import Path

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_kinds import StopFacts, WayAnswer, WayKind
from reconciler.core.ways import RecordedWay, WayResult
from reconciler.show.page.page import render_page
from reconciler.show.page.ways_on_page import danger_warnings, ways_on_page
from tests.page_world import facts_of
from tests.ways_world import NEWER, OLDER, WaysWorld

AT = datetime(2026, 11, 29, tzinfo=UTC)
RESULT = WayResult("notes", WayName.BACK, WayAnswer.YES, Release(NEWER, "b" * 40), Release(OLDER, "a" * 40))
RESULTS = st.builds(
    lambda answer, kind, reason: evolve(
        RESULT, answer=answer, kind=kind if answer is WayAnswer.NO else None, reason=reason
    ),
    st.sampled_from(WayAnswer),
    st.sampled_from(WayKind),
    st.text(max_size=400),
)


def test_a_danger_is_above_all_recipes_and_the_measured_stop_beside_the_declared_grace(tmp_path: Path) -> None:
    notes = WaysWorld.upgraded(tmp_path)
    notes.older = {"damages"}
    notes.tried(WayName.BACK, WayName.STOP)
    page = render_page(facts_of(notes.world))
    above, _, recipes = page.partition("<main>")
    assert f"notes {NEWER}: back no to {OLDER}: DANGER: it damages data that was there before" in above
    assert f"Ways of <code>{NEWER}</code>" in recipes
    assert "<b>back</b> <b class=bad>DANGER</b> to 1.0.0: it damages" in recipes
    assert "<b>stop</b> <b class=good>yes</b> ended in " in recipes
    assert recipes.index("<b>back</b>") < recipes.index("<b>stop</b>")


def test_a_try_by_hand_is_said_to_be_one() -> None:
    shown = ways_on_page([RecordedWay(RESULT, AT, by_pass) for by_pass in (False, True)], 8)
    assert [each.by_hand for each in shown] == [True, False]


def test_a_recipe_of_which_no_way_was_tried_has_no_heading_for_ways(tmp_path: Path) -> None:
    assert "Ways of" not in render_page(facts_of(WaysWorld.upgraded(tmp_path).world))


def test_the_stop_says_how_long_it_took_and_how_long_it_may_take() -> None:
    stop = evolve(RESULT, way=WayName.STOP, base=None, kind=WayKind.KILLED, answer=WayAnswer.NO)
    facts = StopFacts(10.02, 10.0, ("web (10 s)",))
    told = evolve(stop, stop=facts, reason="was killed after 10.0 s of 10 s; killed: web (10 s)")
    [shown] = ways_on_page([RecordedWay(told, AT, by_pass=True)], 8)
    assert (shown.answer, shown.tone) == ("no", "warn")
    assert "10.0 s of 10 s" in shown.text


@given(st.lists(RESULTS, max_size=12), st.integers(2, 8))
def test_no_more_is_shown_than_there_is_room_for_and_a_danger_is_never_left_out_for_less(
    results: list[WayResult], most: int
) -> None:
    shown = ways_on_page([RecordedWay(each, AT, by_pass=True) for each in results], most)
    dangers = sum(each.answer is WayAnswer.NO and each.kind in DANGEROUS for each in results)
    assert len(shown) == min(len(results), most)
    assert sum(each.answer == "DANGER" for each in shown) == min(dangers, most)
    assert all(len(each.text) <= 40 * most for each in shown)


DANGEROUS = {WayKind.DAMAGES, WayKind.BREAKS, WayKind.UNCLEAN, WayKind.NO_RESTART}


def test_of_many_dangers_the_head_of_the_page_says_how_many_more_there_are(tmp_path: Path) -> None:
    [told] = facts_of(WaysWorld.upgraded(tmp_path).world).explained
    danger = evolve(RESULT, answer=WayAnswer.NO, kind=WayKind.BREAKS)
    many = [evolve(told, ways=(RecordedWay(danger, AT, by_pass=True),))] * 13
    assert danger_warnings(many)[10:] == ("3 more ways are dangerous: see the recipes",)
