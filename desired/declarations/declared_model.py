"""Makes the values of the model from the tables that were read: a fleet, and its recipes."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from attrs import fields

from desired.declarations.fleet_tables import FleetFile, NotifyTable
from desired.declarations.tables import RecipeFile
from desired.declarations.values import DIRECT
from desired.drift_ignore import DriftIgnore
from desired.mirror import Mirror
from desired.model import (
    Backup,
    CanonicalPolicy,
    Custom,
    Data,
    Fleet,
    Install,
    Ready,
    Recipe,
    Stop,
    Swarm,
    TierName,
    Upgrade,
    Ways,
)
from desired.notify import Apprise, Mail, Notify, Webhook


def fleet_of(folder: Path, tables: FleetFile, recipes: Mapping[str, Recipe]) -> Fleet:
    """Return the fleet that the tables of `fleet.toml` declare, with its recipes."""
    passes = tables.environment.pass_ or ()
    swarm = Swarm(**{**_declared(tables.swarm), "proxy": None if tables.swarm.proxy == DIRECT else tables.swarm.proxy})
    budget, mirror = _declared(tables.budget), Mirror(**_declared(tables.mirror))
    return Fleet(
        **_declared(tables.fleet),
        **budget,
        folder=folder,
        recipes=recipes,
        passes=passes,
        swarm=swarm,
        mirror=mirror,
        notify=_notify(tables.notify),
    )


def _notify(tables: NotifyTable) -> Notify:
    """Return where messages are sent. A target whose table, such as `[notify.mail]`, is missing or empty is None."""
    tables_of: dict[str, tuple[type, Any]] = {
        "mail": (Mail, tables.mail),
        "webhook": (Webhook, tables.webhook),
        "apprise": (Apprise, tables.apprise),
    }
    declared: dict[str, Any] = {
        name: made(**keys) for name, (made, table) in tables_of.items() if (keys := _declared(table))
    }
    declared |= {} if tables.remind is None else {"remind": tables.remind}
    return Notify(**declared)


def recipe_of(folder: Path, tables: RecipeFile) -> Recipe:
    """Return the recipe that `tables`, merged over the defaults, declare. `folder` is the recipe's fleet folder."""
    return Recipe(
        **_declared(tables.recipe),
        **_declared(tables.release),
        name=folder.name,
        folder=folder,
        install=Install(**_declared(tables.install)),
        ready=_ready(_declared(tables.ready)),
        stop=Stop(**_declared(tables.stop)),
        data=Data(**_declared(tables.data)),
        backup=Backup(**_declared(tables.backup)),
        upgrade=Upgrade(**_declared(tables.upgrade)),
        tiers={TierName(tier): reason for tier, reason in _declared(tables.tiers).items()},
        custom=Custom(**_declared(tables.custom)),
        canonical=CanonicalPolicy(**_declared(tables.canonical)),
        drift=DriftIgnore(**_declared(tables.drift)),
        ways=Ways(**_declared(tables.ways)),
    )


def _ready(declared: Mapping[str, Any]) -> Ready:
    """Return when an app counts as ready, by the declared keys of `[ready]`.

    Without `tcp` and `run`, this is an HTTP check by default.
    """
    return Ready(**{"http": None, **declared}) if {"tcp", "run"} & declared.keys() else Ready(**declared)


def _declared(table: Any) -> dict[str, Any]:  # noqa: ANN401  # one of the attrs classes in tables.py
    """Return the keys that a table gives, with their values. Keys that it does not give are left out."""
    names = _keys(type(table))  # type: ignore[arg-type]  # a class is hashable
    return {name: value for name in names if (value := getattr(table, name)) is not None}


@cache
def _keys(of: type[Any]) -> tuple[str, ...]:
    """Return the names of all keys that a table of the attrs class `of` may have."""
    return tuple(key.name for key in fields(of))
