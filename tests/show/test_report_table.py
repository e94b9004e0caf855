import re
from collections.abc import Callable

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.findings import Cause, MirrorState
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.outcome import Attempt, Result
from reconciler.core.plan import Action, HeldBack
from reconciler.core.report import Report, ReportCommand
from reconciler.show.escape import width
from reconciler.show.text.clauses import clause, needs_you
from reconciler.show.text.failed_steps import FAILED_RESULTS
from reconciler.show.text.report_table import render_report
from reconciler.show.text.screen import Screen, screen_for
from tests import reports
from tests.expected_documents import golden_text
from tests.reports import calm_report, pass_report, plan_report, report_of, row_after, row_before
from tests.values import NEW, OLD, RED_TIERS, canonical_of, finding_of, step_left, trial_of

FILE = Screen()
SGR = re.compile(r"\x1b\[[0-9]*m")

REPORTS: dict[str, Callable[[], Report]] = {
    "plan": plan_report,
    "drift": lambda: plan_report(ReportCommand.DRIFT),
    "pass": pass_report,
    "calm": calm_report,
}


def heading(text: str) -> list[str]:
    return text.splitlines()[0].split()


def rows(text: str) -> list[str]:
    """The first word of each of the table's rows."""
    return [line.split()[0] for line in text.split("\n\n", maxsplit=1)[0].splitlines()[1:]]


# ---- the whole text ----


@pytest.mark.parametrize("name", REPORTS)
def test_the_text_equals_its_golden_file(name: str) -> None:
    text = render_report(REPORTS[name](), FILE, state="/var/lib/reconcile")
    assert text == golden_text(f"{name}.txt", text)


@pytest.mark.parametrize("name", REPORTS)
def test_the_wide_text_equals_its_golden_file(name: str) -> None:
    text = render_report(REPORTS[name](), FILE, wide=True, state="/var/lib/reconcile")
    assert text == golden_text(f"{name}.wide.txt", text)


@pytest.mark.parametrize("columns", [80, 120])
def test_the_text_on_a_terminal_equals_its_golden_file(columns: int) -> None:
    text = render_report(pass_report(), Screen(columns, colour=True), state="/var/lib/reconcile")
    assert text == golden_text(f"pass.{columns}.ansi", text)


def test_the_handmade_reports_show_every_label() -> None:
    shown = [row for made in REPORTS.values() for row in made().rows]
    assert {row.finding.cause for row in shown} == set(Cause)
    assert {row.finding.status.state for row in shown} == set(State)
    assert {row.finding.mirror for row in shown} == set(MirrorState)
    assert {row.step.action for row in shown} == set(Action)
    assert {row.step.held_back for row in shown} == {None, *HeldBack}
    assert {row.result for row in shown} == set(Result)


# ---- one row for each ----


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("columns", [None, 40, 80, 120, 300])
def test_every_recipe_has_one_row(name: str, columns: int | None, *, wide: bool) -> None:
    made = REPORTS[name]()
    text = render_report(made, Screen(columns), wide=wide)
    assert rows(text) == [row.recipe for row in made.rows]


def test_a_plan_says_what_would_be_done_and_a_pass_what_was_and_what_is_left() -> None:
    names = ["RECIPE", "WANT", "HAVE", "CAUSE", "STATE"]
    assert heading(render_report(plan_report(), FILE)) == [*names, "ACTION", "WHY"]
    assert heading(render_report(plan_report(ReportCommand.DRIFT), FILE)) == [*names, "ACTION", "WHY"]
    assert heading(render_report(pass_report(), FILE)) == [*names, "RESULT", "WHY"]


def test_the_closing_line_comes_last() -> None:
    for made in (plan_report(), pass_report(), calm_report()):
        assert render_report(made, FILE).splitlines()[-1] == made.line


def test_columns_are_aligned_also_beside_wide_characters() -> None:
    long = evolve(NEW, version="1.2.0+漢字")
    text = render_report(
        report_of(
            ReportCommand.PLAN, [row_before(step_left(finding_of("a", Cause.FIRST_RELEASE, long))), *calm_report().rows]
        ),
        FILE,
    )
    table = text.split("\n\n")[0].splitlines()
    starts = {width(line[: line.index(cause)]) for line in table[1:] for cause in Cause if f" {cause} " in line}
    assert starts == {width(table[0][: table[0].index("CAUSE")])}


# ---- nothing to do ----


def test_a_report_without_work_has_the_number_of_checked_recipes() -> None:
    assert "nothing for a pass to do: 2 recipes checked" in render_report(calm_report(), FILE)
    assert "nothing was run: 2 recipes checked" in render_report(calm_report(ReportCommand.PASS), FILE)


def test_a_report_with_work_does_not_say_that_nothing_is_to_do() -> None:
    for made in (plan_report(), pass_report()):
        assert "recipes checked" not in render_report(made, FILE)


# ---- whose turn it is ----


