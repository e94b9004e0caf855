"""The values with which `explain` says what keeps a recipe from a new canonical, and who can change that."""

from enum import StrEnum

from attrs import frozen


class Actor(StrEnum):
    """Who or what brings about a Change. HOST: something on this host changes, such as a tool that is installed."""

    YOU = "you"
    HOST = "this host"
    UPSTREAM = "upstream"
    PASS = "a pass"  # noqa: S105  an actor, no password


@frozen
class Change:
    """One thing that may change. `fact`: what is then true. `by`: who can see to it. `command`: how; "" for none."""

    fact: str
    by: Actor
    command: str = ""


@frozen
class Blocker:
    """What prevents a new canonical of a recipe: `name`, a policy or a condition of the gate, is not met.

    * `any_of`: changes, the usual one first. Each of them alone removes the blocker.
    * `needs_person`: False if the blocker may go away without a person.
    * `look`: a command that shows more; "" if there is none.
    """

    name: str
    any_of: tuple[Change, ...]
    needs_person: bool = True
    look: str = ""
