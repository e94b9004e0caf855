"""Finds what ends it that a canonical is ahead: its release was withdrawn, or is newer than what is wanted."""

from collections.abc import Iterator

from reconciler.core.blocker import Actor, Blocker, Change
from reconciler.core.case import Case
from reconciler.core.findings import is_published
from reconciler.core.observation import Observation, upstream_tags
from reconciler.core.rollback_offer import newest_older, rollback_offer


def ahead_blocker(case: Case, observed: Observation) -> Blocker:
    """Return the blocker of a recipe whose canonical is ahead of the wanted release: withdrawn, or not admitted."""
    have, tags = observed.canonical, upstream_tags(observed) or {}
    assert have is not None  # noqa: S101  the cause implies it
    place = f"`[release] allow` in {observed.recipe.folder}/recipe.toml"
    if not is_published(have, tags):
        again = Change(f"upstream publishes {have.version} again, on {have.commit[:7]}", Actor.UPSTREAM)
        anew = "it begins anew without its data: take it out of the fleet, forget it, and put it back"
        forget = Change(anew, Actor.YOU, f"reconcile forget {have.recipe} --reason …")
        return Blocker("not-ahead", (*_rollback(case, observed), again, forget))
    admits = Change(f"{place} admits {have.version}; now it is {observed.recipe.allow!r}", Actor.YOU)
    newer = Change(f"upstream publishes an admitted release newer than {have.version}", Actor.UPSTREAM)
    return Blocker("not-ahead", (admits, newer, *_rollback(case, observed)))


def _rollback(case: Case, observed: Observation) -> Iterator[Change]:
    """Yield a rollback to a stored generation with which the recipe is not ahead, if there is one."""
    have, target = observed.canonical, rollback_offer(observed, case.stored)
    if have is not None and target is not None:
        number = "" if target == newest_older(have, case.stored) else f" --to {target.generation}"
        fact = f"it goes back to generation {target.generation} ({target.version}), with the data of that generation"
        yield Change(fact, Actor.YOU, f"reconcile rollback {have.recipe}{number} --reason …")
