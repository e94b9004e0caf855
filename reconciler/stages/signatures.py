"""Checks the signatures of release tags that may be tried, for recipes that need signed releases."""

from attrs import evolve

from desired.releases import Release, Signature
from reconciler.core.observation import Observation, tags_to_mirror
from reconciler.core.wanted_release import releases_to_check
from reconciler.ports.host import Host
from state.records import Answer


def with_signatures(host: Host, observation: Observation) -> Observation:
    """Return the observation with the checked signatures of the releases that may be tried and are in our mirror.

    If the recipe needs no signatures, return the observation unchanged. Raise InfrastructureError if a signature cannot
    be checked.
    """
    releases = releases_to_check(observation)
    if not releases:
        return observation
    return evolve(observation, signatures=host.mirrors.signatures(observation.recipe.name, releases))


def with_fetched_signatures(host: Host, observation: Observation, answer: Answer) -> Observation:
    """Return the observation with the checked signatures of its release tags.

    If some tags have no good signature, fetch these tags again, and then check all tags once more: upstream may have
    signed a tag later, on the same commit. `answer` is the answer of upstream, which names the tags. Raise
    InfrastructureError if a tag cannot be fetched or checked.
    """
    checked = with_signatures(host, observation)
    refused = {tag for tag, signature in checked.signatures.items() if signature.fault}
    if not refused:
        return checked
    host.progress.step(observation.recipe.name, "fetching unsigned tags again")
    host.mirrors.update(observation.recipe, answer, tags_to_mirror(observation), refused)
    return with_signatures(host, observation)


def refused_signature(host: Host, observation: Observation, release: Release) -> str:
    """Return what is wrong with the signature of a release that is about to be tried; "" if it is good.

    Return "" also if the recipe needs no signature. Raise InfrastructureError if the signature cannot be checked.
    """
    if not observation.recipe.signed:
        return ""
    checked = checked_signature(host, observation, release)
    return checked.fault if checked is not None else "our mirror lacks its tag"


def checked_signature(host: Host, observation: Observation, release: Release) -> Signature | None:
    """Check the signature of a release's tag, and return it; None if our mirror lacks the tag.

    Raise InfrastructureError if the signature cannot be checked.
    """
    return host.mirrors.signatures(observation.recipe.name, [release]).get(release.version)
