from xml.etree import ElementTree as ET

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import TierName, WayName
from desired.releases import Release
from reconciler.core.base import Base, Origin
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.outcome import Result
from reconciler.core.tier_results import Skip, TierResult, Trial, Verdict
from reconciler.core.way_cases import DataSource, WayCase
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import WayResult
from reconciler.ports.app import RunningApp
from reconciler.show.documents.junit import junit
from reconciler.show.text.raise_and_logs import render_logs, render_raised
from reconciler.show.text.screen import Screen
from reconciler.show.text.trial_card import render_trial, result_of, tier_reason, trial_line
from tests.expected_documents import golden_text
from tests.reports import GATE, HOME, PASSED
from tests.values import RED_TIERS, tiers, trial_of

FILE = Screen()
BY_HAND = Condition("not-ref", ConditionStatus.FAIL, "a person chose what was tested")
BEHIND = Condition("tagged", ConditionStatus.FAIL, "upstream has no release tag main")


def skipping() -> Trial:
    """Green, with a skip for each reason but that nobody asked."""
    reasons = (Skip.NO_BASE, Skip.NO_CHECK, Skip.DECLARED, Skip.BASE_BROKEN)
    left_out = [
        TierResult(name, Verdict.SKIP, "no disk for it" if skip is Skip.DECLARED else "", 0.0, skip)
        for name, skip in zip([*TierName][1:], reasons, strict=True)
    ]
    base = Base(None, Origin.NONE, "no older release")
    return evolve(trial_of("cal", [RED_TIERS[0], *left_out]), base=base, findings=("1 process had to be ended",))


TRIALS: dict[str, tuple[Trial, tuple[Condition, ...]]] = {
    "green": (trial_of("cal"), (*PASSED[:3], BY_HAND, GATE[4], HOME)),
    "red": (evolve(trial_of("cal", RED_TIERS), tail=("Traceback:", "KeyError: 'body'")), (*GATE[:3], BY_HAND, GATE[4])),
    "skips": (skipping(), (*PASSED[:3], BY_HAND, BEHIND)),
}


@pytest.mark.parametrize("name", TRIALS)
def test_the_trial_equals_its_golden_file(name: str) -> None:
    text = render_trial(*TRIALS[name], FILE, state="/var/lib/reconcile")
    assert text == golden_text(f"trial.{name}.txt", text)


@pytest.mark.parametrize("name", TRIALS)
def test_the_junit_file_equals_its_golden_file(name: str) -> None:
    text = junit(TRIALS[name][0])
    assert text == golden_text(f"trial.{name}.xml", text)


# ---- what it came to ----


def test_a_green_trial_says_that_it_never_promotes() -> None:
    assert trial_line(*TRIALS["green"]).startswith("green, level 5/5, 1 min 32 s; a trial never promotes")


def test_a_trial_names_the_conditions_that_prevent_a_promotion() -> None:
    line = trial_line(*TRIALS["skips"])
    assert line.endswith("a pass would not promote it: tagged: upstream has no release tag main")


def test_the_label_is_that_of_the_first_tier_that_did_not_pass() -> None:
    lost = [RED_TIERS[0], evolve(RED_TIERS[1], verdict=Verdict.ERROR)]
    assert result_of(trial_of("cal")) is Result.GREEN_NOT_PROMOTED
    assert result_of(trial_of("cal", RED_TIERS)) is Result.RED
    assert result_of(trial_of("cal", lost)) is Result.INFRASTRUCTURE
    assert result_of(trial_of("cal", RED_TIERS[:1])) is Result.NOT_TRIED
    assert trial_line(trial_of("cal", lost), ()).startswith("infrastructure: upgrade could not be judged")
    assert trial_line(trial_of("cal", RED_TIERS[:1]), ()).startswith("not green")


def test_a_skip_names_its_reason_and_a_pass_needs_none() -> None:
    told = {tier.skip: tier_reason(tier) for tier in skipping().tiers}
    assert told[Skip.NO_BASE] == "no-base: there is no older release to start from"
    assert told[Skip.DECLARED] == "declared: no disk for it"
    assert told[None] == ""


# ---- junit ----


def test_each_tier_is_a_test_case_of_its_verdict() -> None:
    suite = ET.fromstring(junit(TRIALS["red"][0]))  # noqa: S314  our own text
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
    }
    failure = suite.find("testcase[@name='upgrade']/failure")
    assert failure is not None
    assert (failure.get("message"), failure.text) == ("data.check exited 1", "Traceback:\nKeyError: 'body'")


def test_a_way_with_a_row_that_was_not_proved_is_no_passed_test_if_a_promotion_depends_on_it() -> None:
    cases = tuple(WayCase(DataSource(answer), answer) for answer in (WayAnswer.YES, WayAnswer.SKIP))
    leap = WayResult("cal", WayName.LEAP, WayAnswer.YES, Release("1.0.0", "c" * 40), cases=cases)

    def elements(*conditions: Condition) -> list[str]:
        suite = ET.fromstring(junit(trial_of("cal"), [leap], conditions))  # noqa: S314  our own text
        assert suite.get("skipped") == str(len(conditions))
        return [child.tag for child in suite[-1]]

    assert elements() == []
    assert elements(Condition("way-leap", ConditionStatus.OPEN, "not proved")) == ["skipped"]


@given(st.text(st.one_of(st.characters(codec=None), st.sampled_from("\x00\x1b\ud800\uffff<&\"]'\n"))))
def test_the_junit_file_is_xml_whatever_was_printed(word: str) -> None:
    evil = [evolve(each, reason=word) for each in tiers(Verdict.PASS, Verdict.FAIL, Verdict.SKIP)]
    text = junit(evolve(trial_of("cal", evil), tail=(word,), recipe=word))
    assert len(ET.fromstring(text.encode("utf-8"))) == len(evil)  # noqa: S314  our own text


# ---- a raised copy, and logs ----


def test_a_raised_copy_is_one_line_of_five_fields() -> None:
    seen = RunningApp("1.0.0+2", "c" * 40, is_up=True, url="http://127.0.0.1:4000", address="127.0.0.1:4000")
    assert render_raised("cal", seen) == f"cal 1.0.0+2 {'c' * 40} http://127.0.0.1:4000 127.0.0.1:4000\n"


def test_logs_are_printed_by_tier_and_cannot_control_the_terminal() -> None:
    text = render_logs("t1", {"install": "deploying\nready\n", "upgrade": "\x1b[2J\rPASS\n"}, FILE)
    assert text == "==> t1 install <==\ndeploying\nready\n\n==> t1 upgrade <==\n\\x1b[2J\\rPASS\n"


def test_an_app_without_logs_is_accepted() -> None:
    assert render_logs("t1", {}, FILE) == ""
