"""Finds the stored generation to which a rollback leads, and one that upstream still has."""

from collections.abc import Iterable

from attrs import evolve

from desired.versions import version_key
from reconciler.core.findings import Cause, compare
from reconciler.core.observation import CanonicalStatus, Observation, State
from state.records import Canonical


def newest_older(have: Canonical, intact: Iterable[Canonical]) -> Canonical | None:
    """Return the first of the generations `intact` whose release is older than that of `have`; None for none.

    This is where `reconcile rollback` goes back to without --to. `intact` has the newest generation first.
    """
    release = version_key(have.version)
    return next((each for each in intact if version_key(each.version) < release), None)


def rollback_offer(observed: Observation, intact: Iterable[Canonical]) -> Canonical | None:
    """Return the first of the generations `intact` with which the recipe would no longer be ahead; None for none.

    Upstream has the tag of this generation's release, unmoved, and `[release] allow` admits the release. `intact` has
    the newest generation first, without the canonical.
    """
    return next((each for each in intact if _would_not_be_ahead(observed, each)), None)


def _would_not_be_ahead(observed: Observation, generation: Canonical) -> bool:
    canonical = evolve(observed, canonical=generation, status=CanonicalStatus(State.INTACT))
    [finding] = compare({observed.recipe.name: canonical}, {})
    return finding.cause not in {Cause.AHEAD, Cause.MOVED}
