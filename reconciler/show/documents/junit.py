"""Writes a trial as JUnit XML, which CI systems can show. Each tier is a test case."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reconciler.core.gate import Condition, ConditionStatus, is_about_way, way_condition_name
from reconciler.core.tier_results import TierResult, Trial, Verdict
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import WayResult, way_text
from reconciler.show.escape import escape, escape_lines
from reconciler.show.quantities import rfc3339
from reconciler.show.text.trial_card import tier_reason

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET


def junit(trial: Trial, ways: Sequence[WayResult] = (), conditions: Sequence[Condition] = ()) -> str:
    """Return a trial as JUnit XML, with a test case for each tier and for each way.

    * `ways`: the results of the ways that were tried after the tiers.
    * `conditions`: the conditions of the gate, which say on which ways the promotion depends.

    Control characters are escaped, because XML cannot contain most of them.
    """
    from xml.etree import ElementTree as ET

    counts = {verdict: sum(tier.verdict is verdict for tier in trial.tiers) for verdict in Verdict}
    gates = {condition.name: condition.status for condition in conditions if is_about_way(condition)}
    elements = [_element_of_way(result, gates.get(way_condition_name(result.way))) for result in ways]
    facts = {
        "name": f"{trial.recipe} {trial.release.version}",
        "tests": str(len(trial.tiers) + len(ways)),
        "failures": str(counts[Verdict.FAIL] + elements.count("failure")),
        "errors": str(counts[Verdict.ERROR] + elements.count("error")),
        "skipped": str(counts[Verdict.SKIP] + elements.count("skipped")),
        "time": f"{trial.seconds:.3f}",
        "timestamp": rfc3339(trial.started_at),
    }
    suite = ET.Element("testsuite", _escaped(facts))
    for tier in trial.tiers:
        case = ET.SubElement(suite, "testcase", _escaped(_case(trial, tier)))
        if tier.verdict is not Verdict.PASS:
            detail = ET.SubElement(case, _ELEMENT[tier.verdict], _escaped({"message": tier_reason(tier)}))
            detail.text = _output(trial, tier)
    for result, element in zip(ways, elements, strict=True):
        _add_way(suite, result, element)
    ET.indent(suite)
    return f"{_HEAD}\n{ET.tostring(suite, encoding='unicode')}\n"


_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_ELEMENT = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}


def _element_of_way(result: WayResult, gate: ConditionStatus | None) -> str | None:
    """Return the name of the XML element that a way's test case has; None if the answer is YES, and proved.

    * "error": the answer is ERROR: this host is to blame, or the release itself does not come up.
    * "failure": the answer is NO, and that prevents the promotion.
    * "skipped": any other answer, because it does not fail the trial.

    `gate` is the status of the gate's condition on this way; None if the promotion does not depend on the way.
    """
    if result.answer is WayAnswer.YES and gate is not ConditionStatus.OPEN:
        return None
    if result.answer is WayAnswer.ERROR:
        return "error"
    return "failure" if gate is ConditionStatus.FAIL and result.answer is WayAnswer.NO else "skipped"


def _add_way(suite: "ET.Element", result: WayResult, element: str | None) -> None:
    """Add a test case for the result of a way to `suite`.

    `element` is the name of the XML element with the reason in the test case; None if the case has no such element.
    """
    from xml.etree import ElementTree as ET

    facts = {"classname": f"{result.recipe} ways", "name": result.way, "time": f"{result.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", _escaped(facts))
    if element is not None:
        ET.SubElement(case, element, _escaped({"message": way_text(result)}))


def _case(trial: Trial, tier: TierResult) -> dict[str, str]:
    """Return the XML attributes of a tier's test case: recipe, tier and seconds."""
    return {"classname": trial.recipe, "name": tier.name, "time": f"{tier.seconds:.3f}"}


def _output(trial: Trial, tier: TierResult) -> str | None:
    """Return the last log lines of the app that failed in the trial, escaped.

    Return None if there are no such lines, or if the tier was skipped.
    """
    if tier.verdict is Verdict.SKIP:
        return None
    return "\n".join(line for part in trial.tail for line in escape_lines(part)) or None


def _escaped(facts: dict[str, str]) -> dict[str, str]:
    """Return `facts` with each value on one line, and with its control characters escaped."""
    return {name: escape(text) for name, text in facts.items()}
