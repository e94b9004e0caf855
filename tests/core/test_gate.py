from collections.abc import Sequence

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.model import Recipe, WayName, Ways
from desired.releases import Release, Unobservable
from reconciler.core.gate import (
    Condition,
    ConditionStatus,
    early_refusals,
    gate,
    is_closed_way,
    refusals,
    way_conditions,
)
from reconciler.core.tier_results import Skip, Trial, Verdict
from reconciler.core.way_cases import DataSource, WayCase, answer_of
from reconciler.core.way_kinds import WayAnswer, WayKind
from reconciler.core.ways import GatingWays, WayResult
from state.records import Answer, Place
from tests.core.attempt_strategies import trials
from tests.values import HERE, answer, commit, fleet, recipe, tiers, trial

A, B = commit("a"), commit("b")
RELEASE = Release("1.0.0", A)
GOOD = trial(RELEASE)
STILL = answer({"0.9.0": B, "1.0.0": A})
PASS, FAIL, OPEN = ConditionStatus.PASS, ConditionStatus.FAIL, ConditionStatus.OPEN
KEPT = DataSource("0.9.0", B)
EXCEPTED = evolve(recipe(), enrolled=False, exception="needs a mail server")
ELSEWHERE = evolve(HERE, unit="session-3.scope")


def judged(
    tried: Trial | None = GOOD,
    asked_again: Answer | Unobservable | None = STILL,
    declared: Recipe | None = None,
    unit: str = "",
) -> dict[str, Condition]:
    """Each condition of the gate by its name."""
    one = declared or recipe()
    conditions = gate(fleet(one, unit=unit), one, tried, asked_again, HERE)
    return {each.name: each for each in conditions}


def test_a_green_cold_trial_by_a_pass_of_a_release_that_is_still_tagged_passes_the_gate() -> None:
    conditions = gate(fleet(recipe()), recipe(), GOOD, STILL, HERE)
    assert refusals(conditions) == ()
    assert [str(each) for each in conditions] == [
        "enrolled: declared",
        "green: level 5/5",
        "cold: empty slot, own checkout unchanged, every tier reached",
        "not-ref: a pass chose the release",
        "tagged: 1.0.0 names 6100000, asked again after the trial",
    ]


NOT_ASKED = (*tiers()[:4], evolve(tiers(*[Verdict.SKIP] * 5)[4], skip=Skip.NOT_ASKED))

REFUSED = [
    ("green", evolve(GOOD, tiers=tiers(Verdict.PASS, Verdict.FAIL)[:2]), "upgrade fail: upgrade said fail"),
    ("green", evolve(GOOD, tiers=tiers(Verdict.PASS, Verdict.ERROR)[:2]), "upgrade error: upgrade said error"),
    ("green", evolve(GOOD, tiers=tiers(Verdict.SKIP)), "install was left out, or a tier was not reached"),
    ("green", evolve(GOOD, tiers=tiers()[:2]), "install was left out, or a tier was not reached"),
    ("green", evolve(GOOD, tiers=()), "install was left out, or a tier was not reached"),
    ("cold", evolve(GOOD, slots_were_empty=False), "the slot was not empty at the start"),
    ("cold", evolve(GOOD, altered=("a.py", "b.py", "c.py", "d.py")), "tracked files changed: a.py, b.py, c.py"),
    ("cold", evolve(GOOD, tests_unchanged=False), "the fleet folder of the recipe changed during the trial"),
    ("cold", evolve(GOOD, tiers=tiers()[:2]), "a tier was left out or not reached"),
    ("cold", evolve(GOOD, tiers=NOT_ASKED), "a tier was left out or not reached"),
    ("not-ref", evolve(GOOD, by_pass=False), "a person chose what was tested"),
]


@pytest.mark.parametrize(("name", "tried", "evidence"), REFUSED)
def test_a_trial_is_refused_by_the_condition_that_it_breaks(name: str, tried: Trial, evidence: str) -> None:
    condition = judged(tried)[name]
    assert (condition.status, condition.evidence) == (FAIL, evidence)


