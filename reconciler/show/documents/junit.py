"""Writes a trial as JUnit XML, which CI systems can show. Each tier, way, and row of a way is a test case."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from reconciler.core.gate import Condition, ConditionStatus, is_about_way, way_condition_name
from reconciler.core.tier_results import TierResult, Trial, Verdict
from reconciler.core.way_cases import case_name, case_text
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import WayResult, way_text
from reconciler.show.escape import escape, escape_lines
from reconciler.show.quantities import rfc3339
from reconciler.show.text.trial_card import tier_reason

if TYPE_CHECKING:
    from xml.etree import ElementTree as ET


def junit(trial: Trial, ways: Sequence[WayResult] = (), conditions: Sequence[Condition] = ()) -> str:
    """Return a trial as JUnit XML, with a test case for each tier and for each way.

    A leap and a fall have a test case for each of their cases instead, such as "leap from 1.0.0 (generation 3)".

    * `ways`: the results of the ways that were tried after the tiers.
    * `conditions`: the conditions of the gate. A way with the answer NO is a "failure" if the condition on this way is
      not met, and "skipped" if the promotion does not depend on the way.

    Control characters are escaped, because XML cannot contain most of them.
    """
    from xml.etree import ElementTree as ET

    counts = {verdict: sum(tier.verdict is verdict for tier in trial.tiers) for verdict in Verdict}
    gates = {condition.name: condition.status for condition in conditions if is_about_way(condition)}
    tested = [each for result in ways for each in _tests_of(result, gates.get(way_condition_name(result.way)))]
    elements = [each.element for each in tested]
    facts = {
        "name": f"{trial.recipe} {trial.release.version}",
        "tests": str(len(trial.tiers) + len(tested)),
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
    for each in tested:
        _add_way(suite, trial.recipe, each)
    ET.indent(suite)
    return f"{_HEAD}\n{ET.tostring(suite, encoding='unicode')}\n"


_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_ELEMENT = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}


@frozen
class _WayTest:
    """The test case of a way, or of one case of a leap or a fall.

    * `element`: the name of the XML element with the reason `text`; None if the test case has no such element.
    """

    name: str
    seconds: float
    element: str | None
    text: str


def _tests_of(result: WayResult, gate: ConditionStatus | None) -> list[_WayTest]:
    """Return the test cases of a way: one for each case of a leap or a fall, one alone for any other way.

    `gate` is the status of the gate's condition on this way; None if the promotion does not depend on the way.
    """
    if not result.cases:
        return [_WayTest(result.way, result.seconds, _element_of(result.answer, gate), way_text(result))]
    return [
        _WayTest(
            f"{result.way} {case_name(case)}",
            case.seconds,
            _element_of(case.answer, gate),
            case_text(result.way, case),
        )
        for case in result.cases
    ]


def _element_of(answer: WayAnswer, gate: ConditionStatus | None) -> str | None:
    """Return the name of the XML element that the test case with this answer has; None if the answer is YES.

    * "error": the answer is ERROR, because this host is to blame, or the release itself does not come up.
    * "failure": the answer is NO, and the way prevents the promotion.
    * "skipped": the answer is SKIP, or it is NO and does not prevent the promotion.

    `gate` is the status of the gate's condition on the way; None if the promotion does not depend on the way.
    """
    if answer is WayAnswer.YES:
        return None
    if answer is WayAnswer.ERROR:
        return "error"
    return "failure" if gate is ConditionStatus.FAIL and answer is WayAnswer.NO else "skipped"


def _add_way(suite: "ET.Element", recipe: str, test: _WayTest) -> None:
    """Add the test case `test` of a way of `recipe` to `suite`."""
    from xml.etree import ElementTree as ET

    facts = {"classname": f"{recipe} ways", "name": test.name, "time": f"{test.seconds:.3f}"}
    case = ET.SubElement(suite, "testcase", _escaped(facts))
    if test.element is not None:
        ET.SubElement(case, test.element, _escaped({"message": test.text}))


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
