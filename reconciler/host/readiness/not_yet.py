"""Why an app does not count as ready yet."""

import math

from attrs import frozen


@frozen
class NotYet:
    """The app is not ready yet, for the reason `reason`.

    `final_after` is for how many seconds an app may be in such a state before waiting longer is useless: it will not
    become ready; infinite if it may always do so. `again_in` is the number of seconds after which a new check may have
    another result even if nothing reports a change; infinite if it cannot.
    """

    reason: str
    final_after: float = math.inf
    again_in: float = math.inf
