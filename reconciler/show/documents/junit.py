"""Writes a trial as JUnit XML, which CI systems can show. Each tier is a test case."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.core.tier_results import TierResult, Trial, Verdict
from reconciler.core.ways import WayAnswer, WayResult, way_text
from reconciler.show.escape import escape, escape_lines
from reconciler.show.quantities import rfc3339
from reconciler.show.text.trial_card import tier_reason

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET


def junit(trial: Trial, ways: Sequence[WayResult] = ()) -> str:
    """Return a trial as JUnit XML, with a test case for each tier and for each result in `ways`.

    `ways` are what was tried after the tiers. Control characters are escaped, since XML cannot contain most of them.
    """
    from xml.etree import ElementTree as ET

    counts = {verdict: sum(tier.verdict is verdict for tier in trial.tiers) for verdict in Verdict}
    answers = [result.answer for result in ways]
    facts = {
        "name": f"{trial.recipe} {trial.release.version}",
        "tests": str(len(trial.tiers) + len(ways)),
        "failures": str(counts[Verdict.FAIL]),
        "errors": str(counts[Verdict.ERROR] + answers.count(WayAnswer.ERROR)),
        "skipped": str(counts[Verdict.SKIP] + answers.count(WayAnswer.NO) + answers.count(WayAnswer.SKIP)),
        "time": f"{trial.seconds:.3f}",
        "timestamp": rfc3339(trial.started_at),
    }
    suite = ET.Element("testsuite", _escaped(facts))
    for tier in trial.tiers:
        case = ET.SubElement(suite, "testcase", _escaped(_case(trial, tier)))
        if tier.verdict is not Verdict.PASS:
            detail = ET.SubElement(case, _ELEMENT[tier.verdict], _escaped({"message": tier_reason(tier)}))
            detail.text = _output(trial, tier)
    for result in ways:
        _add_way(suite, result)
    ET.indent(suite)
    return f"{_HEAD}\n{ET.tostring(suite, encoding='unicode')}\n"


_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_ELEMENT = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}


def _add_way(suite: "ET.Element", result: WayResult) -> None:
    """Add a test case for the result of a way to `suite`.

    The answer NO makes it a skipped test case with a reason, because a way never fails a trial.
    """
    from xml.etree import ElementTree as ET

    facts = {"classname": f"{result.recipe} ways", "name": result.way, "time": f"{result.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", _escaped(facts))
    if result.answer is not WayAnswer.YES:
        element = "error" if result.answer is WayAnswer.ERROR else "skipped"
        ET.SubElement(case, element, _escaped({"message": way_text(result)}))


def _case(trial: Trial, tier: TierResult) -> dict[str, str]:
    """Return the XML attributes of a tier's test case."""
    return {"classname": trial.recipe, "name": tier.name, "time": f"{tier.seconds:.3f}"}


def _output(trial: Trial, tier: TierResult) -> str | None:
    """Return the last log lines of the app that failed, escaped; None if there are none, or for a skipped tier."""
    if tier.verdict is Verdict.SKIP:
        return None
    return "\n".join(line for part in trial.tail for line in escape_lines(part)) or None


def _escaped(facts: dict[str, str]) -> dict[str, str]:
    """Return `facts` with each value escaped."""
    return {name: escape(text) for name, text in facts.items()}
