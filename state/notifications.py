"""The record of which problems were told to people, and of the messages that could not be sent."""

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen

_WAY = "way:"


def way_subject(recipe: str, way: str) -> str:
    """Return the subject under which people are told of a dangerous way of a recipe, such as "way:notes:back"."""
    return f"{_WAY}{recipe}:{way}"


def recipe_of(subject: str) -> str:
    """Return the name of the recipe that a subject is about; "" for passes as a whole."""
    if subject.startswith(_WAY):
        return subject.removeprefix(_WAY).partition(":")[0]
    return "" if ":" in subject else subject


@frozen
class FleetProblem:
    """A problem of one recipe, or of passes as a whole.

    * `subject`: the name of the recipe, a way of it (see `way_subject`), or "fleet:pass" or "fleet:timer".
    * `kind`: a word such as "red".
    * `version`: the release that has the problem; "" if no release has it.
    * `reason`: the evidence in one sentence.
    """

    subject: str
    kind: str
    version: str
    reason: str

    @property
    def recipe(self) -> str:
        """Return the name of the recipe; "" for a problem of passes as a whole."""
        return recipe_of(self.subject)


@frozen
class OpenProblem:
    """A problem that was told and still lasts. `since` is when it was first told, `told_at` when it was last told."""

    problem: FleetProblem
    since: datetime
    told_at: datetime


@frozen
class Item:
    """One problem in a message.

    * `event`: "problem", "reminder" or "recovery".
    * `since`: when the problem was first told.
    * `now`: how the recipe is now if the problem is over; "" if the problem still lasts.
    """

    event: str
    problem: FleetProblem
    since: datetime
    now: str = ""


@frozen
class Message:
    """A message to people about problems. Every target, such as "mail", gets the message once.

    * `id`: names the message. It stays the same if the message has to be sent again.
    * `at`: when the message was made.
    * `items`: the problems that the message tells.
    """

    id: str
    at: datetime
    items: tuple[Item, ...]


@frozen
class UnsentMessage:
    """A message that was not sent to all targets yet.

    * `targets`: the targets that did not get the message yet, such as "mail".
    * `passed_over`: for each target that did not take this message but took a later message: when it first did so.
    """

    message: Message
    targets: tuple[str, ...]
    passed_over: Mapping[str, datetime] = field(factory=dict)

    def without(self, target: str) -> "UnsentMessage":
        """Return a copy in which `target` no longer waits for the message."""
        return evolve(self, targets=tuple(each for each in self.targets if each != target))


@frozen
class DroppedMessage:
    """A message that a target never got.

    * `id`, `subject`: the id and the subject of the message.
    * `target`: the target, such as "webhook".
    * `at`: when the message was dropped.
    * `why`: why the target did not take the message.
    """

    id: str
    target: str
    at: datetime
    subject: str
    why: str


@frozen
class Notifications:
    """The record of what people were told.

    * `problems`: the problems that were told and still last, by the subject of each.
    * `unsent`: the messages for which some targets still wait, the oldest first.
    * `dropped`: the last messages that a target never got, the oldest first.
    """

    problems: Mapping[str, OpenProblem] = field(factory=dict)
    unsent: tuple[UnsentMessage, ...] = ()
    dropped: tuple[DroppedMessage, ...] = ()