def test_whatever_needs_a_person_says_so() -> None:
    lines = render_report(pass_report(), FILE).split("\n\n")[0].splitlines()
    asking = {line.split()[0] for line in lines if "  needs you" in line}
    assert asking == {"cal", "dokuwiki", "drone", "hedgedoc", "immich", "jitsi", "keycloak", "outline", "pad"}


def test_what_is_held_back_shows_its_cause_and_what_holds_it() -> None:
    text = render_report(plan_report(), FILE, wide=True)
    assert re.search(r"^mumble .* first-release .* excepted +excepted: why it is first-release$", text, re.MULTILINE)
    assert re.search(r"^jitsi .* moved .* needs you +needs you: quarantined: why it is moved$", text, re.MULTILINE)


def test_damage_is_shown_beside_something_graver() -> None:
    text = render_report(plan_report(), FILE, wide=True)
    line = next(line for line in text.splitlines() if line.startswith("lasuite"))
    assert "unobservable" in line
    assert line.endswith("the canonical is damaged: snapshot.tar is not what was sealed")


def test_drift_shows_since_when() -> None:
    since = "why it is new-release; first seen 1 d ago"
    assert since in render_report(plan_report(ReportCommand.DRIFT), FILE, wide=True)
    assert since not in render_report(plan_report(), FILE, wide=True)


def test_drift_tells_since_when_a_deployment_is_down_beside_since_when_there_is_a_release() -> None:
    text = render_report(plan_report(ReportCommand.DRIFT), FILE, wide=True)
    down = "the canonical's deployment is down: service app is gone"
    assert f"why it is in-sync; {down}; last seen up 5 h ago" in text
    assert f"why it is new-release; {down}; first seen 1 d ago; last seen up 5 h ago" in text


def test_a_redeployed_recipe_shows_what_holds_its_release_back() -> None:
    text = render_report(pass_report(), FILE, wide=True)
    (line,) = [line for line in text.splitlines() if line.startswith("dokuwiki  ")]
    assert line.endswith("needs you: red-before: 1.1.0+2.2.0 is up again; why it is new-release")


# ---- what failed ----


def block(name: str, made: Report) -> str:
    """The lines told of a recipe below the table."""
    parts = render_report(made, FILE, state="/var/lib/reconcile").split("\n\n")
    return next(part for part in parts if part.startswith(f"{name}: "))


def test_a_red_recipe_shows_its_tier_last_lines_log_and_next_try() -> None:
    told = block("cal", pass_report())
    assert "upgrade failed after 1 min 20 s: data.check exited 1" in told
    assert "| sqlite3.OperationalError: no such column: body\n    | exit status 1" in told
    assert "/var/lib/reconcile/logs/cal/20260302T040000.cal (reconcile logs cal)" in told
    assert "there is a newer release" in told
    assert "reconcile --retry cal" in told
    assert "1.1.0+2.2.0, unchanged, intact" in told


def test_only_the_end_of_a_long_output_is_shown() -> None:
    step = step_left(finding_of("cal", Cause.NEW_RELEASE, NEW, canonical_of("cal")))
    tail = tuple(f"line {number}" for number in range(100))
    failed = evolve(trial_of("cal", RED_TIERS), tail=tail)
    told = block(
        "cal", report_of(ReportCommand.PASS, [row_after(step, Result.RED, "red", Attempt(failed), canonical_of("cal"))])
    )
    assert [line.strip() for line in told.splitlines() if "| " in line] == [f"| line {each}" for each in range(85, 100)]


def test_green_away_from_home_names_the_command_that_would_promote() -> None:
    told = block("drone", pass_report())
    assert told.startswith("drone: green-not-promoted")
    assert told.endswith("next       run: systemctl start reconcile.service")


def test_the_host_is_blamed_and_not_the_recipe() -> None:
    told = block("gitea", pass_report())
    assert "required and missing here: git-lfs" in told
    assert "the recipe is not to blame" in told
    assert "--retry" not in told


def test_a_canonical_that_changed_is_not_called_unchanged() -> None:
    step = step_left(finding_of("cal", Cause.NEW_RELEASE, NEW, canonical_of("cal")))
    other = evolve(canonical_of("cal"), generation=2)
    failed = trial_of("cal", RED_TIERS)
    told = block("cal", report_of(ReportCommand.PASS, [row_after(step, Result.RED, "red", Attempt(failed), other)]))
    assert "canonical  1.1.0+2.2.0, intact" in told


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


@pytest.mark.parametrize("name", [*REPORTS, "long"])
def test_in_a_file_no_clause_is_cut(name: str) -> None:
    made = with_long_versions(plan_report()) if name == "long" else REPORTS[name]()
    table = render_report(made, Screen(None)).split("\n\n")[0].splitlines()
    assert [line for line in table if line.endswith("…")] == []


@pytest.mark.parametrize("made", [plan_report(), pass_report()], ids=["plan", "pass"])
def test_what_a_clause_does_not_say_is_said_in_full_below_the_table(made: Report) -> None:
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
