"""The record of which problems were told to people, and of the messages that could not be sent yet."""

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen


@frozen
class FleetProblem:
    """What is wrong with one recipe, or with passes as a whole.

    `subject` is the name of the recipe, or "fleet:pass" or "fleet:timer". `kind` is a word such as "red". `version` is
    the release that it is about; "" if it is about none. `reason` is the evidence in one sentence.
    """

    subject: str
    kind: str
    version: str
    reason: str

    @property
    def recipe(self) -> str:
        """Return the name of the recipe; "" for a problem of passes as a whole."""
        return "" if ":" in self.subject else self.subject


@frozen
class OpenProblem:
    """A problem that was told and lasts. `since` is when it was first told, `told_at` when it was last told."""

    problem: FleetProblem
    since: datetime
    told_at: datetime


@frozen
class Item:
    """One line of a message. `event` is "problem", "reminder" or "recovery".

    `now` says how the recipe is now; only a recovery has it, else it is "". `since` is when the problem was first told.
    """

    event: str
    problem: FleetProblem
    since: datetime
    now: str = ""


@frozen
class Message:
    """What is sent once to each target. The id stays the same when it is sent again. `at` is when it was made."""

    id: str
    at: datetime
    items: tuple[Item, ...]


@frozen
class UnsentMessage:
    """A message, and the targets that did not get it yet, such as "mail"."""

    message: Message
    targets: tuple[str, ...]

    def without(self, target: str) -> "UnsentMessage":
        """Return the message with `target` not waiting for it any more."""
        return evolve(self, targets=tuple(each for each in self.targets if each != target))


@frozen
class Notifications:
    """The problems that last, by subject, and the messages that are not sent to all targets, the oldest first."""

    problems: Mapping[str, OpenProblem] = field(factory=dict)
    unsent: tuple[UnsentMessage, ...] = ()
