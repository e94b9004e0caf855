"""Finds out how recipes differ from what they should be and since when, for dry runs and `drift`."""

from collections.abc import Iterable, Mapping
from datetime import date

from attrs import evolve

from desired.drift_ignore import DriftIgnore
from desired.model import Recipe
from reconciler.core.drift import RecipeDrift, drift_items
from reconciler.core.events import events_of, last_observed
from reconciler.core.findings import Cause
from reconciler.core.plan import Step
from reconciler.ports.host import Host
from state.records import Records


def drift_by_recipe(
    host: Host, recipes: Mapping[str, Recipe], records: Records, steps: Iterable[Step], *, counts_ignored: bool
) -> dict[str, RecipeDrift]:
    """Return, by recipe, how the recipe of each of `steps` differs from what it should be.

    * `recipes`: all recipes of the fleet.
    * `counts_ignored`: True for the command `drift`. A recipe then counts as ignored if all its differences are
      ignored. If an upstream cannot be seen, the ledger is read to find out when a pass last saw it. If this argument
      is False, no recipe counts as ignored, and the ledger is not read.
    """
    steps = tuple(steps)
    unseen = [step.recipe for step in steps if step.finding.cause is Cause.UNOBSERVABLE]
    events = events_of(host.registry.lines()) if counts_ignored and unseen else ()
    today = host.clock.now().date()
    found: dict[str, RecipeDrift] = {}
    for step in steps:
        name = step.recipe
        rule = recipes[name].drift if name in recipes else DriftIgnore()
        items = drift_items(step.finding, records.drift.get(name), rule, today)
        drift = _with_rule(RecipeDrift(items), rule, today)
        is_ignored = counts_ignored and bool(items) and all(item.ignored for item in items)
        last_seen = last_observed(events, name) if name in unseen else None
        found[name] = evolve(drift, is_ignored=is_ignored, last_seen=last_seen)
    return found


def _with_rule(drift: RecipeDrift, rule: DriftIgnore, today: date) -> RecipeDrift:
    """Return the drift with its fields `rule`, `rule_ended` and `unused` filled in.

    `rule` is the recipe's declared `[drift]`. `today` is the day in UTC, by which the rule may have ended.
    """
    words = {item.difference.what for item in drift.items}
    if rule.until is not None and rule.until <= today:
        return evolve(drift, rule=rule, rule_ended=bool(words & set(rule.ignore)))
    return evolve(drift, rule=rule, unused=tuple(word for word in rule.ignore if word not in words))
