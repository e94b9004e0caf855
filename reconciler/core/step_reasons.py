"""Makes the parts of a step's reason: texts on the finding, the recipe and the host."""

from datetime import date
from typing import Final

from desired.model import Recipe, WayName
from desired.releases import Release
from reconciler.core.circumstances import changed_circumstances, latest_red
from reconciler.core.findings import Finding
from reconciler.core.observation import Observation, State, tags_to_mirror
from reconciler.core.trial_base import base_for
from reconciler.core.wanted_release import first_seen, signature_of, too_young_until, unsigned_reason
from reconciler.core.ways import older_release
from state.records import Circumstances, Memory, Red

NOT_PROMOTED: Final = "green, not promoted: "
"""How the reason of a green release begins that was not promoted."""


def exception_reason(recipe: Recipe, today: date) -> str:
    """Return the declared reason why the recipe is not enrolled.

    If the day to review the reason has come by the day `today`, the text says so.
    """
    if recipe.review is None or recipe.review > today:
        return recipe.exception
    return f"{recipe.exception} (due for review since {recipe.review})"


def damage_note(finding: Finding) -> str:
    """Return a text on the damaged canonical and what is left of its data; "" if the canonical is not damaged.

    The text ends with "; ", since other text follows.
    """
    if finding.status.state is not State.DAMAGED or finding.have is None:
        return ""
    damaged = f"the canonical is damaged ({finding.status.reason})"
    if finding.older_intact is not None:
        lineage = " → ".join(finding.older_intact.lineage)
        return f"{damaged}, generation {finding.older_intact.generation} ({lineage}) is intact; "
    return f"{damaged}, the data of {' → '.join(finding.have.lineage)} is lost; "


def missing_tools_text(observation: Observation) -> str:
    """Return a text that names the required programs that this host lacks; "" if it lacks none."""
    missing = ", ".join(observation.missing_tools)
    return f"required here and missing: {missing}" if missing else ""


def with_missing_tools(reason: str, observation: Observation) -> str:
    """Return `reason` and, after it, which required programs are missing, and why the tests cannot be read.

    Return `reason` alone if no program is missing and the tests can be read.
    """
    return "; ".join(filter(None, (reason, missing_tools_text(observation), observation.tests_unreadable)))


def too_young_text(observation: Observation, release: Release) -> str:
    """Return a text on a release that is too young: when it was first seen, and from when on it will be tried.

    Return "" if the release is old enough.
    """
    until = too_young_until(observation, release)
    if until is None:
        return ""
    seen = first_seen(observation, release)
    return f"too young: first seen on {seen:%Y-%m-%d %H:%M}, tried from {until:%Y-%m-%d %H:%M} UTC on"


def unsigned_text(observation: Observation, release: Release) -> str:
    """Return why a release must not be tried for want of a signature, as "unsigned: …"; "" if there is no such reason.

    * The signature of the release's own tag is not accepted.
    * A promotion depends on the way back, and the signature of the older release to which it leads is not accepted.

    A signature that is good, not needed, or not checked yet is no reason.
    """
    reason = unsigned_reason(observation, release)
    if reason or (older := unsigned_older(observation, release)) is None:
        return f"unsigned: {reason}" if reason else ""
    return f"unsigned: {older.version}, to which its way back leads, a gate: {unsigned_reason(observation, older)}"


def unsigned_older(observation: Observation, release: Release) -> Release | None:
    """Return the release to which the way back from `release` leads, if that older release is not accepted as signed.

    Return None if a promotion does not depend on the way back, if there is no older release, or if the signature of the
    older release is good, not needed, or not checked yet.
    """
    older = gating_older(observation, release)
    return older if older is not None and unsigned_reason(observation, older) else None


def gating_older(observation: Observation, release: Release) -> Release | None:
    """Return the older release to which the way back from `release` leads, if a promotion depends on that way.

    Return None if no promotion depends on it, or if there is no older release.
    """
    if WayName.BACK not in observation.recipe.ways.gates:
        return None
    return older_release(release, base_for(observation, release).release, tags_to_mirror(observation))


def signer_note(observation: Observation, release: Release) -> str:
    """Return a text that begins with "; ": who signed the release, or that its signature is not checked yet.

    Return "" if the recipe needs no signatures.
    """
    if not observation.recipe.signed:
        return ""
    signature = signature_of(observation, release)
    return f"; signed by {signature.signer}" if signature else "; its signature is checked once our mirror has the tag"


def was_green(red: Red | None) -> bool:
    """Return whether `red` was recorded although its trial passed, since its release could not be promoted.

    Return False if `red` is None.
    """
    return red is not None and red.reason.startswith(NOT_PROMOTED)


def trial_notes(observation: Observation, release: Release, now: Circumstances) -> str:
    """Return `signer_note` and, after it, `retried_note` on a release that is tried; "" if there is nothing to say."""
    return signer_note(observation, release) + retried_note(observation.memory, release, now)


def retest_text(finding: Finding, observation: Observation, release: Release, now: Circumstances) -> str:
    """Return why the canonical's release is tested again. `now` are the circumstances in which it is."""
    again = f"tested again at {release.version}{retried_note(observation.memory, release, now)}"
    return with_missing_tools(damage_note(finding) + again, observation)


def retried_note(memory: Memory, release: Release, now: Circumstances) -> str:
    """Return a text that begins with "; ": when a release that is tried was red, and why it is tried again.

    Return "" if no red of the release is remembered. `now` are the circumstances in which it is tried.
    """
    red = latest_red(memory, release)
    if red is None:
        return ""
    changed = " and ".join(changed_circumstances(red.circumstances, now))
    why = f"since {changed} changed" if changed else "by --retry"
    return f"; it {red_words(red)} on {red.at:%Y-%m-%d %H:%M}, tried again {why}"


def red_words(red: Red) -> str:
    """Return "was red" if the trial of `red` failed; "was not promoted" if the trial passed."""
    return "was not promoted" if was_green(red) else "was red"


def red_text(red: Red, recipe: str) -> str:
    """Return a text on a red: the version, when and why it was red, and what must change before it is tried again."""
    return (
        f"{red.version} {red_words(red)} on {red.at:%Y-%m-%d %H:%M} ({red.reason}); not tried again until its commit, "
        f"its tests, its needs, Canon or this place changes, or: reconcile --retry {recipe}"
    )
