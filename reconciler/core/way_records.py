"""Writes the results of ways into the ledger, and reads them. A way is tried of a release beside its tiers."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from desired.model import WayName
from desired.releases import Release
from reconciler.core.way_cases import DataSource, Kill, Moment, WayCase
from reconciler.core.way_kinds import StopFacts, WayAnswer, WayKind
from reconciler.core.ways import RecordedWay, WayResult, way_text
from state.ledger_line import LedgerLine

WAY_LINE: Final = "way"
"""The kind of the ledger's lines on ways."""


def recorded_ways(lines: Iterable[LedgerLine], recipe: str) -> tuple[RecordedWay, ...]:
    """Return the results of the ways of `recipe` in the ledger lines `lines`, the oldest first.

    Lines about anything else are left out. Lines in a form that only a newer Canon can read are left out, too.
    """
    entries = [line.entry for line in lines if (line.entry.kind, line.entry.recipe) == (WAY_LINE, recipe)]
    found = (recorded_way(recipe, entry.at, entry.body) for entry in entries)
    return tuple(each for each in found if each is not None)


def way_body(result: WayResult) -> Mapping[str, object]:
    """Return the result of a way as JSON data for the ledger."""
    base = {"to": result.base.version, "to_commit": result.base.commit} if result.base is not None else {}
    return {
        "way": result.way,
        "answer": result.answer,
        "kind": result.kind,
        "version": result.release.version,
        "commit": result.release.commit,
        **base,
        "reason": result.reason,
        "proves_writes": result.proves_writes,
        "stop": stop_body(result.stop),
        "cases": [case_body(case) for case in result.cases],
        "tests": result.tests,
        "seconds": round(result.seconds, 1),
        "log": result.log,
    }


def stop_body(stop: StopFacts | None) -> dict[str, object] | None:
    """Return how a release ended after SIGTERM as JSON data, for ledger and documents; None if `stop` is None."""
    if stop is None:
        return None
    return {
        "seconds": round(stop.seconds, 2),
        "grace": stop.grace,
        "killed": list(stop.killed),
        "exit_codes": dict(stop.exit_codes),
    }


def case_body(case: WayCase) -> dict[str, object]:
    """Return the result of one case of a way as JSON data, for the ledger and for documents."""
    kill = case.kill
    return {
        "from": case.source.version,
        "from_commit": case.source.commit,
        "generation": case.source.generation,
        "moment": case.moment,
        "killed_after": round(kill.after, 3) if kill is not None else None,
        "start_seconds": round(kill.start, 3) if kill is not None else None,
        "answer": case.answer,
        "kind": case.kind,
        "reason": case.reason,
        "proves_writes": case.proves_writes,
        "seconds": round(case.seconds, 1),
    }


def recorded_way(recipe: str, at: datetime, body: Mapping[str, object]) -> RecordedWay | None:
    """Return the result of a way, read from a ledger line on the recipe `recipe` at the time `at`.

    `body` is the data of the line. Return None if a newer Canon wrote the data in a form that cannot be read.
    """
    result = _result(recipe, body)
    return RecordedWay(result, at, bool(body.get("by_pass"))) if result is not None else None


def way_sentence(body: Mapping[str, object]) -> str:
    """Return a sentence on the result of a way, such as "back yes to 1.2.0".

    `body` is the data of the ledger line with the result. If a newer Canon wrote it in another form, return only the
    reason in it.
    """
    result = _result("", body)
    return f"{result.way} {way_text(result)}" if result is not None else str(body.get("reason", ""))


def _result(recipe: str, body: Mapping[str, object]) -> WayResult | None:
    try:
        return _read(recipe, body)
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _read(recipe: str, body: Mapping[str, object]) -> WayResult:
    kind, to = body["kind"], body.get("to")
    return WayResult(
        recipe=recipe,
        way=WayName(str(body["way"])),
        answer=WayAnswer(str(body["answer"])),
        release=Release(str(body["version"]), str(body["commit"])),
        base=Release(str(to), str(body["to_commit"])) if to is not None else None,
        kind=WayKind(str(kind)) if kind is not None else None,
        reason=str(body["reason"]),
        proves_writes=bool(body["proves_writes"]),
        stop=_stop(body["stop"]),
        cases=_cases(body.get("cases")),
        tests=str(body["tests"]),
        seconds=float(str(body["seconds"])),
        log=str(body["log"]),
    )


def _stop(body: object) -> StopFacts | None:
    if not isinstance(body, Mapping):
        return None
    grace, codes = body["grace"], body["exit_codes"].items()
    killed = tuple(map(str, body["killed"]))
    return StopFacts(
        float(body["seconds"]),
        None if grace is None else float(grace),
        killed,
        {str(name): int(code) for name, code in codes},
    )


def _cases(bodies: object) -> tuple[WayCase, ...]:
    """Return the cases of a way from `bodies`, the list of cases in a ledger line.

    Return () if `bodies` is no list: an older Canon wrote no cases.
    """
    return tuple(map(_case, bodies)) if isinstance(bodies, list) else ()


def _case(body: Mapping[str, object]) -> WayCase:
    kind, moment, generation, after = body["kind"], body["moment"], body["generation"], body["killed_after"]
    return WayCase(
        source=DataSource(
            str(body["from"]), str(body["from_commit"]), None if generation is None else int(str(generation))
        ),
        answer=WayAnswer(str(body["answer"])),
        kind=WayKind(str(kind)) if kind is not None else None,
        reason=str(body["reason"]),
        proves_writes=bool(body["proves_writes"]),
        moment=Moment(str(moment)) if moment is not None else None,
        kill=Kill(float(str(after)), float(str(body["start_seconds"]))) if after is not None else None,
        seconds=float(str(body["seconds"])),
    )
