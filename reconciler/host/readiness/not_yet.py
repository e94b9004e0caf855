"""Why an app does not count as ready yet."""

import math

from attrs import frozen


@frozen
class NotYet:
    """The app does not answer as declared, which may change.

    It will not, where no other answer comes for `final_after` seconds.
    """

    reason: str
    final_after: float = math.inf
