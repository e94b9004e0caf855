"""Writes a report in Prometheus's text format, for the textfile collector of node_exporter."""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.core.drift import SIDES, differences
from reconciler.core.last_pass import LastWholePass
from reconciler.core.outcome import Result
from reconciler.core.plan import HeldBack
from reconciler.core.report import Report, Row

METRICS: Final[Mapping[str, str]] = {
    "canon_run_finished_timestamp_seconds": "When this run ended, in seconds since the epoch.",
    "canon_run_duration_seconds": "How long this run took.",
    "canon_run_exit_code": "The exit code of this run.",
    "canon_last_whole_pass_timestamp_seconds": "When the last whole pass ended, in seconds since the epoch.",
    "canon_stale_after_seconds": "How old the last whole pass may be, as the fleet declares.",
    "canon_run_recipes": "The number of recipes at each stage of this run.",
    "canon_recipes": "The number of recipes of this run by the group in which they are counted.",
    "canon_results": "The number of recipes of this run by result.",
    "canon_drift": "The number of recipes that differ, by the kind of difference.",
    "canon_recipe_result": "1 for the result of a recipe in this run.",
    "canon_recipe_drift": "1 for each kind of difference of a recipe.",
    "canon_recipe_drift_since_timestamp_seconds": "When a pass first saw this difference, in seconds since the epoch.",
    "canon_recipe_held_back": "1 for the reason why nothing is done about a recipe.",
    "canon_recipe_needs_person": "Whether a recipe needs a decision of a person.",
    "canon_recipe_trial_seconds": "How long the last trial of a recipe in a pass took.",
    "canon_recipe_data_bytes": "The size of a canonical's data, unpacked.",
    "canon_recipe_snapshot_bytes": "The size of a canonical's snapshot on disk.",
}
"""Every metric with its help text. All are gauges. Their order is that of the file."""

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Mapping[str, str], float]


@frozen
class MetricsInput:
    """What metrics show besides the report of a run.

    * `fleet`: the name of the fleet.
    * `last`: the last pass over the whole fleet.
    * `trial_seconds`: how long the last trial of each recipe took, in seconds.
    * `drift_since`: for each recipe, the kinds of its differences, each with the time when a pass first saw it.
    """

    fleet: str
    last: LastWholePass
    trial_seconds: Mapping[str, float]
    drift_since: Mapping[str, Mapping[str, datetime]]


def metrics_text(report: Report, known: MetricsInput) -> str:
    """Return the report as text in Prometheus's format. `known` is what the metrics show besides the report.

    Every series has the labels `fleet` and `command`, so that the files of several jobs on one host do not collide. No
    series occurs twice.
    """
    job = {"fleet": known.fleet, "command": report.run.command.value}
    values: dict[str, dict[Labels, float]] = {name: {} for name in METRICS}
    for name, labels, value in (*_of_run(report, known), *_of_recipes(report, known)):
        values[name][tuple({**job, **labels}.items())] = value
    return "".join(line for name, series in values.items() if series for line in _lines(name, series))


def _of_run(report: Report, known: MetricsInput) -> Iterator[Sample]:
    """Yield each sample about the whole run, as a tuple: name of the metric, labels, value.

    `known` has what the metrics show besides the report.
    """
    run, population = report.run, report.population
    yield "canon_run_finished_timestamp_seconds", {}, run.finished_at.timestamp()
    yield "canon_run_duration_seconds", {}, (run.finished_at - run.started_at).total_seconds()
    yield "canon_run_exit_code", {}, report.exit_code
    if known.last.finished_at is not None:
        yield "canon_last_whole_pass_timestamp_seconds", {}, known.last.finished_at.timestamp()
    if known.last.stale_after is not None:
        yield "canon_stale_after_seconds", {}, known.last.stale_after.total_seconds()
    for stage in ("declared", "selected", "enrolled", "excepted", "observed", "decided", "reported", "to_try", "tried"):
        yield "canon_run_recipes", {"stage": stage}, getattr(population, stage)
    yield from (("canon_recipes", {"group": bucket.value}, count) for bucket, count in report.counts.items())
    results = Counter(row.result for row in report.rows)
    yield from (("canon_results", {"result": result.value}, results[result]) for result in Result)
    kinds = Counter(kind for row in report.rows for kind in _kinds(row))
    yield from (("canon_drift", {"kind": kind}, kinds[kind]) for kind in SIDES)


def _of_recipes(report: Report, known: MetricsInput) -> Iterator[Sample]:
    """Yield each sample about a recipe, as a tuple: name of the metric, labels with the recipe's name, value.

    `known` has what the metrics show besides the report.
    """
    for row in report.rows:
        for name, labels, value in _of_recipe(row, known):
            yield name, {"recipe": row.recipe, **labels}, value


def _of_recipe(row: Row, known: MetricsInput) -> Iterator[Sample]:
    """Yield each sample about one recipe, as a tuple: name of the metric, labels without the recipe's name, value.

    `known` has what the metrics show besides the report.
    """
    yield "canon_recipe_result", {"result": row.result.value}, 1
    since = known.drift_since.get(row.recipe, {})
    for kind in _kinds(row):
        yield "canon_recipe_drift", {"kind": kind}, 1
        if kind in since:
            yield "canon_recipe_drift_since_timestamp_seconds", {"kind": kind}, since[kind].timestamp()
    if row.step.held_back is not None:
        yield "canon_recipe_held_back", {"reason": row.step.held_back.value}, 1
    yield "canon_recipe_needs_person", {}, int(row.step.needs_person)
    if row.recipe in known.trial_seconds:
        yield "canon_recipe_trial_seconds", {}, known.trial_seconds[row.recipe]
    if row.finding.have is not None:
        yield "canon_recipe_data_bytes", {}, row.finding.have.seal.bytes
        yield "canon_recipe_snapshot_bytes", {}, row.finding.have.seal.packed


def _kinds(row: Row) -> tuple[str, ...]:
    """Return the kinds of a recipe's differences, such as "new-release".

    Return () if the recipe is not enrolled, because then nothing has to be done about its differences.
    """
    if row.step.held_back is HeldBack.EXCEPTED:
        return ()
    return tuple(difference.what for difference in differences(row.finding))


def _lines(name: str, series: Mapping[Labels, float]) -> Iterator[str]:
    """Yield the lines of one metric: its help, its type, and a line for each series, which has labels and a value."""
    yield f"# HELP {name} {METRICS[name]}\n# TYPE {name} gauge\n"
    for labels, value in series.items():
        pairs = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels)
        yield f"{name}{{{pairs}}} {value!r}\n"


def _escaped(text: str) -> str:
    r"""Return `text` in the form that the value of a label has: backslashes, newlines and `"` are escaped.

    A lone surrogate, which UTF-8 cannot contain, becomes text such as "\udcff".
    """
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
