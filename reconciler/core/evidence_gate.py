"""Judges the gate's conditions by the records of an earlier trial: of the canonical, or of a remembered red."""

from collections.abc import Sequence

from attrs import evolve

from desired.releases import Release
from reconciler.core.case import Case
from reconciler.core.events import Event, text_of
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition, ConditionStatus, way_conditions
from reconciler.core.known_ways import answers_of_passes
from reconciler.core.observation import Observation, tags_to_mirror
from reconciler.core.reds import red_of_wanted
from reconciler.core.trial_base import base_for
from reconciler.core.way_records import WAY_LINE, recorded_way
from reconciler.core.ways import GatingWays, RecordedWay, older_release, upgraded_from
from state.records import Canonical, Red

PASS, FAIL = ConditionStatus.PASS, ConditionStatus.FAIL


def evidence_gate(case: Case, events: Sequence[Event]) -> tuple[Condition, ...]:
    """Return the conditions of the gate in their order. A condition that is OPEN is judged by an earlier trial.

    * If the recipe is in sync: by the trial that proved the canonical.
    * Else: by the trial that made the wanted release red. Without such a trial, the conditions stay OPEN.

    `events` are the events of the recipe.
    """
    have, red, observed = case.step.finding.have, red_of_wanted(case), case.observation
    if observed is None:
        return case.gate
    if case.step.finding.cause is Cause.IN_SYNC and have is not None:
        release = Release(have.version, have.commit)
        base = upgraded_from(have, tags_to_mirror(observed))
        known = {**_of_canonical(have), **conditions_of_ways(observed, release, base, events)}
    elif red is not None:
        release = Release(red.version, red.circumstances.commit)
        base = base_for(observed, release).release
        known = {**_of_red(red, events), **conditions_of_ways(observed, release, base, events)}
    else:
        known = {}
    return tuple(known.get(each.name, each) if each.status is ConditionStatus.OPEN else each for each in case.gate)


def recorded_ways_in(events: Sequence[Event]) -> tuple[RecordedWay, ...]:
    """Return the results of ways among the events of one recipe, in the same order."""
    found = (recorded_way(each.recipe, each.at, each.body) for each in events if each.kind == WAY_LINE)
    return tuple(each for each in found if each is not None)


def conditions_of_ways(
    observed: Observation, release: Release, base: Release | None, events: Sequence[Event]
) -> dict[str, Condition]:
    """Return the conditions on the ways on which a promotion depends, by name of the condition.

    The conditions are judged by the newest answers that passes recorded for `release`.

    * `base`: the release from which `release` was upgraded; None if that is not known.
    * `events`: the events of the recipe.
    """
    if not observed.recipe.ways.gates:
        return {}
    answers = answers_of_passes(recorded_ways_in(events), release.version, release.commit)
    nothing_older = older_release(release, base, tags_to_mirror(observed)) is None
    conditions = way_conditions(observed.recipe, GatingWays(answers, nothing_older))
    return {each.name: each for each in conditions}


def _of_canonical(have: Canonical) -> dict[str, Condition]:
    """Return the conditions that were met when the canonical was promoted, by name. Their evidence names the trial."""
    proof = have.evidence
    trial = f"trial {proof.trial} of {proof.finished_at:%Y-%m-%d}"
    return {
        "green": Condition("green", PASS, f"level {proof.level} in {trial}"),
        "cold": Condition("cold", PASS, f"{trial} was promoted, which a trial that is not cold cannot be"),
        "not-ref": Condition("not-ref", PASS, f"pass {proof.pass_id} ({proof.place.trigger}) chose the release"),
        "tagged": Condition("tagged", PASS, f"{have.version} names {have.commit[:7]}, the tested commit"),
    }


def _of_red(red: Red, events: Sequence[Event]) -> dict[str, Condition]:
    """Return the conditions "green" and "not-ref", by name, judged by the trial behind `red`.

    "green" fails if that trial failed. It is met if the trial passed: then the red only records that the gate refused
    the release. "not-ref" is always met: only a pass records a red. `events` are the events of the recipe.
    """
    if (trial := green_trial(red, events)) is not None:
        level = text_of(trial.body, "level")
        green = Condition("green", PASS, f"level {level} in trial {red.trial}; yet it was not promoted: {red.reason}")
    else:
        green = Condition("green", FAIL, f"{red.reason} (trial {red.trial})")
    return {"green": green, "not-ref": evolve(green, name="not-ref", status=PASS, evidence="a pass chose the release")}


def green_trial(red: Red, events: Sequence[Event]) -> Event | None:
    """Return the event of the trial behind `red` if that trial was green; None if it failed, or is not in `events`.

    In a green trial, no tier failed. A red can have a green trial: then the gate refused the release, and `red`
    prevents a new try of the release. `events` are the events of the recipe.
    """
    trial = next((each for each in events if each.kind == "trial" and text_of(each.body, "trial") == red.trial), None)
    return trial if trial is not None and text_of(trial.body, "result") == "green-not-promoted" else None
