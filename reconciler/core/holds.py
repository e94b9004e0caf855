"""Decides whether a person's hold or rollback keeps a release from being tried, and which releases wait for it."""

from datetime import date, datetime

from attrs import frozen

from desired.releases import Release, Want
from desired.versions import version_key
from desired.want import releases
from reconciler.core.observation import Observation, upstream_tags
from state.decisions import Hold, Rollback
from state.records import Records


@frozen
class HoldStatus:
    """What a person decided about a recipe, and the releases that are not tried because of that.

    * `hold`, `rollback`: the decisions that have an effect now; each is None if there is no such decision.
    * `ended`: a hold that has ended, but is still recorded, because no pass ran since; else None.
    * `waiting`: the releases that are newer than the canonical, the oldest first.
    * `waiting_since`: when the oldest release in `waiting` was first seen; None if `waiting` is empty, or if no pass
      saw that release yet.
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
        """Return how many releases wait, and since when the oldest does, such as "2.0.0 waits since 2026-11-24".

        Return "" if no release waits, or if there is neither a hold nor a rollback now.
        """
        if not self.waiting or not (self.hold or self.rollback):
            return ""
        since = f" since {self.waiting_since:%Y-%m-%d}" if self.waiting_since else ""
        if len(self.waiting) == 1:
            return f"{self.waiting[0]} waits{since}"
        return f"{len(self.waiting)} releases wait, the oldest ({self.waiting[0]}){since}"


def hold_status(observation: Observation, want: Want | None, today: date) -> HoldStatus | None:
    """Return what a person decided about a recipe, and the releases that wait because of the decision.

    The result has the hold and the rollback that have an effect now, and a hold that has ended but is still recorded.
    If there is none of these three, return None.

    * `want`: the wanted release, or why there is none; None for an orphan.
    * `today`: the day in UTC.
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
    """Return the hold and the rollback of the recipe `name`, by the records alone; None if there are none.

    Upstream's tags are not known here, so no release is listed as waiting. `today` is in UTC.
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
    """Return the hold; None if it has ended, or if there is none. `today` is in UTC."""
    return None if hold is None or hold.is_over(today) else hold


def is_rolled_back(observation: Observation, want: Want | None) -> bool:
    """Return whether a rollback prevents a try of the wanted release; False if no rollback is recorded.

    A rollback ends when the wanted release is newer than the release that was given up. While no single release is
    wanted, the rollback goes on.
    """
    rollback = observation.rollback
    if rollback is None:
        return False
    return not isinstance(want, Release) or not ends_rollback(rollback, want.version)


def ends_rollback(rollback: Rollback, version: str) -> bool:
    """Return whether the release `version` ends the rollback: whether it is newer than the one that was given up."""
    return version_key(version) > version_key(rollback.left)


def newest_left(rollback: Rollback | None, version: str) -> str:
    """Return the newer of two versions: `version`, and the one that was given up by the earlier `rollback`.

    If `rollback` is None, return `version`.
    """
    return version if rollback is None or ends_rollback(rollback, version) else rollback.left


def _waiting(observation: Observation) -> tuple[Release, ...]:
    """Return the releases of upstream that are newer than the canonical and allowed, the oldest first."""
    published = releases(upstream_tags(observation) or {}, observation.recipe.allow)
    have = observation.canonical
    if have is None:
        return published
    return tuple(each for each in published if version_key(each.version) > version_key(have.version))


def _first_seen(observation: Observation, release: Release) -> datetime | None:
    known = observation.memory.known.get(release.version)
    return known.first_seen if known is not None else None


def why_held(hold: Hold | None, today: date) -> str:
    """Return why the recipe is on hold, by whom and until when; "" if it is not. `today` is in UTC."""
    in_effect = hold_in_effect(hold, today)
    return hold_text(in_effect) if in_effect is not None else ""


def hold_text(hold: Hold) -> str:
    """Return a text on a hold, such as "on hold by ann since 2026-11-01, until 2026-11-24 (new disk)"."""
    until = f"until {hold.until}" if hold.until else f"until: reconcile resume {hold.recipe}"
    return f"on hold by {hold.who} since {hold.at:%Y-%m-%d}, {until} ({hold.reason})"


def ended_text(hold: Hold) -> str:
    """Return a text on a hold that has ended, such as "its hold by ann ended on 2026-11-24 (new disk)"."""
    return f"its hold by {hold.who} ended on {hold.until} ({hold.reason})"


def rollback_text(rollback: Rollback) -> str:
    """Return a text on a rollback: from which to which release, by whom, when, what ends it, and in brackets why.

    If it is not recorded from which release, the text leaves that out.
    """
    ends = f"until a release newer than {rollback.left}, or: reconcile resume {rollback.recipe}"
    done = f"{came_from(rollback)} to {rollback.version} by {rollback.who} on {rollback.at:%Y-%m-%d}"
    return f"{done}, {ends} ({rollback.reason})"


def came_from(rollback: Rollback) -> str:
    """Return "rolled back from" and the release that was left; "rolled back" alone if that is not recorded."""
    return f"rolled back from {rollback.from_version}" if rollback.from_version else "rolled back"


def left_text(left: str, newest: str) -> str:
    """Return which release a rollback left, such as "1.1.0 was left", and what ends it if that does not follow.

    `newest` is the newest release that was given up, by this rollback or by earlier ones. `left` is "" in the records
    of an earlier Canon, which did not record it.
    """
    ends = f"until a release newer than {newest}"
    if not left:
        return f"kept {ends}"
    return f"{left} was left" + ("" if left == newest else f", {ends}")
