"""Finds the ways of canonicals that are to be tried: those that are asked for and were not tried before."""

import traceback
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from desired.model import Recipe, WayName
from desired.releases import Release
from reconciler.core.holds import why_held
from reconciler.core.observation import Observation, damage_of, tags_to_mirror
from reconciler.core.way_records import WAY_LINE, recorded_ways
from reconciler.core.ways import RecordedWay, due_ways, way_base
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.stages.older_data import OVER_OLDER_DATA, OlderSources, older_sources
from reconciler.stages.signatures import refused_signature
from state.records import Canonical, Memory, Records


@frozen
class WaysToTry:
    """The ways of one canonical that are to be tried now.

    * `base`: the older release to go back to; None if none may be deployed.
    * `no_base`: why `base` is None.
    * `observation`: what was seen of the recipe.
    * `recorded`: the earlier results of the recipe's ways, the oldest first.
    * `older`: the data of older releases; None if none of `ways` needs such data.
    """

    recipe: Recipe
    canonical: Canonical
    base: Release | None
    no_base: str
    observation: Observation
    ways: tuple[WayName, ...]
    recorded: Sequence[RecordedWay]
    older: OlderSources | None = None


def ways_to_try(
    host: Host, observations: Mapping[str, Observation], records: Records, asked: Iterable[WayName]
) -> tuple[Sequence[WaysToTry], Mapping[str, str]]:
    """Find the ways that are to be tried now. Return two values.

    * for each recipe that has ways to try: the ways, with what is needed to try them.
    * for each recipe whose ways could not be found out: the reason.

    A way is to be tried if it was not tried before, and is in `asked` or declared by the recipe. Recipes on hold and
    damaged canonicals are left out. The ledger is read only if any way is asked for or declared.
    """
    wanted = wanted_ways(observations, asked)
    if not wanted:
        return (), {}
    found: list[WaysToTry] = []
    unknown: dict[str, str] = {}
    lines = host.registry.lines(kind=WAY_LINE)
    for name, ways in wanted.items():
        try:
            each = _to_try(host, observations[name], records, ways, recorded_ways(lines, name))
        except Exception as failed:  # noqa: BLE001  the other recipes go on
            unknown[name] = failed_text(host, name, failed)
        else:
            found += [each] if each is not None and each.ways else []
    return found, unknown


def wanted_ways(observations: Mapping[str, Observation], asked: Iterable[WayName]) -> Mapping[str, tuple[WayName, ...]]:
    """Return for each enrolled recipe the ways in `asked` and its declared ones. Leave out recipes without any."""
    asked = tuple(asked)
    wanted = {name: (*asked, *each.recipe.ways.run) for name, each in observations.items() if each.recipe.enrolled}
    return {name: ways for name, ways in wanted.items() if ways}


def failed_text(host: Host, name: str, failed: Exception) -> str:
    """Return why the ways of the recipe `name` cannot be tried. Show the error and its type in the progress, too."""
    host.progress.step(name, "".join(traceback.format_exception_only(failed)).strip())
    return f"its ways could not be tried: {reason_of(failed)}"


def _to_try(
    host: Host, observation: Observation, records: Records, asked: Iterable[WayName], recorded: Sequence[RecordedWay]
) -> WaysToTry | None:
    name, canonical = observation.recipe.name, records.canonicals.get(observation.recipe.name)
    if canonical is None or observation.tests_unreadable:
        return None
    memory = records.memories.get(name, Memory(name))
    held = why_held(records.holds.get(name), host.clock.now().date())
    if held or damage_of(memory, canonical.generation) is not None:
        return None
    base, no_base = deployable(host, observation, _base(host, observation, canonical))
    asked, release = set(asked), Release(canonical.version, canonical.commit)
    older = older_sources(host, observation, release) if asked & OVER_OLDER_DATA else None
    by_way = older.by_way() if older is not None else {}
    ways = due_ways(asked, release, base, observation.tests, recorded, by_way)
    return WaysToTry(observation.recipe, canonical, base, no_base, observation, ways, recorded, older)


def _base(host: Host, observation: Observation, canonical: Canonical) -> Release | None:
    return way_base(canonical, tags_to_mirror(observation), host.registry.generations(canonical.recipe))


def deployable(host: Host, observation: Observation, base: Release | None) -> tuple[Release | None, str]:
    """Return `base`, the older release of a way back, and "" if this release may be deployed.

    If `base` is None, or if it is unsigned and the recipe needs signatures, return None and the reason. A later pass
    tries the way back once `base` is signed. Raise InfrastructureError if the signature cannot be checked.
    """
    if base is None:
        return None, "there is no older release"
    fault = refused_signature(host, observation, base)
    return (None, f"{base.version} is not deployed: its tag is unsigned: {fault}") if fault else (base, "")
