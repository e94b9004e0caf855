"""Decides which messages are due: when a problem begins, again while it lasts, and when it is over.

A message is recorded before it is sent, and its sending is recorded afterwards. So a crash in between may send a
message twice, and loses none. A message is dropped only after its target took a later one: at once if the target
refused the message for good, otherwise some days after the later one.
"""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from attrs import evolve, field, frozen

from state.notifications import DroppedMessage, FleetProblem, Item, Message, Notifications, OpenProblem, UnsentMessage

PASS = "fleet:pass"  # noqa: S105  a subject, no password
TIMER = "fleet:timer"
"""The subjects of problems that no recipe has: passes as a whole, and the timer that should start them."""
GIVEN_UP_AFTER = timedelta(days=5)
"""How long a message is tried that a target does not take although it takes others, as mail servers do: RFC 5321."""
KEPT_DROPPED = 20
"""How many dropped messages the record keeps."""
LONGEST_REASON = 2000
"""How many characters of a problem's reason people are told; the rest is cut off."""


class EventWord(StrEnum):
    """What a message says about a problem.

    * PROBLEM: it began.
    * REMINDER: it lasts.
    * RECOVERY: it is over.
    * TEST: nothing; this is a test message.
    """

    PROBLEM = "problem"
    REMINDER = "reminder"
    RECOVERY = "recovery"
    TEST = "test"


@frozen
class Seen:
    """What a command found out about problems. The subject of a problem is a recipe, a way of a recipe, or all passes.

    * `problems`: the problems that exist now, by subject.
    * `over`: the subjects that certainly have no problem, each with a text on how the subject is now.

    A subject may be in neither mapping, because it was not looked at or cannot be judged yet. If people were told of a
    problem of such a subject, that problem counts as lasting.
    """

    problems: Mapping[str, FleetProblem] = field(factory=dict)
    over: Mapping[str, str] = field(factory=dict)


def with_due_message(
    before: Notifications, seen: Seen, now: datetime, remind: timedelta, targets: Sequence[str]
) -> Notifications:
    """Return the record `before` with the problems updated, and with a new message if one is due.

    * `seen`: what was found out about problems at the time `now`.
    * `remind`: the time after which people are told again of a problem that lasts.
    * `targets`: the targets that get the new message. Older messages that wait only for other targets are dropped.

    The message tells of problems that began, that are over, or that last.
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
    return evolve(before, problems=problems, unsent=unsent)


def _is_new(known: OpenProblem | None, found: FleetProblem) -> bool:
    """Return whether the problem `found` is another one than `known`, the problem that people were told of last.

    `known` is None if they were told of none. Only the kind and the version of both problems are compared, because the
    reasons may have times and numbers that change in each pass.
    """
    return known is None or (known.problem.kind, known.problem.version) != (found.kind, found.version)


def _later(known: OpenProblem, seen: Seen, now: datetime, remind: timedelta) -> tuple[OpenProblem | None, Item | None]:
    """Return the problem `known` as it is now, and a line about it for a message. People were told of it before.

    * the problem: None if it is over.
    * the line: None if no message about the problem is due. While a problem lasts, a message is due once the time
      `remind` has passed since the last message.

    `seen` is what was found out at the time `now`.
    """
    problem = known.problem
    if problem.subject in seen.over and problem.subject not in seen.problems:
        return None, Item(EventWord.RECOVERY, problem, known.since, seen.over[problem.subject])
    if known.told_at <= now < known.told_at + remind:
        return known, None
    lasting = seen.problems.get(problem.subject, problem)
    return OpenProblem(lasting, known.since, now), Item(EventWord.REMINDER, lasting, known.since)


def make_message(items: Sequence[Item], now: datetime) -> Message:
    """Return a message with the lines `items`, made at the time `now`. Its id is a digest of the time and lines."""
    content = [[item.event, item.problem.subject, item.problem.kind, item.problem.version, item.now] for item in items]
    digest = hashlib.sha256(json.dumps([now.isoformat(), content]).encode()).hexdigest()
    return Message(digest[:32], now, tuple(items))


def for_targets(unsent: Sequence[UnsentMessage], targets: Sequence[str]) -> tuple[UnsentMessage, ...]:
    """Return the messages that wait for at least one of `targets`.

    From each returned message, the targets that are not in `targets` are removed.
    """
    kept = (evolve(each, targets=tuple(target for target in each.targets if target in targets)) for each in unsent)
    return tuple(each for each in kept if each.targets)


def waiting_for(notifications: Notifications, target: str) -> tuple[UnsentMessage, ...]:
    """Return the messages that `target` did not get yet, the oldest first."""
    return tuple(each for each in notifications.unsent if target in each.targets)


def subjects_of(message: Message) -> frozenset[str]:
    """Return the subjects that a message is about, such as the names of recipes."""
    return frozenset(item.problem.subject for item in message.items)


def with_sent(
    notifications: Notifications, message_id: str, target: str, dropped: Sequence[DroppedMessage] = ()
) -> Notifications:
    """Return the record after `target` got the message `message_id`, which then no longer waits for that target.

    `dropped` are earlier messages that the target did not take, and that are given up. They no longer wait for the
    target either. The record keeps only the last KEPT_DROPPED of all dropped messages.
    """
    done = {message_id, *(each.id for each in dropped)}
    kept = (each.without(target) if each.message.id in done else each for each in notifications.unsent)
    unsent = tuple(each for each in kept if each.targets)
    return evolve(notifications, unsent=unsent, dropped=(*notifications.dropped, *dropped)[-KEPT_DROPPED:])


def with_passed_over(notifications: Notifications, ids: Collection[str], target: str, now: datetime) -> Notifications:
    """Return the record with the time `now` noted on each message in `ids`, because `target` has passed it over.

    That means: `target` did not take the message, but took a later one at the time `now`. If a message already has such
    a time for this target, it keeps that earlier time.
    """
    unsent = (
        evolve(each, passed_over={target: now, **each.passed_over}) if each.message.id in ids else each
        for each in notifications.unsent
    )
    return evolve(notifications, unsent=tuple(unsent))


def is_given_up(unsent: UnsentMessage, target: str, now: datetime, *, is_refused: bool) -> bool:
    """Return whether to drop `unsent`. `target` did not take this message, but took a later one at the time `now`.

    * True if the target refused the message for good (`is_refused`).
    * True if at least five days (GIVEN_UP_AFTER) have passed since the target first took a later message.
    * Else False: the message goes on to wait for the target.
    """
    first = unsent.passed_over.get(target, now)
    return is_refused or now >= first + GIVEN_UP_AFTER