@pytest.mark.parametrize(
    ("asked_again", "evidence"),
    [
        (answer({"1.0.0": B}), "1.0.0 now names 6200000; 6100000 was tested"),
        (answer({"0.9.0": A}), "upstream has no release tag 1.0.0"),
        (answer({"v1.0.0": A}), "upstream has no release tag 1.0.0"),
        (answer({"1.0.0": None}), "upstream has no release tag 1.0.0"),
        (answer({}), "upstream has no release tag 1.0.0"),
        (Unobservable("timed out"), "upstream could not be asked again: timed out"),
    ],
)
def test_a_tag_that_no_longer_names_the_tested_commit_refuses(
    asked_again: Answer | Unobservable, evidence: str
) -> None:
    condition = judged(asked_again=asked_again)["tagged"]
    assert (condition.status, condition.evidence) == (FAIL, evidence)


def test_an_excepted_recipe_is_refused_with_its_reason() -> None:
    condition = judged(declared=EXCEPTED)["enrolled"]
    assert (condition.status, condition.evidence) == (FAIL, "needs a mail server")


def test_a_condition_without_evidence_is_open_and_refuses_the_promotion() -> None:
    before = judged(None, None)
    assert [each.status for each in before.values()] == [PASS, OPEN, OPEN, OPEN, OPEN]
    assert judged(GOOD, None)["tagged"].status is OPEN
    assert judged(None, STILL)["tagged"].status is OPEN
    assert len(refusals(tuple(before.values()))) == 4


@pytest.mark.parametrize(
    ("unit", "status", "evidence"),
    [
        ("reconcile.service", PASS, "in reconcile.service"),
        ("other.service", FAIL, "run: systemctl start other.service"),
    ],
)
def test_a_fleet_with_a_unit_lets_only_a_pass_in_this_unit_promote(
    unit: str, status: ConditionStatus, evidence: str
) -> None:
    condition = judged(unit=unit)["at-home"]
    assert (condition.status, condition.evidence) == (status, evidence)


def test_a_fleet_without_a_unit_has_no_home() -> None:
    assert "at-home" not in judged()


GATED = evolve(recipe(), ways=Ways(gates=(WayName.STOP, WayName.BACK)))
BACK = WayResult("notes", WayName.BACK, WayAnswer.YES, RELEASE, Release("0.9.0", B), tests="t")
STOP = evolve(BACK, way=WayName.STOP, base=None)
CLOSED = evolve(BACK, answer=WayAnswer.NO, kind=WayKind.LOSES, reason="exited 1")
UNPROVED = evolve(BACK, answer=WayAnswer.ERROR, reason="the disk is full")


@pytest.mark.parametrize(
    ("results", "status", "evidence"),
    [
        ([], OPEN, "not tried yet"),
        ([BACK], PASS, "yes to 0.9.0"),
        ([CLOSED], FAIL, "no to 0.9.0: what the newer release wrote is lost: exited 1"),
        ([BACK, CLOSED], FAIL, "no to 0.9.0: what the newer release wrote is lost: exited 1"),
        ([UNPROVED], OPEN, "not proved: error to 0.9.0: the disk is full"),
        ([BACK, evolve(BACK, answer=WayAnswer.SKIP)], OPEN, "not proved: skip to 0.9.0"),
    ],
)
def test_a_way_that_is_a_gate_is_met_only_by_a_yes(
    results: list[WayResult], status: ConditionStatus, evidence: str
) -> None:
    tried = evolve(GOOD, ways=GatingWays([STOP, *results]))
    conditions = judged(tried, None, GATED)
    assert (conditions["way-back"].status, conditions["way-back"].evidence) == (status, evidence)
    assert conditions["way-stop"].status is PASS
    assert is_closed_way(conditions["way-back"]) is (status is FAIL)
    early = [each.name for each in early_refusals(tuple(conditions.values()))]
    assert early == ([] if status is PASS else ["way-back"])


def test_without_an_older_release_the_way_back_is_no_obstacle_and_the_stop_still_is() -> None:
    conditions = judged(evolve(GOOD, ways=GatingWays(nothing_older=True)), STILL, GATED)
    assert {name: conditions[name].status for name in ("way-back", "way-stop")} == {"way-back": PASS, "way-stop": OPEN}


def test_a_way_that_is_no_gate_is_no_condition() -> None:
    assert "way-back" not in judged(evolve(GOOD, ways=GatingWays([CLOSED])))


