"""Which ways of canonicals a person is told of: dangerous ones of the release that is canonical, while declared."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from attrs import evolve

from desired.model import Recipe, WayName, Ways
from desired.releases import Release
from reconciler.core.findings import Cause
from reconciler.core.plan import Action, Step
from reconciler.core.report import Row
from reconciler.core.report_problems import seen_in
from reconciler.core.way_kinds import WayAnswer, WayKind
from reconciler.core.way_problems import seen_of_ways
from reconciler.core.way_records import WAY_LINE, way_body
from reconciler.core.ways import WayResult
from state.ledger_line import LedgerLine
from state.notifications import FleetProblem
from state.records import LedgerEntry
from tests.core.test_report_problems import report_with
from tests.values import canonical, finding, recipe

AT = datetime(2026, 11, 29, tzinfo=UTC)
OLDEST, OLD, NEW = (Release(name, letter * 40) for name, letter in (("0.9.0", "c"), ("1.0.0", "a"), ("1.1.0", "b")))
DAMAGES = WayResult("notes", WayName.BACK, WayAnswer.NO, NEW, OLD, WayKind.DAMAGES, "a line is gone")
REFUSES = evolve(DAMAGES, kind=WayKind.REFUSES)
UNCLEAN = WayResult("notes", WayName.STOP, WayAnswer.NO, NEW, kind=WayKind.UNCLEAN, reason="exited 1")
BOTH = evolve(recipe(), ways=Ways((WayName.BACK, WayName.STOP)))


def row_at(release: Release | None) -> Row:
    have = canonical(release.version, release.commit) if release is not None else None
    return Row(Step(evolve(finding("notes", Cause.IN_SYNC), have=have), Action.NONE, "nothing to do"), ())


def told(
    results: Sequence[WayResult],
    declared: Recipe | None = BOTH,
    release: Release | None = NEW,
    by_hand: Collection[int] = (),
) -> tuple[dict[str, FleetProblem], dict[str, str]]:
    """Return the problems and what is over if these results are in the ledger, beside those of another recipe.

    A person tried the results with the numbers in `by_hand`, passes the others.
    """
    entries = [
        LedgerEntry(AT, WAY_LINE, name, {**way_body(each), "by_pass": number not in by_hand})
        for number, each in enumerate(results)
        for name in ("notes", "other")
    ]
    lines = [LedgerLine(number, entry) for number, entry in enumerate(entries, 1)]
    recipes = {"notes": declared} if declared is not None else {}
    seen = seen_of_ways([row_at(release)], recipes, lines)
    return dict(seen.problems), dict(seen.over)


def test_each_dangerous_way_of_the_canonical_is_a_problem_of_its_recipe_with_its_reason() -> None:
    problems, over = told([DAMAGES, UNCLEAN])
    assert sorted(problems) == ["way:notes:back", "way:notes:stop"]
    back = problems["way:notes:back"]
    assert (back.recipe, back.kind, back.version) == ("notes", "danger", "1.1.0")
    assert back.reason == "back: no to 1.0.0: DANGER: it damages data that was there before: a line is gone"
    assert sorted(over) == ["way:notes:fall", "way:notes:leap"]


def test_a_way_that_is_only_closed_or_was_tried_again_is_no_danger() -> None:
    for results in ([REFUSES], [DAMAGES, REFUSES], []):
        problems, over = told(results)
        assert (problems, over["way:notes:back"]) == ({}, "no danger is known of 1.1.0")


def test_what_proves_nothing_and_what_a_person_tried_end_no_danger_that_a_pass_has_seen() -> None:
    skipped = evolve(DAMAGES, answer=WayAnswer.SKIP, kind=None, reason="not deployed: unsigned")
    opened = evolve(DAMAGES, answer=WayAnswer.YES, kind=None, reason="")
    assert list(told([DAMAGES, skipped])[0]) == ["way:notes:back"]
    assert list(told([DAMAGES, opened], by_hand=[1])[0]) == ["way:notes:back"]
    assert list(told([DAMAGES, evolve(opened, base=OLDEST)])[0]) == ["way:notes:back"]
    assert told([DAMAGES, skipped, opened, skipped])[0] == {}


def test_a_danger_that_only_a_person_has_seen_is_told_until_a_later_try_by_whomever() -> None:
    opened = evolve(DAMAGES, answer=WayAnswer.YES, kind=None, reason="")
    assert list(told([opened, DAMAGES], by_hand=[1])[0]) == ["way:notes:back"]
    assert told([DAMAGES, opened], by_hand=[0])[0] == {}
    assert told([DAMAGES, opened], by_hand=[0, 1])[0] == {}


def test_a_way_with_a_danger_to_each_of_two_older_releases_tells_both() -> None:
    problem = told([DAMAGES, evolve(DAMAGES, base=OLDEST, kind=WayKind.BREAKS)])[0]["way:notes:back"]
    assert "no to 1.0.0: DANGER" in problem.reason
    assert "no to 0.9.0: DANGER" in problem.reason


def test_another_release_and_a_way_that_is_no_longer_run_end_the_danger_with_what_is_true_now() -> None:
    assert told([DAMAGES], release=OLD)[1]["way:notes:back"] == "no danger is known of 1.0.0"
    assert told([DAMAGES], release=None)[1]["way:notes:back"] == "no canonical"
    for declared in (None, evolve(BOTH, enrolled=False), evolve(BOTH, ways=Ways((WayName.STOP,)))):
        problems, over = told([DAMAGES], declared)
        assert (problems, over["way:notes:back"]) == ({}, "the recipe does not run the way back")


def test_a_way_of_a_recipe_that_left_the_fleet_is_over_with_it() -> None:
    seen = seen_in(report_with(row_at(NEW)), ("way:gone:back", "way:notes:back", "fleet:pass"), interrupted=True)
    assert sorted(seen.over) == ["notes", "way:gone:back"]
