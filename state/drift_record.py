"""Since when a recipe differs from what it should be, as the last pass recorded it."""

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen


@frozen
class DriftRecord:
    """How one recipe differed from what it should be when the last pass ended.

    `since` maps each difference, such as "new-release" or "damaged", to the time when a pass first saw it. If a
    difference ends and comes back, its time is when it came back.
    """

    recipe: str
    since: Mapping[str, datetime]
