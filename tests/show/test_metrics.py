"""Metrics of a report, read by Prometheus's own parser of its text format."""

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.drift import differences
from reconciler.core.last_pass import LastWholePass
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, ReportCommand
from reconciler.show.documents.metrics import METRICS, MetricsInput, metrics_text
from tests.core.attempt_strategies import acting_steps, rows
from tests.reports import pass_report, plan_report, report_of
from tests.values import NOW

parser = pytest.importorskip("prometheus_client.parser")

LAST = LastWholePass(NOW - timedelta(days=3), timedelta(days=15), NOW)
KNOWN = MetricsInput("ci", LAST, {"cal": 75.5}, {})

Series = tuple[str, frozenset[tuple[str, str]]]


def parsed(report: Report, known: MetricsInput = KNOWN) -> Mapping[Series, float]:
    """Return the value of each series, without the labels of the job. Fails if a series occurs twice."""
    found: dict[Series, float] = {}
    for family in parser.text_string_to_metric_families(metrics_text(report, known)):
        assert (family.type, family.documentation) == ("gauge", METRICS[family.name])
        for sample in family.samples:
            labels = dict(sample.labels)
            assert (labels.pop("fleet"), labels.pop("command")) == (known.fleet, report.run.command)
            series = (sample.name, frozenset(labels.items()))
            assert series not in found
            found[series] = sample.value
    return found


def series(name: str, **labels: str) -> Series:
    return f"canon_{name}", frozenset(labels.items())


def test_a_pass_shows_its_end_its_exit_code_and_the_last_whole_pass() -> None:
    found = parsed(pass_report())
    assert found[series("run_finished_timestamp_seconds")] == NOW.timestamp()
    assert found[series("run_duration_seconds")] == 180
    assert found[series("run_exit_code")] == pass_report().exit_code
    assert found[series("last_whole_pass_timestamp_seconds")] == NOW.timestamp() - 3 * 86400
    assert found[series("stale_after_seconds")] == 15 * 86400


def test_an_unknown_value_has_no_series() -> None:
    found = parsed(plan_report(), MetricsInput("ci", LastWholePass(None, None, NOW), {}, {}))
    names = {name for name, _ in found}
    unknown = {"last_whole_pass_timestamp_seconds", "stale_after_seconds", "recipe_trial_seconds"}
    assert names.isdisjoint({f"canon_{name}" for name in unknown})


def test_every_recipe_has_its_result_its_hold_and_its_size() -> None:
    report = pass_report()
    found = parsed(report)
    for row in report.rows:
        assert found[series("recipe_result", recipe=row.recipe, result=row.result)] == 1
        held = {
            dict(labels)["reason"]
            for name, labels in found
            if name == "canon_recipe_held_back" and dict(labels)["recipe"] == row.recipe
        }
        assert held == ({row.step.held_back} if row.step.held_back else set())
        if row.finding.have is not None:
            assert found[series("recipe_data_bytes", recipe=row.recipe)] == row.finding.have.seal.bytes
            assert found[series("recipe_snapshot_bytes", recipe=row.recipe)] == row.finding.have.seal.packed
    assert found[series("recipe_trial_seconds", recipe="cal")] == 75.5
    assert any(row.step.held_back for row in report.rows)


def test_drift_is_counted_by_kind_without_excepted_recipes_and_has_its_time() -> None:
    report = plan_report(ReportCommand.DRIFT)
    enrolled = [row for row in report.rows if row.step.held_back is not HeldBack.EXCEPTED]
    expected = Counter(each.what for row in enrolled for each in differences(row.finding))
    name, kind = next((row.recipe, each.what) for row in enrolled for each in differences(row.finding))
    found = parsed(report, evolve(KNOWN, drift_since={name: {kind: NOW, "ended-meanwhile": NOW}}))
    counts = {
        dict(labels)["kind"]: value
        for metric, labels in found
        if metric == "canon_drift"
        for value in [found[metric, labels]]
    }
    assert {kind: count for kind, count in counts.items() if count} == expected
    assert found[series("recipe_drift_since_timestamp_seconds", recipe=name, kind=kind)] == NOW.timestamp()
    assert len([metric for metric, _ in found if metric == "canon_recipe_drift_since_timestamp_seconds"]) == 1


@given(acting_steps().flatmap(rows), st.text(st.characters(codec="utf-8")), st.floats(0, 1e9))
def test_any_report_of_any_fleet_is_read_back_as_it_was_counted(row: object, fleet: str, seconds: float) -> None:
    report = report_of(ReportCommand.PASS, [row])  # type: ignore[list-item]  # a row, drawn
    name = report.rows[0].recipe
    found = parsed(report, evolve(KNOWN, fleet=fleet, trial_seconds={name: seconds}))
    groups = {dict(labels)["group"]: value for (metric, labels), value in found.items() if metric == "canon_recipes"}
    assert groups == report.counts
    assert found[series("recipe_trial_seconds", recipe=name)] == seconds
    assert found[series("recipe_result", recipe=name, result=report.rows[0].result)] == 1


def test_a_doubled_row_makes_no_doubled_series() -> None:
    (row, *_) = pass_report().rows
    twice = report_of(ReportCommand.PASS, [row, row])
    assert twice.exit_code == 5
    assert parsed(twice)[series("run_exit_code")] == 5


def test_a_name_that_is_no_text_is_written_with_an_escape() -> None:
    text = metrics_text(pass_report(), evolve(KNOWN, fleet='a\udcff"\\\n'))
    assert r'{fleet="a\\udcff\"\\\n",command="pass"}' in text
