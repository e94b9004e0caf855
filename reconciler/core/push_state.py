"""What a report shows of the push of a mirror."""

from enum import StrEnum


class PushState(StrEnum):
    """What came of the push of one mirror to the team's forge.

    EQUAL: the forge had all that the mirror has, so nothing was pushed. PUSHED: the forge has now been given what was
    missing there. FAILED: there was a problem, and the forge may still not have all.
    """

    EQUAL = "equal"
    PUSHED = "pushed"
    FAILED = "failed"
