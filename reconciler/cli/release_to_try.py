"""Finds what a trial by hand is to test: the newest release, or what a person names by --ref."""

from desired.releases import Release, Unobservable
from desired.want import releases
from reconciler.core.observation import Observation, upstream_tags
from reconciler.core.ref_names import ref_fault
from reconciler.core.wanted_release import want_of
from reconciler.errors import InfrastructureError, UsageError
from reconciler.ports.host import Host
from reconciler.stages.signatures import refused_signature

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
    UsageError if upstream has nothing named `ref`. If `ref` is None, raise InfrastructureError if there is no newest
    release, or if the recipe needs signatures and the newest release has no good one.
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
    """Return the newest release of the observed recipe.

    Raise InfrastructureError if there is no such release, or if the recipe needs signatures and the release has no good
    signature.
    """
    name, want = observation.recipe.name, want_of(observation)
    if not isinstance(want, Release):
        reason = want.reason if isinstance(want, Unobservable) else "it has no single newest release"
        raise InfrastructureError(f"{name}: nothing to try: {reason}", "name what to try: --ref REF")
    if fault := refused_signature(host, observation, want):
        raise InfrastructureError(
            f"{name}: nothing to try: {want.version} is unsigned: {fault}",
            f"to try it all the same: --ref {want.version}",
        )
    return want


def _suggestion(observation: Observation, ref: str) -> str:
    """Return a hint for a `ref` that does not exist: the tag with the most similar name, else the newest releases."""
    import difflib

    tags = upstream_tags(observation) or {}
    near = difflib.get_close_matches(ref, tags, 1)
    if near:
        return f"did you mean {near[0]}"
    newest = [release.version for release in releases(tags, "*")][: -_NAMED_RELEASES - 1 : -1]
    return f"newest releases are: {', '.join(newest)}" if newest else "upstream has no release; name a branch, as main"
