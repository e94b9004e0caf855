"""Which problems a report has that a person is told of, and which of those told before are over."""

from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve

from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.findings import Cause
from reconciler.core.last_pass import LastWholePass
from reconciler.core.notifications import PASS, TIMER, Seen
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, Result
from reconciler.core.plan import Action, HeldBack, Step
from reconciler.core.report import Report, ReportCommand, Row, summarise
from reconciler.core.report_problems import both, failed_pass, seen_in, seen_of_timer
from state.notifications import FleetProblem
from tests.reports import row_after, run_of
from tests.values import NEW, canonical, circumstances, finding, red

NOW = datetime(2026, 11, 29, tzinfo=UTC)
FAILED = red("1.1.0", circumstances("b" * 40))
REFUSED = evolve(FAILED, reason="green, not promoted: way-back: no to 1.0.0: it does not come up")


def row(cause: Cause = Cause.IN_SYNC, state: State = State.INTACT, **step: object) -> Row:
    found = evolve(finding("notes", cause, state), have=canonical("3.0.9", "c" * 40))
    return Row(evolve(Step(found, Action.NONE, "the step's reason"), **step), ())  # type: ignore[arg-type]


def tried(result: Result, **step: object) -> Row:
    return row_after(row(**step).step, result, "what the trial said", Attempt(), None)  # type: ignore[arg-type]


def report_with(*rows: Row, declared: int | None = None) -> Report:
    names = {each.recipe: True for each in rows if each.finding.cause is not Cause.ORPHANED}
    orphans = [each.recipe for each in rows if each.finding.cause is Cause.ORPHANED]
    expected = ExpectedRecipes(declared if declared is not None else len(names), names, len(names), orphans)
    return summarise(run_of(ReportCommand.PASS), expected, rows)


def without_canonical(of: Row) -> Row:
    return evolve(of, step=evolve(of.step, finding=evolve(of.finding, have=None)))


def problems(*rows: Row) -> list[tuple[str, str]]:
    seen = seen_in(report_with(*rows), (), interrupted=False)
    return [(each.kind, each.version) for each in seen.problems.values() if each.recipe]


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (tried(Result.RED), "red"),
        (row(Cause.NEW_RELEASE, held_back=HeldBack.RED_BEFORE, needs_person=True), "red"),
        (row(Cause.NEW_RELEASE, held_back=HeldBack.RED_BEFORE, red=FAILED, needs_person=True), "red"),
        (tried(Result.GREEN_NOT_PROMOTED), "green-not-promoted"),
        (row(Cause.NEW_RELEASE, held_back=HeldBack.RED_BEFORE, red=REFUSED, needs_person=True), "green-not-promoted"),
        (tried(Result.REPAIRED, held_back=HeldBack.RED_BEFORE, red=REFUSED, needs_person=True), "green-not-promoted"),
        (row(Cause.NEW_RELEASE, held_back=HeldBack.UNSIGNED, needs_person=True), "unsigned"),
        (row(Cause.AHEAD, needs_person=True), "ahead"),
        (tried(Result.INFRASTRUCTURE), "infrastructure"),
        (row(Cause.UNOBSERVABLE), "unobservable"),
        (row(state=State.DAMAGED), "damaged"),
        (row(state=State.DOWN), "down"),
        (row(Cause.ORPHANED), "orphaned"),
    ],
)
def test_what_needs_a_person_is_a_problem_with_one_word(after: Row, kind: str) -> None:
    assert [found for found, _ in problems(after)] == [kind]


@pytest.mark.parametrize(
    "calm",
    [
        row(),
        tried(Result.PROMOTED),
        row(Cause.NEW_RELEASE, held_back=HeldBack.HELD),
        row(Cause.NEW_RELEASE, held_back=HeldBack.TOO_YOUNG),
        row(state=State.DAMAGED, held_back=HeldBack.EXCEPTED),
        row(Cause.NEVER_RELEASED),
    ],
)
def test_a_recipe_that_needs_nobody_ends_the_problem_that_was_told(calm: Row) -> None:
    seen = seen_in(report_with(calm), ("notes",), interrupted=False)
    assert "notes" not in seen.problems
    assert "the canonical is 3.0.9" in seen.over["notes"]


def test_a_release_that_is_still_to_be_tried_neither_ends_a_problem_nor_is_one() -> None:
    waiting = row(Cause.NEW_RELEASE, action=Action.PROMOTE, release=NEW)
    seen = seen_in(report_with(waiting), ("notes",), interrupted=True)
    assert ("notes" in seen.problems, "notes" in seen.over) == (False, False)


