"""The recipes that a report must contain."""

from collections.abc import Collection, Mapping

from attrs import frozen


@frozen
class ExpectedRecipes:
    """The recipes that a report must contain, fixed before anything is compared.

    `declared` counts the whole fleet. `selected` maps each selected recipe to whether it is enrolled. `observed` counts
    the observations made. `orphans` are recorded and no longer declared.
    """

    declared: int
    selected: Mapping[str, bool]
    observed: int
    orphans: Collection[str] = ()
