"""What a report shows of the push of a mirror."""

from enum import StrEnum


class PushState(StrEnum):
    """How the team's forge compares with our mirror after a pass has pushed what it lacked."""

    EQUAL = "equal"
    PUSHED = "pushed"
    FAILED = "failed"
