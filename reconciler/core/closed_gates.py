"""Finds the ways that keep a green release from being promoted, and what would change that."""

from collections.abc import Iterable, Sequence

from attrs import evolve

from desired.model import Release, WayName
from reconciler.core.blockers import Actor, Blocker, Change
from reconciler.core.case import Case
from reconciler.core.events import Event
from reconciler.core.evidence_gate import conditions_of_ways, green_trial
from reconciler.core.gate import is_closed_way, way_condition_name
from reconciler.core.reds import red_of_wanted


def with_gates(case: Case, blockers: Iterable[Blocker], events: Sequence[Event]) -> tuple[Blocker, ...]:
    """Return the blockers. If a closed way blocks a green release, say so in its blocker, with the gate to remove.

    `events` are those of the recipe.
    """
    observed, red = case.observation, red_of_wanted(case)
    if observed is None or red is None or green_trial(red, events) is None:
        return tuple(blockers)
    known = conditions_of_ways(observed, Release(red.version, red.circumstances.commit), None, events)
    names = {way: way_condition_name(way) for way in observed.recipe.ways.gates}
    closed = [way for way in WayName if way in names and is_closed_way(known[names[way]])]
    if not closed:
        return tuple(blockers)
    fact = f"`[ways] gates` in {observed.recipe.folder}/recipe.toml no longer names {', '.join(closed)}"
    change = Change(fact, Actor.YOU)
    return tuple(evolve(each, any_of=(*each.any_of, change)) if each.name == "not-red" else each for each in blockers)
