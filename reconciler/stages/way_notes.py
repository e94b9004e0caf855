"""Writes the notes on ways for a report: what came of one, which are due, and which have closed."""

from collections.abc import Iterable, Mapping

from desired.model import WayName
from reconciler.core.closed_ways import closed_way
from reconciler.core.observation import Observation
from reconciler.core.way_records import WAY_LINE, recorded_ways
from reconciler.core.ways import WayResult, way_text
from reconciler.ports.host import Host
from reconciler.stages.ways_to_try import ways_to_try
from state.records import Records

Notes = tuple[str, ...]


def due_notes(host: Host, observations: Mapping[str, Observation], records: Records, asked: Iterable[WayName]) -> Notes:
    """Return a note for each recipe of which a pass would try ways now, for the report of a dry run.

    `asked` are the ways that the command line names, besides the ways that each recipe declares; () for none.
    """
    found, unknown = ways_to_try(host, observations, records, asked)
    due = (f"{each.recipe.name} {each.canonical.version}: a pass would try: {', '.join(each.ways)}" for each in found)
    return (*due, *(f"{name}: {why}" for name, why in unknown.items()))


def closed_notes(host: Host, records: Records, names: Iterable[str]) -> Notes:
    """Return a note for each closed way of the recipes `names`: its answer was YES, and now is NO for the canonical.

    The stop is left out, because its answer does not depend on an older release.
    """
    canonicals = {name: records.canonicals[name] for name in names if name in records.canonicals}
    lines = host.registry.lines(kind=WAY_LINE) if canonicals else ()
    found = (
        closed_way(recorded_ways(lines, name), have.version, have.commit, way)
        for name, have in canonicals.items()
        for way in (WayName.BACK, WayName.LEAP, WayName.FALL)
    )
    return tuple(_closed_note(*each) for each in found if each is not None)


def _closed_note(before: WayResult, present: WayResult) -> str:
    if present.way is not WayName.BACK:
        was = f"{before.release.version} passed it"
        return (
            f"{present.recipe}: the {present.way} has closed: {was}; of {present.release.version}: {way_text(present)}"
        )
    was = f"{before.release.version} could go back" + (f" to {before.base.version}" if before.base else "")
    return f"{present.recipe}: the way back has closed: {was}; of {present.release.version}: {way_text(present)}"


def way_note(result: WayResult) -> str:
    """Return a note on the result of one way, for the report: such as "app 1.2.0: back yes to 1.1.0"."""
    return f"{result.recipe} {result.release.version}: {result.way} {way_text(result)}"
