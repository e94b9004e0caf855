"""Decides which messages are due: when a problem begins, again while it lasts, and when it is over.

A message is recorded before it is sent, and its sending is recorded afterwards. So a crash in between may send one
twice, and none is lost.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import evolve, field, frozen

from state.notifications import FleetProblem, Item, Message, Notifications, OpenProblem, UnsentMessage

PASS = "fleet:pass"  # noqa: S105  a subject, no password
TIMER = "fleet:timer"
"""The subjects of problems that no recipe has: passes as a whole, and the timer that should start them."""


class EventWord(StrEnum):
    """What a line of a message tells about a problem. TEST is the line of `reconcile notify --test`."""

    PROBLEM = "problem"
    REMINDER = "reminder"
    RECOVERY = "recovery"
    TEST = "test"


@frozen
class Seen:
    """What was looked at. `problems` are those that are there, by subject.

    `over` are the subjects that certainly have no problem, each with a text that says how it is now. A subject in
    neither was not looked at, or cannot be judged yet: its problem counts as lasting.
    """

    problems: Mapping[str, FleetProblem] = field(factory=dict)
    over: Mapping[str, str] = field(factory=dict)


def with_due_message(
    before: Notifications, seen: Seen, now: datetime, remind: timedelta, targets: Sequence[str]
) -> Notifications:
    """Return `before` with what was seen at the time `now`, and with one message for `targets` if anything is due.

    A problem that lasts is due again after `remind`. Messages for targets that are not in `targets` any more are
    dropped.
    """
    begun = {name: found for name, found in seen.problems.items() if _is_new(before.problems.get(name), found)}
    problems = {name: OpenProblem(found, now, now) for name, found in begun.items()}
    items = {name: Item(EventWord.PROBLEM, found, now) for name, found in begun.items()}
    for name, known in before.problems.items():
        if name not in begun:
            lasting, item = _later(known, seen, now, remind)
            problems |= {name: lasting} if lasting is not None else {}
            items |= {name: item} if item is not None else {}
    unsent = for_targets(before.unsent, targets)
    if items:
        unsent = (*unsent, UnsentMessage(make_message([items[name] for name in sorted(items)], now), tuple(targets)))
    return Notifications(problems, unsent)


def _is_new(known: OpenProblem | None, found: FleetProblem) -> bool:
    """Whether a problem was not told before. Its reason does not count: it may hold times and numbers."""
    return known is None or (known.problem.kind, known.problem.version) != (found.kind, found.version)


def _later(known: OpenProblem, seen: Seen, now: datetime, remind: timedelta) -> tuple[OpenProblem | None, Item | None]:
    """Return a problem that was told before as it is now, None if it is over, and what is due to be told of it."""
    problem = known.problem
    if problem.subject in seen.over and problem.subject not in seen.problems:
        return None, Item(EventWord.RECOVERY, problem, known.since, seen.over[problem.subject])
    if known.told_at <= now < known.told_at + remind:
        return known, None
    lasting = seen.problems.get(problem.subject, problem)
    return OpenProblem(lasting, known.since, now), Item(EventWord.REMINDER, lasting, known.since)


def make_message(items: Sequence[Item], now: datetime) -> Message:
    """Return the message with these lines. Its id depends on all that is in it."""
    content = [[item.event, item.problem.subject, item.problem.kind, item.problem.version, item.now] for item in items]
    digest = hashlib.sha256(json.dumps([now.isoformat(), content]).encode()).hexdigest()
    return Message(digest[:32], now, tuple(items))


def for_targets(unsent: Sequence[UnsentMessage], targets: Sequence[str]) -> tuple[UnsentMessage, ...]:
    """Return the messages that wait for one of `targets`. The others are dropped: nobody declares their targets."""
    kept = (evolve(each, targets=tuple(target for target in each.targets if target in targets)) for each in unsent)
    return tuple(each for each in kept if each.targets)


def first_unsent(notifications: Notifications, target: str) -> Message | None:
    """Return the oldest message that `target` did not get yet; None if it got all."""
    return next((each.message for each in notifications.unsent if target in each.targets), None)


def with_sent(notifications: Notifications, message_id: str, target: str) -> Notifications:
    """Return the record after `target` got the message with this id."""
    kept = (each.without(target) if each.message.id == message_id else each for each in notifications.unsent)
    return evolve(notifications, unsent=tuple(each for each in kept if each.targets))
