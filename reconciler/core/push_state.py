"""What a report shows of the push of a mirror."""

from enum import StrEnum


class PushState(StrEnum):
    """What came of the push of one mirror to the team's forge.

    * EQUAL: the forge already had everything.
    * PUSHED: the forge has been given what it lacked.
    * FAILED: there was a problem, and the forge may still lack something.
    """

    EQUAL = "equal"
    PUSHED = "pushed"
    FAILED = "failed"
