"""Why an app does not count as ready yet."""

import math

from attrs import frozen


@frozen
class NotYet:
    """The app is not ready yet. `reason` is why.

    * `final_after`: after so many seconds in this state, the app will not become ready any more; infinite if it always
      may.
    * `again_in`: after so many seconds, a new check may have another result even if nothing reports a change; infinite
      if it cannot.
    """

    reason: str
    final_after: float = math.inf
    again_in: float = math.inf
