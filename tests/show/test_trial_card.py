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
from reconciler.core.way_cases import DataSource, Kill, Moment, WayCase
from reconciler.core.way_kinds import WayAnswer, WayKind
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


OLDEST, OLDER = DataSource("1.0.0", "a" * 40), DataSource("1.1.0", "b" * 40, 3)
LEAP = WayResult(
    "cal",
    WayName.LEAP,
    WayAnswer.NO,
    Release("1.2.0", "c" * 40),
    kind=WayKind.REFUSES,
    cases=(
        WayCase(OLDER, WayAnswer.YES, seconds=4.0),
        WayCase(OLDEST, WayAnswer.NO, WayKind.REFUSES, "web exited 1: no such column", seconds=2.5),
        WayCase(DataSource("<0.5"), WayAnswer.SKIP, reason="no such release"),
    ),
)
FALL = WayResult(
    "cal",
    WayName.FALL,
    WayAnswer.ERROR,
    Release("1.2.0", "c" * 40),
    cases=(
        WayCase(OLDER, WayAnswer.YES, moment=Moment.EARLY, kill=Kill(0.15, 1.0), seconds=3.0),
        WayCase(OLDER, WayAnswer.ERROR, None, "the disk is busy", moment=Moment.LATE, seconds=1.0),
    ),
)
BACK = WayResult("cal", WayName.BACK, WayAnswer.YES, Release("1.2.0", "c" * 40), OLDER.release, seconds=7.0)
CLOSED = Condition("way-leap", ConditionStatus.FAIL, "the way is closed")


def test_the_junit_file_of_a_trial_with_ways_equals_its_golden_file() -> None:
    text = junit(trial_of("cal"), [BACK, LEAP, FALL], [CLOSED])
    assert text == golden_text("trial.ways.xml", text)


def test_each_row_of_a_leap_and_a_fall_is_a_test_case_with_its_own_words_and_a_way_without_rows_is_one() -> None:
    suite = ET.fromstring(junit(trial_of("cal"), [BACK, LEAP, FALL], [CLOSED]))  # noqa: S314  our own text
    of_ways = [case for case in suite.iter("testcase") if case.get("classname") == "cal ways"]
    assert {case.get("name"): [child.tag for child in case] for case in of_ways} == {
        "back": [],
        "leap from 1.1.0 (generation 3)": [],
        "leap from 1.0.0 (installed fresh)": ["failure"],
        "leap from <0.5": ["skipped"],
        "fall early, over 1.1.0 (generation 3)": [],
        "fall late, over 1.1.0 (generation 3)": ["error"],
    }
    assert [case.get("time") for case in of_ways] == ["7.000", "4.000", "2.500", "0.000", "3.000", "1.000"]
    failure = suite.find("testcase/failure")
    assert failure is not None
    words = str(failure.get("message"))
    assert ("web exited 1: no such column" in words, "1.1.0" in words) == (True, False)
    tags = [child.tag for case in suite for child in case]
    assert {key: int(suite.get(key, "")) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": len(suite.findall("testcase")),
        "failures": tags.count("failure"),
        "errors": tags.count("error"),
        "skipped": tags.count("skipped"),
    }


def test_a_closed_row_fails_the_file_only_if_a_promotion_depends_on_its_way() -> None:
    suite = ET.fromstring(junit(trial_of("cal"), [LEAP]))  # noqa: S314  our own text
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "2")


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