def test_the_reason_is_that_of_the_trial_or_else_that_of_the_step() -> None:
    of_trial = seen_in(report_with(tried(Result.RED)), (), interrupted=False).problems["notes"]
    of_step = seen_in(report_with(row(Cause.AHEAD, needs_person=True)), (), interrupted=False).problems["notes"]
    assert (of_trial.reason, of_step.reason) == ("what the trial said", "the step's reason")


def test_a_damaged_canonical_is_named_by_its_own_release_and_a_red_by_the_wanted_one() -> None:
    damaged = row(state=State.DAMAGED)
    assert problems(damaged) == [("damaged", "3.0.9")]
    assert problems(without_canonical(damaged)) == [("damaged", "")]
    red = tried(Result.RED)
    wanted = evolve(red.finding, want=NEW)
    assert problems(evolve(red, step=evolve(red.step, finding=wanted))) == [("red", NEW.version)]


def test_a_recipe_without_a_row_is_gone_only_after_a_pass_over_the_whole_fleet() -> None:
    told = ("gone", PASS, TIMER)
    whole = seen_in(report_with(row()), told, interrupted=False)
    partial = seen_in(report_with(row(), declared=2), told, interrupted=False)
    assert ("gone" in whole.over, TIMER in whole.over, "gone" in partial.over) == (True, False, False)


def test_a_hollow_pass_is_a_problem_and_an_interrupted_one_says_nothing_of_passes() -> None:
    hollow = seen_in(report_with(), (), interrupted=False)
    assert (hollow.problems[PASS].kind, hollow.problems[PASS].reason) == ("hollow", "nothing is enrolled")
    assert PASS in seen_in(report_with(row()), (), interrupted=False).over
    assert PASS not in seen_in(report_with(row()), (), interrupted=True).over


def test_a_pass_over_some_recipes_neither_makes_nor_ends_a_problem_of_passes() -> None:
    left_out = row(held_back=HeldBack.EXCEPTED)
    expected = ExpectedRecipes(2, {"notes": False}, 1)
    hollow = summarise(run_of(ReportCommand.PASS), expected, [left_out])
    assert hollow.notes == ("nothing is enrolled",)
    for report in (hollow, report_with(row(), declared=2)):
        seen = seen_in(report, (PASS,), interrupted=False)
        assert (PASS in seen.problems, PASS in seen.over) == (False, False)


def test_a_report_that_lacks_a_row_ends_no_problem_of_the_recipe_that_it_lacks() -> None:
    expected = ExpectedRecipes(2, {"notes": True, "wiki": True}, 2)
    lacking = summarise(run_of(ReportCommand.PASS), expected, [row()])
    assert "wiki" not in seen_in(lacking, ("wiki",), interrupted=False).over


def test_a_hollow_pass_is_told_with_what_is_missing_first_however_many_notes_it_has() -> None:
    expected = ExpectedRecipes(0, {}, 0)
    many = [f"note {number} on something else" for number in range(200)]
    hollow = summarise(run_of(ReportCommand.PASS), expected, (), many)
    reason = seen_in(hollow, (), interrupted=False).problems[PASS].reason
    assert reason.startswith("nothing is enrolled; note 0 on something else; note 1 ")
    assert (len(reason), reason.count("nothing is enrolled")) == (2000, 1)


def test_a_row_without_a_canonical_says_so() -> None:
    calm = without_canonical(row(Cause.NEVER_RELEASED, State.NONE))
    assert seen_in(report_with(calm), (), interrupted=False).over["notes"] == "never released, no canonical"


def test_the_timer_is_a_problem_once_the_last_whole_pass_is_too_old() -> None:
    limit = timedelta(days=15)
    fresh, old = (LastWholePass(NOW - timedelta(days=days), limit, NOW) for days in (14, 16))
    assert seen_of_timer(fresh, "14 d ago") == Seen(over={TIMER: "14 d ago"})
    assert seen_of_timer(old, "16 d ago").problems == {TIMER: FleetProblem(TIMER, "stale", "", "16 d ago")}


def test_a_failed_pass_is_a_problem_of_passes_and_joins_what_else_was_seen() -> None:
    failed = failed_pass("the registry is damaged")
    assert failed.problems[PASS] == FleetProblem(PASS, "pass-failed", "", "the registry is damaged")
    joined = both(failed, Seen(over={TIMER: "ended"}))
    assert ({*joined.problems}, {*joined.over}) == ({PASS}, {TIMER})
