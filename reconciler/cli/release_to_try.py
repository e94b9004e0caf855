"""Finds what a trial by hand is to test: the newest release, or what a person names by --ref."""

from desired.releases import AmbiguousVersion, NeverReleased, Release, Unobservable
from desired.want import releases
from reconciler.core.observation import Observation, upstream_tags
from reconciler.core.ref_names import ref_fault
from reconciler.core.wanted_release import want_of
from reconciler.errors import CanonError, InfrastructureError, UsageError
from reconciler.ports.host import Host
from reconciler.stages.signatures import checked_signature

_NAMED_RELEASES = 3
_SHOWN = 100


def require_ref_name(ref: str | None) -> None:
    """Raise UsageError if `ref` cannot be the name of a ref. None means that no ref was given, and is allowed."""
    if ref is not None and (fault := ref_fault(ref)):
        raise UsageError(
            f"--ref {ref[:_SHOWN]} is not the name of a ref: it {fault}",
            "name a release, a branch, a whole commit id, or a ref such as refs/pull/7/head",
        )


def release_to_try(host: Host, observation: Observation, ref: str | None) -> Release:
    """Return what `ref` names: a release, branch, commit or other ref of upstream. None means the newest release.

    Only the signature of the newest release is checked. What a person names with `ref` may be unsigned. Raise
    UsageError if upstream has nothing named `ref`. If `ref` is None, raise UsageError if upstream has no single newest
    release, or if the recipe needs signatures and that release has no good one. Raise InfrastructureError if upstream
    could not be observed, or if the signature could not be checked.
    """
    name = observation.recipe.name
    if ref is None:
        return _newest_release(host, observation)
    commit = host.mirrors.resolve(name, ref) or host.mirrors.fetch(observation.recipe, ref)
    if commit is None:
        raise UsageError(
            f"{name}: neither a release nor a branch nor a commit is named {ref}", _suggestion(observation, ref)
        )
    return Release(ref, commit)


def _newest_release(host: Host, observation: Observation) -> Release:
    """Return the newest release of the observed recipe. Raise the same errors as `release_to_try` without a `ref`."""
    want = want_of(observation)
    if not isinstance(want, Release):
        raise _no_release(observation, want)
    if observation.recipe.signed:
        _require_signature(host, observation, want)
    return want


def _no_release(observation: Observation, want: NeverReleased | AmbiguousVersion | Unobservable) -> CanonError:
    """Return the error to raise where `want` says why there is no release to try.

    It is an InfrastructureError if upstream could not be observed, so that a later try may find a release. Otherwise it
    is a UsageError: only a person can say what to try.
    """
    recipe, hint = observation.recipe, "name what to try: --ref REF"
    if isinstance(want, Unobservable):
        return InfrastructureError(f"{recipe.name}: nothing to try: {want.reason}", hint)
    if isinstance(want, AmbiguousVersion):
        reason = f"several tags are its newest version: {', '.join(want.tags)}"
    else:
        reason = "upstream has no release" + (f" in {recipe.allow}" if recipe.allow != "*" else "")
    return UsageError(f"{recipe.name}: nothing to try: {reason}", hint)


def _require_signature(host: Host, observation: Observation, newest: Release) -> None:
    """Raise UsageError if the newest release has no good signature, InfrastructureError if our mirror lacks its tag."""
    name, version = observation.recipe.name, newest.version
    signature = checked_signature(host, observation, newest)
    if signature is None:
        raise InfrastructureError(
            f"{name}: nothing to try: the signature of {version} cannot be checked: our mirror lacks its tag",
            f"try again; or without its signature: --ref {version}",
        )
    if signature.fault:
        raise UsageError(
            f"{name}: nothing to try: {version} is unsigned: {signature.fault}",
            f"to try it all the same: --ref {version}",
        )


def _suggestion(observation: Observation, ref: str) -> str:
    """Return a hint for a `ref` that does not exist: the tag with the most similar name, else the newest releases."""
    import difflib

    tags = upstream_tags(observation) or {}
    near = difflib.get_close_matches(ref, tags, 1)
    if near:
        return f"did you mean {near[0]}?"
    newest = [release.version for release in releases(tags, "*")][: -_NAMED_RELEASES - 1 : -1]
    return f"newest releases are: {', '.join(newest)}" if newest else "upstream has no release; name a branch, as main"
