"""Decides whether a person's hold or rollback keeps a release from being tried, and which releases wait for it."""

from datetime import date, datetime

from attrs import frozen

from desired.model import Release, Want
from desired.versions import version_key
from desired.want import releases
from reconciler.core.observation import Observation, upstream_tags
from state.decisions import Hold, Rollback
from state.records import Records


@frozen
class HoldStatus:
    """What a person decided about a recipe, and the releases that wait for the end of that decision.

    `hold` and `rollback` are those that are in effect now; None if there is none. `ended` is a hold that has ended, but
    is still recorded, because no pass ran since. `waiting` are the releases newer than the canonical, the oldest first.
    `waiting_since` is when the oldest of them was first seen; None if there is none, or if no pass saw it yet.
    """

    hold: Hold | None = None
    rollback: Rollback | None = None
    ended: Hold | None = None
    waiting: tuple[str, ...] = ()
    waiting_since: datetime | None = None

    def __str__(self) -> str:
        texts = [
            hold_text(self.hold) if self.hold else "",
            rollback_text(self.rollback) if self.rollback else "",
            ended_text(self.ended) if self.ended else "",
            self._waiting_text(),
        ]
        return "; ".join(filter(None, texts))

    def _waiting_text(self) -> str:
        """Return how many releases wait, and since when the oldest does; "" if none waits or nothing holds any back."""
        if not self.waiting or not (self.hold or self.rollback):
            return ""
        since = f" since {self.waiting_since:%Y-%m-%d}" if self.waiting_since else ""
        if len(self.waiting) == 1:
            return f"{self.waiting[0]} waits{since}"
        return f"{len(self.waiting)} releases wait, the oldest ({self.waiting[0]}){since}"


def hold_status(observation: Observation, want: Want | None, today: date) -> HoldStatus | None:
    """Return what a person decided about the recipe; None if there is no decision that has an effect or has ended.

    `want` is the release that the recipe should have. `today` is the day in UTC.
    """
    hold = hold_in_effect(observation.hold, today)
    ended = observation.hold if hold is None else None
    rollback = observation.rollback if is_rolled_back(observation, want) else None
    if not (hold or ended or rollback):
        return None
    waiting = _waiting(observation)
    return HoldStatus(
        hold=hold,
        rollback=rollback,
        ended=ended,
        waiting=tuple(release.version for release in waiting),
        waiting_since=_first_seen(observation, waiting[0]) if waiting else None,
    )


def recorded_decisions(records: Records, name: str, today: date) -> HoldStatus | None:
    """Return what a person decided about the recipe `name`, as far as the records alone show; None if nothing.

    Without upstream's tags, no release is known to wait. `today` is the day in UTC.
    """
    recorded, have = records.holds.get(name), records.canonicals.get(name)
    rollback = records.rollbacks.get(name)
    if rollback is not None and have is not None and ends_rollback(rollback, have.version):
        rollback = None
    if recorded is None and rollback is None:
        return None
    hold = hold_in_effect(recorded, today)
    return HoldStatus(hold, rollback, ended=recorded if hold is None else None)


def hold_in_effect(hold: Hold | None, today: date) -> Hold | None:
    """Return the hold if it has not ended, else None. `today` is the day in UTC."""
    return None if hold is None or hold.is_over(today) else hold


def is_rolled_back(observation: Observation, want: Want | None) -> bool:
    """Whether a rollback keeps the wanted release from being tried; False if no rollback is recorded.

    It does as long as the wanted release is not newer than the one that the rollback left.
    """
    rollback = observation.rollback
    if rollback is None:
        return False
    return not isinstance(want, Release) or not ends_rollback(rollback, want.version)


def ends_rollback(rollback: Rollback, version: str) -> bool:
    """Whether the release `version` ends the rollback, because it is newer than the release that was left."""
    return version_key(version) > version_key(rollback.left)


def newest_left(rollback: Rollback | None, version: str) -> str:
    """Return the newer of two releases: `version`, which is left now, and the one that the earlier `rollback` left.

    If `rollback` is None, return `version`.
    """
    return version if rollback is None or ends_rollback(rollback, version) else rollback.left


def _waiting(observation: Observation) -> tuple[Release, ...]:
    """Return the allowed releases of upstream that are newer than the canonical, the oldest first."""
    published = releases(upstream_tags(observation) or {}, observation.recipe.allow)
    have = observation.canonical
    if have is None:
        return published
    return tuple(each for each in published if version_key(each.version) > version_key(have.version))


def _first_seen(observation: Observation, release: Release) -> datetime | None:
    known = observation.memory.known.get(release.version)
    return known.first_seen if known is not None else None


def why_held(hold: Hold | None, today: date) -> str:
    """Return the text of the hold, "" if there is none or it has ended. `today` is the day in UTC."""
    in_effect = hold_in_effect(hold, today)
    return hold_text(in_effect) if in_effect is not None else ""


def hold_text(hold: Hold) -> str:
    """Return who put the recipe on hold, until when, and why."""
    until = f"until {hold.until}" if hold.until else f"until: reconcile resume {hold.recipe}"
    return f"on hold by {hold.who} since {hold.at:%Y-%m-%d}, {until} ({hold.reason})"


def ended_text(hold: Hold) -> str:
    """Return a text on a hold that has ended: who decided it, why, and when it ended."""
    return f"its hold by {hold.who} ended on {hold.until} ({hold.reason})"


def rollback_text(rollback: Rollback) -> str:
    """Return who rolled the recipe back, from and to which release, why, and what ends that."""
    ends = f"until a release newer than {rollback.left}, or: reconcile resume {rollback.recipe}"
    done = f"rolled back from {rollback.left} to {rollback.version} by {rollback.who} on {rollback.at:%Y-%m-%d}"
    return f"{done}, {ends} ({rollback.reason})"
