"""Chooses the release that a recipe should have, by upstream's tags, by age and by signature."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from desired.model import WayName
from desired.releases import Release, Signature, Unobservable, Want
from desired.versions import version_key
from desired.want import release_named, releases, resolve_want
from reconciler.core.observation import Observation, State, is_shrunken, moved_tags, upstream_tags, vanished_tags
from state.records import Canonical


def want_of(observation: Observation) -> Want:
    """Return the release that the recipe should have, or a value that says why there is none.

    The first of these that applies is returned:

    * Unobservable, if upstream could not be asked, or has lost too many release tags (see `is_shrunken`).
    * What `resolve_want` returns, if that is no release.
    * The newest release, if it is admitted: it is old enough and not unsigned.
    * The newest admitted release that is newer than the canonical.
    * The newest release, although it is not admitted.
    """
    tags = upstream_tags(observation)
    if tags is None:
        assert isinstance(observation.answer, Unobservable)  # noqa: S101  None means that
        return observation.answer
    if is_shrunken(observation):
        lost, known = len(vanished_tags(observation)), len(observation.memory.known)
        hint = f"if that is right: reconcile accept {observation.recipe.name} --reason …"
        return Unobservable(f"shrunken: {lost} of {known} known release tags are gone upstream; {hint}")
    newest = resolve_want(tags, observation.recipe.allow)
    if not isinstance(newest, Release) or is_admitted(observation, newest):
        return newest
    return next((each for each in newer_releases(observation) if is_admitted(observation, each)), newest)


def newer_releases(observation: Observation) -> Iterator[Release]:
    """Yield the allowed releases that are newer than the canonical, the newest first."""
    have = observation.canonical
    for release in reversed(releases(upstream_tags(observation) or {}, observation.recipe.allow)):
        if have is None or version_key(release.version) > version_key(have.version):
            yield release


def is_admitted(observation: Observation, release: Release) -> bool:
    """Return whether the release is old enough and is not unsigned.

    A signature that is not needed, or not checked yet, counts as good.
    """
    return too_young_until(observation, release) is None and not unsigned_reason(observation, release)


def first_seen(observation: Observation, release: Release) -> datetime:
    """Return when a pass first saw a tag with the version of `release` on the commit of `release`.

    The spelling of the tag does not matter: v1.0.0 and 1.0.0 are the same version. If no pass has seen such a tag yet,
    return the time of the observation. If upstream moved the tag to this commit, and a person accepted the move, return
    the time of the acceptance.
    """
    key = version_key(release.version)
    known = [
        known.first_seen
        for tag, known in observation.memory.known.items()
        if known.commit == release.commit and version_key(tag) == key
    ]
    return min(known, default=observation.observed_at)


def too_young_until(observation: Observation, release: Release) -> datetime | None:
    """Return the time at which the release becomes as old as the declaration asks for; None if it is old enough.

    The age counts from when a pass first saw the release.
    """
    age = observation.recipe.minimum_age
    until = first_seen(observation, release) + age
    return until if age and until > observation.observed_at else None


def signature_of(observation: Observation, release: Release) -> Signature | None:
    """Return the checked signature of a release's tag.

    Return None if the recipe needs no signatures, or if this signature is not checked yet.
    """
    return observation.signatures.get(release.version) if observation.recipe.signed else None


def unsigned_reason(observation: Observation, release: Release) -> str:
    """Return why the signature of a release's tag is not accepted.

    Return "" if the signature is good, not needed, or not checked yet. A signature can be checked only once our mirror
    has the tag. So in a dry run, the signature of a new release may not be checked yet.
    """
    signature = signature_of(observation, release)
    return signature.fault if signature is not None else ""


def releases_to_check(observation: Observation) -> tuple[Release, ...]:
    """Return the releases whose signatures have to be checked, the most wanted first.

    * The releases that are newer than the canonical.
    * If the canonical is damaged: its own release, which is tested again, and all older ones, because that test may be
      an upgrade from an older one.
    * If there is a release so far: the declared base of an upgrade too. If a promotion depends on the way back, also
      the canonical's own release.

    Return () if there is no release so far, if the recipe needs no signatures, or if upstream lost too many release
    tags.
    """
    recipe, have = observation.recipe, observation.canonical
    if not recipe.signed or is_shrunken(observation):
        return ()
    chosen = list(newer_releases(observation))
    if have is not None and observation.status.state is State.DAMAGED:
        others = reversed(releases(upstream_tags(observation) or {}, recipe.allow))
        chosen += [Release(have.version, have.commit), *(each for each in others if each not in chosen)]
    if not chosen:
        return ()
    pinned = pinned_release(observation)
    base = [pinned] if pinned is not None else []
    if have is not None and WayName.BACK in recipe.ways.gates:
        base.append(Release(have.version, have.commit))
    return tuple(dict.fromkeys((*chosen, *base)))


def pinned_release(observation: Observation) -> Release | None:
    """Return the release of upstream that the declaration pins as the base of an upgrade.

    It may be a release that `[release] allow` excludes. Return None if no base is pinned, or if upstream has no single
    release of the pinned version.
    """
    base = observation.recipe.upgrade.base
    return release_named(upstream_tags(observation) or {}, base) if base != "canonical" else None


def may_run(observation: Observation, release: Release) -> bool:
    """Return whether a release is allowed to run as the base of an upgrade, or because another recipe needs its app.

    * True if the recipe needs no signatures.
    * True if the release is on the canonical's commit.
    * True if the signature of its tag was checked and is good.
    * Else False.
    """
    have = observation.canonical
    if not observation.recipe.signed or (have is not None and have.commit == release.commit):
        return True
    signature = signature_of(observation, release)
    return signature is not None and not signature.fault


def need_releases(
    canonicals: Mapping[str, Canonical], observations: Mapping[str, Observation]
) -> dict[str, Release | None]:
    """Return for each recipe the release that is deployed when another recipe needs this recipe's app.

    If the recipe has a canonical, this is the canonical's release, else what `release_for_needs` returns.
    """
    others = {name: each for name, each in observations.items() if name not in canonicals}
    found = {name: release_for_needs(observation) for name, observation in others.items()}
    return found | {name: Release(have.version, have.commit) for name, have in canonicals.items()}


def release_for_needs(observation: Observation) -> Release | None:
    """Return the release of a recipe without a canonical that is deployed when another recipe needs its app.

    This is the newest release that a pass would try if it were the newest of all: it is allowed and admitted (see
    `is_admitted`), its tag did not move, and it is allowed to run (see `may_run`). Return None if there is no such
    release, or if no single release is wanted (see `want_of`).
    """
    if not isinstance(want_of(observation), Release):
        return None
    moved = moved_tags(observation)
    unmoved = (each for each in newer_releases(observation) if each.version not in moved)
    return next((each for each in unmoved if is_admitted(observation, each) and may_run(observation, each)), None)
