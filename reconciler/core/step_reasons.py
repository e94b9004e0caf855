"""Makes the parts of a step's reason that depend on the finding, the recipe or the host alone."""

from datetime import date

from desired.model import Recipe, Release
from reconciler.core.findings import Finding
from reconciler.core.observation import Observation, State
from reconciler.core.wanted_release import first_seen, signature_of, too_young_until, unsigned_reason
from state.records import Red


def exception_reason(recipe: Recipe, today: date) -> str:
    """Return the declared reason why the recipe is not enrolled, with a note if the day to review it has come."""
    if recipe.review is None or recipe.review > today:
        return recipe.exception
    return f"{recipe.exception} (due for review since {recipe.review})"


def damage_note(finding: Finding) -> str:
    """Return a note on a damaged canonical and its data, with "; " at its end; "" if it is not damaged."""
    if finding.status.state is not State.DAMAGED or finding.have is None:
        return ""
    damaged = f"the canonical is damaged ({finding.status.reason})"
    if finding.older_intact is not None:
        lineage = " → ".join(finding.older_intact.lineage)
        return f"{damaged}, generation {finding.older_intact.generation} ({lineage}) is intact; "
    return f"{damaged}, the data of {' → '.join(finding.have.lineage)} is lost; "


def missing_tools_text(observation: Observation) -> str:
    """Return which required programs are missing on this host, "" if none is."""
    missing = ", ".join(observation.missing_tools)
    return f"required here and missing: {missing}" if missing else ""


def with_missing_tools(reason: str, observation: Observation) -> str:
    """Return `reason`, followed by which required programs are missing, and by why the tests cannot be read, if so."""
    return "; ".join(filter(None, (reason, missing_tools_text(observation), observation.tests_unreadable)))


def too_young_text(observation: Observation, release: Release) -> str:
    """Return when a release that is too young will be tried, and since when it is known; "" if it is old enough."""
    until = too_young_until(observation, release)
    if until is None:
        return ""
    seen = first_seen(observation, release)
    return f"too young: first seen on {seen:%Y-%m-%d %H:%M}, tried from {until:%Y-%m-%d %H:%M} UTC on"


def unsigned_text(observation: Observation, release: Release) -> str:
    """Return why the signature of the release's tag is not accepted, as "unsigned: …".

    Return "" if it is good, not needed, or not checked yet.
    """
    reason = unsigned_reason(observation, release)
    return f"unsigned: {reason}" if reason else ""


def signer_note(observation: Observation, release: Release) -> str:
    """Return a note on who signed the release, or that this is not checked yet, with "; " at its beginning.

    Return "" if the recipe needs no signatures.
    """
    if not observation.recipe.signed:
        return ""
    signature = signature_of(observation, release)
    return f"; signed by {signature.signer}" if signature else "; its signature is checked once our mirror has the tag"


def red_text(red: Red, recipe: str) -> str:
    """Return when and why a release was red, and what would change that."""
    return (
        f"{red.version} was red on {red.at:%Y-%m-%d %H:%M} ({red.reason}); not tried again until its commit, "
        f"its tests, Canon or this place changes, or: reconcile --retry {recipe}"
    )
