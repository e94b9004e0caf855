"""Makes the part of JSON documents that shows what was tried of a release beside its tiers (ways)."""

from collections.abc import Iterable

from reconciler.core.way_kinds import is_danger
from reconciler.core.way_records import case_body, stop_body
from reconciler.core.ways import RecordedWay, WayResult, is_dangerous
from reconciler.show.documents.recorded_parts import Json
from reconciler.show.quantities import rfc3339


def ways_part(results: Iterable[WayResult]) -> list[Json]:
    """Return a list with a JSON entry for each of `results`, the results of the ways that were tried in this run.

    Its keys "at" and "by_pass" are null: only `recorded_ways_part` fills them.
    """
    return [_way(result) for result in results]


def recorded_ways_part(recorded: Iterable[RecordedWay]) -> list[Json]:
    """Return a list with a JSON entry for each of `recorded`, the results of ways in the ledger.

    Its key "at" says when the result was recorded. Its key "by_pass" is true if a pass tried the way, and false if a
    person did.
    """
    return [{**_way(each.result), "at": rfc3339(each.at), "by_pass": each.by_pass} for each in recorded]


def _way(result: WayResult) -> Json:
    return {
        "way": result.way,
        "answer": result.answer,
        "kind": result.kind,
        "dangerous": is_dangerous(result),
        "version": result.release.version,
        "to": result.base.version if result.base is not None else None,
        "reason": result.reason,
        "proves_writes": result.proves_writes,
        "stop": stop_body(result.stop),
        "cases": [{**case_body(case), "dangerous": is_danger(case.kind)} for case in result.cases],
        "seconds": round(result.seconds, 1),
        "log": result.log,
        "at": None,
        "by_pass": None,
    }
