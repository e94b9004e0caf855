import re

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.findings import Cause
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.outcome import Attempt, Result
from reconciler.core.report import Report, ReportCommand, Row
from reconciler.show.escape import width
from reconciler.show.text.clauses import clause, needs_you
from reconciler.show.text.failed_steps import FAILED_RESULTS
from reconciler.show.text.report_table import render_report
from reconciler.show.text.screen import Screen, screen_for
from tests import reports
from tests.reports import pass_report, plan_report, report_of, row_after, row_before
from tests.show.table_reports import FILE, REPORTS, heading
from tests.values import NEW, OLD, RED_TIERS, canonical_of, circumstances, finding_of, red, step_left, trial_of

SGR = re.compile(r"\x1b\[[0-9]*m")


# ---- terminals ----


def test_only_a_terminal_gets_colour_and_not_when_it_is_unwanted() -> None:
    assert screen_for(80, {}, no_color=False) == Screen(80, colour=True)
    assert screen_for(80, {"NO_COLOR": ""}, no_color=False).colour
    for environ in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert not screen_for(80, environ, no_color=False).colour
    assert not screen_for(80, {}, no_color=True).colour
    assert not screen_for(None, {}, no_color=False).colour


def with_long_versions(made: Report) -> Report:
    """Return the report with versions and names as long as the longest that real recipes have."""
    long = evolve(NEW, version="13.16.10+1.25.10-rootless-2026.11.29")
    rows = [
        evolve(row, step=evolve(row.step, finding=evolve(row.finding, want=long, recipe=f"{row.recipe:x<15}")))
        for row in made.rows
        if row.finding.want == NEW
    ]
    return evolve(made, rows=tuple(rows))


@pytest.mark.parametrize("columns", [100, 120, 160])
@pytest.mark.parametrize("name", [*REPORTS, "long"])
def test_an_ordinary_table_is_no_wider_than_the_terminal(name: str, columns: int) -> None:
    made = with_long_versions(plan_report()) if name == "long" else REPORTS[name]()
    table = render_report(made, Screen(columns)).split("\n\n")[0].splitlines()
    assert heading("\n".join(table))[-1] == "WHY"
    assert max(map(width, table)) <= columns


ROWS = [row for made in (plan_report(), pass_report()) for row in made.rows]


@given(
    st.sampled_from((ReportCommand.PLAN, ReportCommand.DRIFT, ReportCommand.PASS)),
    st.lists(st.sampled_from(ROWS), min_size=1),
    st.integers(0, 30),
    st.text(st.sampled_from("0123456789.+"), max_size=60),
)
def test_on_a_terminal_of_80_columns_every_clause_is_whole(
    command: ReportCommand, drawn: list[Row], longest: int, version: str
) -> None:
    found = [evolve(row.finding, recipe=f"{row.recipe:x<{longest}}") for row in drawn]
    wanted = [evolve(each, want=evolve(NEW, version=version)) if each.want == NEW else each for each in found]
    steps = [evolve(row, step=evolve(row.step, finding=each)) for row, each in zip(drawn, wanted, strict=True)]
    text = render_report(report_of(command, steps), Screen(80))
    title, *table = text.split("\n\n")[0].splitlines()
    lacking = [each for each in heading(render_report(report_of(command, steps), FILE)) if each not in heading(title)]
    assert lacking == [] or f"\n\n(no room for {', '.join(lacking)}; all columns: -o wide)\n" in text
    lines = zip(table, sorted(steps, key=lambda row: row.recipe), strict=True)
    assert all(line.endswith(f"  {clause(row)}") for line, row in lines)
    assert max(map(width, [title, *table])) <= 80
    assert {"RECIPE", "WHY"} <= {*heading(title)}


def test_what_is_left_out_of_a_narrow_table_is_named() -> None:
    table, below, *_ = render_report(plan_report(), Screen(85)).split("\n\n")
    assert heading(table) == ["RECIPE", "WANT", "HAVE", "STATE", "ACTION", "WHY"]
    assert below.splitlines()[0] == "(no room for CAUSE; all columns: -o wide)"
    assert "no room" not in render_report(plan_report(), Screen(100))


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("columns", [None, 100, 160])
def test_a_file_and_a_terminal_of_100_columns_have_all_columns(name: str, columns: int | None) -> None:
    made = REPORTS[name]()
    table = render_report(made, Screen(columns)).split("\n\n")[0]
    acting = "RESULT" if made.run.command is ReportCommand.PASS else "ACTION"
    assert heading(table) == ["RECIPE", "WANT", "HAVE", "CAUSE", "STATE", acting, "WHY"]


