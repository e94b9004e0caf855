"""The recipes that a report must contain."""

from collections.abc import Collection, Mapping

from attrs import frozen


@frozen
class ExpectedRecipes:
    """The recipes that a report must contain. A report with other recipes is wrong.

    `declared` is the number of recipes in the fleet. `selected` maps each selected recipe to whether it is enrolled.
    `observed` is the number of observations. `orphans` are the names of the orphans.
    """

    declared: int
    selected: Mapping[str, bool]
    observed: int
    orphans: Collection[str] = ()
