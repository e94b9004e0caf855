import re

import pytest
from attrs import evolve

from desired.model import WayName
from desired.releases import Release
from reconciler.core.findings import Cause, MirrorState
from reconciler.core.observation import State
from reconciler.core.outcome import Attempt, Result
from reconciler.core.plan import Action, HeldBack
from reconciler.core.report import Report, ReportCommand
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import WayResult
from reconciler.show.escape import width
from reconciler.show.text.report_table import render_report
from reconciler.show.text.screen import Screen
from tests.expected_documents import golden_text
from tests.reports import calm_report, pass_report, plan_report, report_of, row_after, row_before
from tests.show.table_reports import FILE, REPORTS, heading, rows
from tests.values import NEW, RED_TIERS, canonical_of, finding_of, step_left, trial_of

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
    assert "no release for a pass to try: 2 recipes checked" in render_report(calm_report(), FILE)
    calm = calm_report(ReportCommand.PASS)
    assert "nothing was run: 2 recipes checked" in render_report(calm, FILE)
    stop = WayResult("notes", WayName.STOP, WayAnswer.YES, Release("1.0.0", "a" * 40))
    tried = evolve(calm, rows=(evolve(calm.rows[0], ways=(stop,)), *calm.rows[1:]))
    assert "nothing was run" not in render_report(tried, FILE)


def test_a_report_with_work_does_not_say_that_nothing_is_to_do() -> None:
    for made in (plan_report(), pass_report()):
        assert "recipes checked" not in render_report(made, FILE)


# ---- whose turn it is ----


def test_whatever_needs_a_person_says_so() -> None:
    lines = render_report(pass_report(), FILE).split("\n\n")[0].splitlines()
    asking = {line.split()[0] for line in lines if "  needs you" in line}
    assert asking == {"cal", "dokuwiki", "drone", "hedgedoc", "immich", "jitsi", "keycloak", "outline", "pad", "umap"}


def test_a_recipe_that_is_held_back_shows_its_cause_and_what_holds_it() -> None:
    text = render_report(plan_report(), FILE, wide=True)
    assert re.search(r"^mumble .* first-release .* excepted +excepted: why it is first-release$", text, re.MULTILINE)
    assert re.search(r"^jitsi .* moved .* needs you +needs you: quarantined: why it is moved$", text, re.MULTILINE)


def test_damage_is_shown_together_with_a_graver_cause() -> None:
    text = render_report(plan_report(), FILE, wide=True)
    line = next(line for line in text.splitlines() if line.startswith("lasuite"))
    assert "unobservable" in line
    assert line.endswith("the canonical is damaged: snapshot.tar is not what was sealed")


def test_drift_shows_since_when() -> None:
    since = "why it is new-release; first seen 1 d ago"
    assert since in render_report(plan_report(ReportCommand.DRIFT), FILE, wide=True)
    assert since not in render_report(plan_report(), FILE, wide=True)


def test_drift_shows_since_when_a_deployment_is_down_and_since_when_there_is_a_release() -> None:
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


def test_a_green_release_outside_the_unit_names_the_command_that_would_promote() -> None:
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