ANSWERS = [STILL, STILL, STILL, answer({"1.0.0": B}), answer({}), Unobservable("timed out")]
HOMES = [("", HERE), ("", ELSEWHERE), ("reconcile.service", HERE), ("reconcile.service", ELSEWHERE)]


@given(trials(RELEASE), st.sampled_from(ANSWERS), st.sampled_from([*[recipe()] * 4, EXCEPTED]), st.sampled_from(HOMES))
def test_a_promotion_is_allowed_exactly_if_every_condition_holds(
    tried: Trial, asked_again: Answer | Unobservable, declared: Recipe, home: tuple[str, Place]
) -> None:
    unit, place = home
    verdicts = [each.verdict for each in tried.tiers]
    whole = len(verdicts) == 5 and all(each.skip is not Skip.NOT_ASKED for each in tried.tiers)
    green = verdicts[0] is Verdict.PASS and not {Verdict.FAIL, Verdict.ERROR} & set(verdicts)
    cold = tried.slots_were_empty and not tried.altered and tried.tests_unchanged and whole
    at_home = not unit or place is HERE
    goes = declared is not EXCEPTED and green and cold and tried.by_pass and asked_again is STILL and at_home
    conditions = gate(fleet(declared, unit=unit), declared, tried, asked_again, place)
    assert (refusals(conditions) == ()) is goes
    assert len(conditions) == 5 + bool(unit)
    assert all(each.evidence for each in conditions)


def by_cases(way: WayName, answers: Sequence[WayAnswer], source: DataSource = KEPT) -> WayResult:
    """Return the result of a way that has a case with each of these answers."""
    cases = tuple(WayCase(source, each) for each in answers)
    return WayResult("notes", way, answer_of(cases), RELEASE, cases=cases)


def judged_by(way: WayName, *results: WayResult, nothing_older: bool = False) -> Condition:
    [condition] = way_conditions(evolve(recipe(), ways=Ways(gates=(way,))), GatingWays(results, nothing_older))
    return condition


OVER_CASES = st.sampled_from([WayName.LEAP, WayName.FALL])


@given(way=OVER_CASES, answers=st.lists(st.sampled_from(WayAnswer), min_size=1), nothing_older=st.booleans())
def test_a_leap_or_a_fall_that_is_a_gate_is_met_only_if_each_of_its_cases_is_yes(
    way: WayName, answers: list[WayAnswer], *, nothing_older: bool
) -> None:
    status = judged_by(way, by_cases(way, answers), nothing_older=nothing_older).status
    assert (status is PASS) == (set(answers) == {WayAnswer.YES})
    assert (status is FAIL) == (WayAnswer.NO in answers)


def test_a_row_that_was_not_proved_is_named_beside_those_that_were() -> None:
    leap = by_cases(WayName.LEAP, [WayAnswer.YES])
    leap = evolve(leap, cases=(*leap.cases, WayCase(DataSource("3.4.1"), WayAnswer.SKIP, reason="it is unknown")))
    assert judged_by(WayName.LEAP, leap).evidence == "not proved: from 3.4.1 skip: it is unknown"


def test_a_leap_or_a_fall_that_is_a_gate_is_met_where_there_is_nothing_older() -> None:
    for way in (WayName.LEAP, WayName.FALL):
        named = by_cases(way, [WayAnswer.SKIP], DataSource("3.4.1"))
        assert judged_by(way, nothing_older=True).status is PASS
        assert judged_by(way, by_cases(way, []), nothing_older=True).status is PASS
        assert judged_by(way, named, nothing_older=True).status is PASS
        assert judged_by(way, named).status is OPEN
        assert judged_by(way).status is OPEN
    assert judged_by(WayName.LEAP, by_cases(WayName.LEAP, [])).status is PASS
    assert judged_by(WayName.FALL, by_cases(WayName.FALL, [])).status is OPEN


def test_an_answer_that_is_known_counts_before_there_being_nothing_older() -> None:
    assert judged_by(WayName.BACK, CLOSED, nothing_older=True).status is FAIL
    assert judged_by(WayName.BACK, UNPROVED, nothing_older=True).status is OPEN
    assert judged_by(WayName.BACK, evolve(BACK, answer=WayAnswer.SKIP), nothing_older=True).status is PASS
