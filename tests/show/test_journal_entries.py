"""What a run tells systemd's journal."""

import re

import pytest
from attrs import evolve
from hypothesis import given

from reconciler.core.drift import differences
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, ReportCommand, Row
from reconciler.show.documents.journal_entries import MESSAGE_IDS, outcome_entry, report_entries
from tests.core.attempt_strategies import acting_steps, rows
from tests.reports import calm_report, pass_report, plan_report, report_of


def test_every_kind_of_entry_has_a_message_id_of_its_own() -> None:
    assert set(MESSAGE_IDS) == {*Result, "hollow", "drift"} - {Result.NONE}
    assert len(set(MESSAGE_IDS.values())) == len(MESSAGE_IDS)
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in MESSAGE_IDS.values())


@pytest.mark.parametrize("row", [row for row in pass_report().rows if row.outcome is not None])
def test_an_outcome_names_recipe_version_and_result(row: Row) -> None:
    assert row.outcome is not None
    entry = outcome_entry(row.outcome)
    if row.result is Result.NONE:
        assert entry is None
        return
    assert entry is not None
    assert (entry["RECIPE"], entry["RESULT"]) == (row.recipe, row.result)
    assert entry["MESSAGE_ID"] == MESSAGE_IDS[row.result]
    release = row.outcome.step.release
    assert entry.get("VERSION") == (release.version if release else None)
    assert entry["MESSAGE"].startswith(row.recipe)


@given(acting_steps().flatmap(rows))
def test_every_entry_is_one_line_of_ascii_names_and_printable_values(row: Row) -> None:
    report = report_of(ReportCommand.PASS, [row])
    entries = [*report_entries(report)]
    if row.outcome is not None and (entry := outcome_entry(row.outcome)):
        entries.append(entry)
    for each in entries:
        assert all(re.fullmatch("[A-Z][A-Z_]*", name) for name in each)
        assert all(value and value.isprintable() for value in each.values())


@pytest.mark.parametrize("report", [plan_report(ReportCommand.DRIFT), pass_report(), calm_report()])
def test_each_difference_of_an_enrolled_recipe_is_an_entry(report: Report) -> None:
    found = [(entry["RECIPE"], entry["DRIFT"]) for entry in report_entries(report) if entry["RESULT"] == "drift"]
    assert found == [
        (row.recipe, each.what)
        for row in report.rows
        if row.step.held_back is not HeldBack.EXCEPTED
        for each in differences(row.finding)
    ]


def test_a_hollow_run_is_an_error_in_the_journal() -> None:
    (entry,) = report_entries(report_of(ReportCommand.PASS, []))
    assert (entry["RESULT"], entry["PRIORITY"]) == ("hollow", "3")
    assert "nothing is enrolled" in entry["MESSAGE"]


def test_a_hollow_run_says_what_is_missing_before_its_many_notes() -> None:
    hollow = report_of(ReportCommand.PASS, [])
    many = [f"note {number} on something else" for number in range(200)]
    (entry,) = report_entries(evolve(hollow, notes=(*many, *hollow.notes)))
    assert entry["MESSAGE"].startswith("hollow: nothing is enrolled; note 0 on something else")
