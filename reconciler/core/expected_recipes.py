"""Whom a report has to account for."""

from collections.abc import Collection, Mapping

from attrs import frozen


@frozen
class ExpectedRecipes:
    """Whom a report has to account for, told before anything was compared.

    `declared` counts the whole fleet, `selected` maps each recipe that was asked for to whether it is enrolled,
    `orphans` are recorded and no longer declared; `observed` counts the looks taken.
    """

    declared: int
    selected: Mapping[str, bool]
    observed: int
    orphans: Collection[str] = ()
