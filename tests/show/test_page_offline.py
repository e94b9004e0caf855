"""The page and the explanation without asking upstreams: they never say more than passes saw."""

from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.core.report import ReportBucket
from reconciler.show.page.page import render_page
from reconciler.show.page.page_facts import PageFacts
from tests.explained_world import ExplainedWorld
from tests.page_world import facts_of
from tests.world import World


@pytest.fixture
def lost(tmp_path: Path) -> World:
    """Return a world whose last pass, 60 days after the one before, could not see calendar's upstream."""
    world = World.promoted(tmp_path, "calendar", "notes")
    world.origins["calendar"].down = "connection refused"
    world.now += timedelta(days=60)
    world.run()
    return world


def head_of(facts: PageFacts) -> str:
    return render_page(facts).partition("<main>")[0]


def test_a_recipe_that_the_last_pass_could_not_see_is_unobservable_offline(lost: World) -> None:
    facts = facts_of(lost, ask=False)
    assert facts.report.counts[ReportBucket.UNOBSERVABLE] == 1
    assert facts.report.counts[ReportBucket.IN_SYNC] == 1
    assert "1 in sync" in head_of(facts)
    assert "1 unobservable" in head_of(facts)


def test_the_head_of_the_page_says_whether_upstreams_were_asked(lost: World) -> None:
    assert "Upstreams were not asked" in head_of(facts_of(lost, ask=False))
    assert "not asked" not in head_of(facts_of(lost))


def test_a_row_says_when_upstream_was_last_seen_if_the_last_whole_pass_did_not_see_it(lost: World) -> None:
    for ask in (False, True):
        table = render_page(facts_of(lost, ask=ask)).partition("<tbody")[2].partition("</tbody>")[0]
        calendar, notes = table.split("<tr ")[1:3]
        assert "last seen by a pass <time" in calendar
        assert "2026-11-01" in calendar
        assert "last seen" not in notes


def test_explain_offline_says_that_the_last_pass_could_not_see_upstream(lost: World) -> None:
    text = ExplainedWorld(lost).text("calendar", ask=False)
    assert text.startswith("calendar: waits by itself\n  upstream could not be seen: ")
    assert "the last pass that asked, on 2026-12-31 03:01 UTC, could not see it" in text
    assert "by the last answer that a pass recorded: " in text
    assert ExplainedWorld(lost).text("notes", ask=False).startswith("notes: nothing to do\n")


def test_a_later_pass_that_sees_upstream_makes_its_answer_count_offline(lost: World) -> None:
    lost.origins["calendar"].down = ""
    lost.run("calendar")
    assert facts_of(lost, ask=False).report.counts[ReportBucket.IN_SYNC] == 2
