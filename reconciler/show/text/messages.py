"""Writes the messages to people: the subject, and some lines for each problem that began, lasts or is over."""

from collections import Counter
from typing import Final

from reconciler.core.notifications import EventWord
from reconciler.show.escape import escape
from reconciler.show.quantities import moment
from state.notifications import FleetProblem, Item, Message

_PLURALS: Final = {EventWord.PROBLEM: "problems", EventWord.REMINDER: "reminders", EventWord.RECOVERY: "recoveries"}
_LONGEST_SUBJECT: Final = 120
_END: Final = "See: reconcile status; reconcile explain NAME; reconcile logs NAME"


def message_subject(fleet: str, message: Message) -> str:
    """Return the subject of a message, such as "canon ci: problem: notes 1.2.0: red". `fleet` is the fleet's name."""
    return escape(f"canon {fleet}: {_summary(message)}")[:_LONGEST_SUBJECT]


def _summary(message: Message) -> str:
    if len(message.items) == 1:
        (item,) = message.items
        return f"{item.event}: {_about(item.problem)}"
    counts = Counter(EventWord(item.event) for item in message.items)
    parts = [f"{count} {_PLURALS.get(word, word)}" if count > 1 else f"1 {word}" for word, count in counts.items()]
    return f"{', '.join(parts)}: {', '.join(item.problem.recipe or item.problem.kind for item in message.items)}"


def message_text(message: Message) -> str:
    """Return the text of a message: some lines for each item. Problems come first, then reminders, then recoveries."""
    order = list(EventWord)
    items = sorted(message.items, key=lambda item: order.index(EventWord(item.event)))
    return "\n".join([line for item in items for line in (*_lines(item), "")] + [_END]) + "\n"


def _lines(item: Item) -> list[str]:
    """Return the lines on one problem: what it is, the reason, when people were first told, and how the recipe is now.

    For a new problem, the time is left out. How the recipe is now is said only of a problem that is over.
    """
    head = f"{item.event.upper()}: {_about(item.problem)}"
    since = [f"  since  {moment(item.since)}"] if item.event in {EventWord.REMINDER, EventWord.RECOVERY} else []
    now = [f"  now    {escape(item.now)}"] if item.now else []
    was = "was" if item.event == EventWord.RECOVERY else "why"
    return [escape(head), f"  {was}    {escape(item.problem.reason)}", *since, *now]


def _about(problem: FleetProblem) -> str:
    named = " ".join(part for part in (problem.recipe, problem.version) if part)
    return f"{named}: {problem.kind}" if named else problem.kind
