"""Why an app does not count as ready yet."""

import math

from attrs import frozen


@frozen
class NotYet:
    """The app is not ready yet, for the reason `reason`.

    If the app is not ready for such reasons for `final_after` seconds, it will not become ready by waiting longer.
    `again_in` is the number of seconds after which the answer may be another one even if nothing reports a change.
    """

    reason: str
    final_after: float = math.inf
    again_in: float = math.inf
