"""Why an app does not count as ready yet."""

import math

from attrs import frozen


@frozen
class NotYet:
    """The app does not answer as declared yet.

    If it keeps answering like this for `final_after` seconds, waiting longer does not help.
    """

    reason: str
    final_after: float = math.inf