@pytest.mark.parametrize("name", [*REPORTS, "long"])
def test_in_a_file_no_clause_is_cut(name: str) -> None:
    made = with_long_versions(plan_report()) if name == "long" else REPORTS[name]()
    table = render_report(made, Screen(None)).split("\n\n")[0].splitlines()
    assert [line for line in table if line.endswith("…")] == []


@pytest.mark.parametrize("made", [plan_report(), pass_report()], ids=["plan", "pass"])
def test_the_whole_reason_of_a_short_clause_is_below_the_table(made: Report) -> None:
    text = render_report(made, FILE)
    below = {line.partition(":")[0] for line in text.split("\n\n")[1].splitlines()}
    assert {row.recipe for row in made.rows if needs_you(row) and row.result not in FAILED_RESULTS} <= below
    assert "etherpad" not in below
    assert "more, with what would change it: reconcile explain NAME" in text


@pytest.mark.parametrize("name", REPORTS)
def test_every_clause_says_in_24_columns_what_is_to_be_done(name: str) -> None:
    for row in REPORTS[name]().rows:
        said = clause(row)
        assert 0 < len(said) <= 24
        assert said.startswith("needs you") == needs_you(row)


def test_a_release_that_was_green_and_not_promoted_before_is_not_called_red_in_the_table() -> None:
    failed = red(NEW.version, circumstances(NEW.commit))
    refused = evolve(failed, reason="green, not promoted: way-back: no to 1.0.0")
    [row] = [each for each in plan_report().rows if each.recipe == "outline"]
    said = {words: clause(evolve(row, step=evolve(row.step, red=words))) for words in (failed, refused)}
    assert said == {failed: "needs you: was red", refused: "needs you: not promoted"}
    assert max(map(len, said.values())) <= 24


def test_colour_does_not_change_the_text() -> None:
    plain = render_report(pass_report(), Screen(120))
    assert SGR.sub("", render_report(pass_report(), Screen(120, colour=True))) == plain


# ---- hostile words ----

HOSTILE = "\x1b[2J\x1b]0;x\x07\r\u202epwned\n\x9b\u2028\ud800"


def poisoned() -> Report:
    """Hostile words wherever a word comes from outside."""
    evil = evolve(OLD, version=f"1.0.0{HOSTILE}")
    look = CanonicalStatus(State.DAMAGED, HOSTILE)
    lost = finding_of(f"a{HOSTILE}", Cause.UNOBSERVABLE, None, canonical_of("a", evil, [HOSTILE]), look)
    seen = evolve(lost, reason=HOSTILE, vanished=(HOSTILE,))
    failed = [evolve(each, reason=HOSTILE) for each in RED_TIERS]
    bad = evolve(trial_of("b", failed), tail=(HOSTILE,), log=HOSTILE, findings=(HOSTILE,), id=HOSTILE)
    step = step_left(evolve(finding_of("b", Cause.NEW_RELEASE, evil, canonical_of("b", evil)), reason=HOSTILE))
    gate = tuple(evolve(each, evidence=HOSTILE) for each in reports.GATE)
    red = row_after(step, Result.RED, HOSTILE, Attempt(bad, gate), canonical_of("b", evil))
    other = row_after(step, Result.GREEN_NOT_PROMOTED, HOSTILE, Attempt(trial_of("b"), gate, gate), None)
    return report_of(
        ReportCommand.PASS,
        [row_before(step_left(seen)), red, evolve(other, step=evolve(step, finding=lost))],
        [HOSTILE],
    )


@given(st.sampled_from([None, 30, 90, 200]), st.booleans(), st.booleans())
def test_no_text_from_outside_controls_the_terminal(columns: int | None, wide: bool, colour: bool) -> None:  # noqa: FBT001
    text = render_report(poisoned(), Screen(columns, colour=colour), wide=wide, state="/state")
    assert SGR.sub("", text).replace("\n", "").isprintable()
    assert "pwned" in text


def test_tags_that_look_newer_are_named_once_in_the_normal_view() -> None:
    newer = evolve(finding_of("swarmpit", Cause.IN_SYNC, OLD, canonical_of("swarmpit")), unread=("1.10",))
    told = "tags that look newer and are not read: 1.10 (a release is named x.y.z or x.y.z+APP)"
    assert f"note: swarmpit: {told}" in render_report(
        report_of(ReportCommand.PLAN, [row_before(step_left(newer))]), FILE
    )
    never = evolve(newer, cause=Cause.NEVER_RELEASED)
    assert told not in render_report(report_of(ReportCommand.PLAN, [row_before(step_left(never))]), FILE)
