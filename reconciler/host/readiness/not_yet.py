"""Why an app does not count as ready yet."""

import math

from attrs import frozen


@frozen
class NotYet:
    """The app is not ready yet. `reason` is why.

    * `final_after`: an app that stays in this state for so many seconds counts as failed; infinite if the app may still
      become ready, however long this takes.
    * `again_in`: after so many seconds, a new check may have another result although no change was reported; infinite
      if a new check is useless until a change is reported.
    """

    reason: str
    final_after: float = math.inf
    again_in: float = math.inf
