"""The recipes that a report must contain."""

from collections.abc import Collection, Mapping

from attrs import frozen


@frozen
class ExpectedRecipes:
    """The recipes that a report must contain. A report with other recipes is wrong.

    * `declared`: how many recipes the fleet declares.
    * `selected`: the recipes that this run is about, each with True if it is enrolled.
    * `observed`: how many recipes were observed.
    * `orphans`: the names of the orphans.
    """

    declared: int
    selected: Mapping[str, bool]
    observed: int
    orphans: Collection[str] = ()
