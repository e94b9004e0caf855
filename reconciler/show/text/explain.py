"""The text of `reconcile explain`: what to do about a recipe first, then the evidence."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from reconciler.core.blocker import Blocker, Change
from reconciler.core.explanation import Explanation, Family
from reconciler.core.findings import Cause
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.show.escape import escape
from reconciler.show.labels import CONDITION_STATUSES
from reconciler.show.quantities import age, moment, short
from reconciler.show.text.events import event_rows
from reconciler.show.text.screen import Cell, Screen, Style, align, paint
from reconciler.show.text.ways import recorded_way_rows

_FAMILIES: Final = {Family.NOTHING: Style.GOOD, Family.WAITS: Style.DOING, Family.NEEDS_YOU: Style.WARN}
_STATUSES: Final = {
    ConditionStatus.PASS: Style.GOOD,
    ConditionStatus.FAIL: Style.BAD,
    ConditionStatus.OPEN: Style.FAINT,
}
MOST_TAGS: Final = 20
MOST_EVENTS: Final = 20


def render_explanations(explained: Sequence[Explanation], screen: Screen, now: datetime) -> str:
    """Return the text of `reconcile explain`: a part for each explanation, in the same order.

    Ages are counted back from `now`.
    """
    return "\n".join(_render(each, screen, now) for each in explained)


def _render(explained: Explanation, screen: Screen, now: datetime) -> str:
    parts = [
        _head(explained, screen, now),
        _changes(explained, screen),
        _conditions("BEFORE A TRIAL", explained.policies, screen),
        _conditions("GATE", explained.conditions, screen),
        _base(explained),
        _ways(explained, screen),
        _history(explained, screen, now),
        _not_read(explained),
        _freshness(explained, now),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines) + "\n"


def _head(explained: Explanation, screen: Screen, now: datetime) -> list[str]:
    name = paint(explained.recipe, Style.STRONG, screen)
    lines = [f"{name}: {paint(explained.family, _FAMILIES[explained.family], screen)}"]
    lines.append(f"  {escape(explained.verdict)}")
    if explained.by_record:
        lines.append(f"  by the last answer that a pass recorded: {escape(explained.by_record)}")
    since = sorted((when, what) for what, when in explained.drift.since.items())
    lines += [f"  {escape(what)} since {moment(when)}, {age(when, now)} ago" for when, what in since]
    return lines


def _changes(explained: Explanation, screen: Screen) -> list[str]:
    """Return lines on what would give the recipe a new canonical, and on what happens next.

    A blocker is a reason why the recipe gets no new canonical. For each blocker, the lines name the changes that would
    remove the blocker: one of these changes is enough. Return an empty list if there is nothing to say.
    """
    lines: list[str] = []
    count = len(explained.blockers)
    if count:
        lines.append(_strong("What would change this" + (f", all {count} of:" if count > 1 else ":"), screen))
    for number, blocker in enumerate(explained.blockers, 1):
        lines += _blocker(blocker, f"{number}. " if count > 1 else "")
    if explained.moved_by:
        lines += [_strong("Nothing to do. What would make it move, each alone:", screen)]
        lines += [f"  - {_change(change)}" for change in explained.moved_by]
    if explained.next is not None:
        lines += ["", *_next(explained, screen)] if lines else _next(explained, screen)
    return lines


def _next(explained: Explanation, screen: Screen) -> list[str]:
    assert explained.next is not None  # noqa: S101  the caller checked it
    title = "Then:" if explained.blockers else "What happens next:"
    lines = [f"{_strong(title, screen)} {escape(explained.next.fact)}"]
    if explained.family is not Family.NOTHING:
        lines.append(f"  now instead of at the next pass: {escape(explained.next.command)}")
    return lines


def _blocker(blocker: Blocker, number: str) -> Iterator[str]:
    if blocker.look:
        yield f"  {number}look first: {escape(blocker.look)}"
        number = " " * len(number)
    first, *others = blocker.any_of
    either = "either " if others else ""
    yield f"  {number}{either}{_change(first)}"
    yield from (f"  {' ' * len(number)}or {_change(change)}" for change in others)


def _change(change: Change) -> str:
    """Return one line on a change, such as "3.0.1 is the right commit (you): reconcile accept app 3.0.1".

    The line has what must become true, who can bring it about and, if there is one, the command for that.
    """
    command = f": {change.command}" if change.command else ""
    return escape(f"{change.fact} ({change.by}){command}")


def _conditions(title: str, conditions: Sequence[Condition], screen: Screen) -> list[str]:
    rows = [
        [Cell(each.name), Cell(CONDITION_STATUSES[each.status], _STATUSES[each.status]), Cell(each.evidence)]
        for each in conditions
    ]
    return align([title, "VERDICT", "EVIDENCE"], rows, screen) if rows else []


def _base(explained: Explanation) -> list[str]:
    have = explained.step.finding.have
    if explained.base is not None:
        version = explained.base.release.version if explained.base.release else "none"
        return [f"upgrade base: {escape(f'{version}: {explained.base.why}')}"]
    if have is not None and explained.release is not None and explained.release.version == have.version:
        base = have.evidence.base
        return [f"upgrade base of its trial: {base.version or 'none'}: {escape(base.why)}"]
    return []


def _ways(explained: Explanation, screen: Screen) -> list[str]:
    """Return lines on the ways that were tried of the canonical's release. The first line is a heading.

    Return an empty list if there is no canonical, or if no way was tried.
    """
    have = explained.step.finding.have
    if have is None or not explained.ways:
        return []
    facts = [fact for each in explained.ways for fact in recorded_way_rows(each)]
    lines = [(f"  {label}: {text}", style) for label, text, style in facts]
    return [f"ways of {escape(have.version)}:", *(paint(escape(text), style, screen) for text, style in lines)]


def _history(explained: Explanation, screen: Screen, now: datetime) -> list[str]:
    if explained.release is None:
        return []
    release = f"{explained.release.version}@{short(explained.release.commit)}"
    if not explained.history:
        return [f"history of {escape(release)}: nothing was tried or decided yet"]
    shown = explained.history[-MOST_EVENTS:]
    more = f" (the last {MOST_EVENTS} of {len(explained.history)})" if len(shown) < len(explained.history) else ""
    return [f"history of {escape(release)}{more}:", *event_rows(shown, screen, now, whole=False)]


def _not_read(explained: Explanation) -> list[str]:
    if not explained.not_read:
        return []
    lines = [f"tags that are not read: {len(explained.not_read)}"]
    lines += [f"  {escape(each.tag)}: {escape(each.why)}" for each in explained.not_read[:MOST_TAGS]]
    more = len(explained.not_read) - MOST_TAGS
    return [*lines, f"  and {more} more: reconcile -r {explained.recipe} --dry-run -o json"] if more > 0 else lines


def _freshness(explained: Explanation, now: datetime) -> list[str]:
    fresh = explained.freshness
    same = f"; its answer is the same since {moment(fresh.same_since)}" if fresh.same_since is not None else ""
    if fresh.asked:
        return [f"upstream was asked just now{same}"]
    if explained.step.finding.cause is Cause.ORPHANED:
        return ["upstream was not asked: nothing declares it any more"]
    if fresh.seen_at is None:
        return ["upstream was not asked, and no pass has seen it"]
    return [f"upstream was last seen by a pass {age(fresh.seen_at, now)} ago, {moment(fresh.seen_at)}{same}"]


def _strong(text: str, screen: Screen) -> str:
    return paint(text, Style.STRONG, screen)
