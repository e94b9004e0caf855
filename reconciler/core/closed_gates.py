"""Finds the ways that keep a green release from being promoted, and what would change that."""

from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve

from desired.model import WayName
from desired.releases import Release
from reconciler.core.blocker import Actor, Blocker, Change
from reconciler.core.case import Case
from reconciler.core.events import Event
from reconciler.core.evidence_gate import conditions_of_ways, green_trial
from reconciler.core.findings import Cause
from reconciler.core.gate import is_closed_way, way_condition_name
from reconciler.core.observation import Observation
from reconciler.core.reds import red_of_wanted
from reconciler.core.step_reasons import unsigned_older
from reconciler.core.trial_base import base_for


def with_gates(case: Case, blockers: Iterable[Blocker], events: Sequence[Event]) -> tuple[Blocker, ...]:
    """Return `blockers`, changed by what is known of the ways in the recipe's `[ways] gates`.

    * If the wanted release passed its trial, but was not promoted because some of these ways have the answer NO: one
      more change can remove the blocker "not-red". The change is that `[ways] gates` no longer names the ways with NO.
    * If the way back is one of these ways, and leads to a release without a good signature: one more blocker is added.

    For an orphan, nothing is changed. `events` are the events of the recipe.
    """
    observed = case.observation
    if observed is None:
        return tuple(blockers)
    closed, unproved = _closed(case, observed, events), tuple(_unproved(case, observed))
    change = Change(_without(observed, closed), Actor.YOU)
    changed = (
        evolve(each, any_of=(*each.any_of, change)) if closed and each.name == "not-red" else each for each in blockers
    )
    return (*changed, *unproved)


def _without(observed: Observation, ways: Iterable[WayName]) -> str:
    return f"`[ways] gates` in {observed.recipe.folder}/recipe.toml no longer names {', '.join(ways)}"


def _closed(case: Case, observed: Observation, events: Sequence[Event]) -> tuple[WayName, ...]:
    """Return the ways whose answer NO prevented the promotion of the wanted release, and prevents a new try of it.

    Return () if the wanted release is not red, or if the trial behind its red was not green. `events` are the events of
    the recipe.
    """
    red = red_of_wanted(case)
    if red is None or green_trial(red, events) is None:
        return ()
    release = Release(red.version, red.circumstances.commit)
    known = conditions_of_ways(observed, release, base_for(observed, release).release, events)
    names = {way: way_condition_name(way) for way in observed.recipe.ways.gates}
    return tuple(way for way in WayName if way in names and is_closed_way(known[names[way]]))


def _unproved(case: Case, observed: Observation) -> Iterator[Blocker]:
    """Yield a blocker if the way back of the wanted release leads to an older release that is unsigned.

    Yield nothing if the promotion does not depend on the way back, or if the recipe is in sync.
    """
    want, is_new = case.step.finding.want, case.step.finding.cause is not Cause.IN_SYNC
    older = unsigned_older(observed, want) if is_new and isinstance(want, Release) else None
    if older is not None:
        ours = Change(f"the fleet's folder keys has the key that signed {older.version}", Actor.YOU)
        theirs = Change(f"upstream signs the tag {older.version} on this commit by such a key", Actor.UPSTREAM)
        gone = Change(_without(observed, [WayName.BACK]), Actor.YOU)
        yield Blocker(way_condition_name(WayName.BACK), (ours, theirs, gone))
