"""What keeps a recipe from a new canonical, and what has to change for each of it."""

from datetime import timedelta

from attrs import evolve
from hypothesis import given

from desired.model import CanonicalPolicy, Keep
from desired.releases import Unobservable
from reconciler.core.blocker import Blocker
from reconciler.core.blockers import blockers_of
from reconciler.core.case import Case
from reconciler.core.findings import compare
from reconciler.core.gate import ConditionStatus, gate
from reconciler.core.moved_by import moved_by
from reconciler.core.observation import CanonicalStatus, Observation, State
from reconciler.core.plan import HeldBack, make_plan
from reconciler.core.policies import policies_of
from state.decisions import Rollback
from tests.strategies import observations
from tests.values import AROUND, EARLIER, HERE, canonical, circumstances, commit, fleet, observation, red

A, B = commit("a"), commit("b")
HAVE = canonical("1.0.0", A)
NEW = observation({"1.0.0": A, "1.1.0": B}, HAVE)
FAIL = ConditionStatus.FAIL


def case_of(seen: Observation) -> Case:
    around = fleet(seen.recipe)
    step = make_plan(compare({"notes": seen}, {}), {"notes": seen}, AROUND).steps["notes"]
    return Case(step, seen, gate(around, seen.recipe, None, None, HERE), around, AROUND, {})


def the_blocker(seen: Observation) -> Blocker:
    [blocker] = blockers_of(case_of(seen))
    return blocker


def facts(blocker: Blocker) -> list[tuple[str, str, str]]:
    return [(change.fact, change.by, change.command) for change in blocker.any_of]


def failing(seen: Observation) -> dict[str, str]:
    """Return the policies and conditions that fail, with their evidence."""
    case = case_of(seen)
    return {each.name: each.evidence for each in (*policies_of(case), *case.gate) if each.status is FAIL}


@given(observations())
def test_each_blocker_is_a_policy_or_condition_that_fails_and_names_a_change(seen: Observation) -> None:
    blockers = blockers_of(case_of(seen))
    assert {each.name for each in blockers} <= failing(seen).keys()
    assert all(change.fact and change.by for each in blockers for change in each.any_of)
    assert all(each.any_of for each in blockers)


def test_a_rollback_ends_by_a_newer_release_or_by_resume() -> None:
    back = Rollback("notes", "1.1.0 loses mails", "tom", EARLIER, "1.0.0", "1.1.0", "1.1.0")
    blocker = the_blocker(evolve(NEW, rollback=back))
    assert (blocker.name, blocker.needs_person) == ("unheld", False)
    assert facts(blocker) == [
        ("upstream publishes a release newer than 1.1.0", "upstream", ""),
        ("its rollback ends now", "you", "reconcile resume notes"),
    ]


def test_a_young_release_is_tried_when_it_is_old_enough_or_when_less_is_asked() -> None:
    age = NEW.observed_at - EARLIER + timedelta(days=1)
    young = evolve(NEW, recipe=evolve(NEW.recipe, minimum_age=age), canonical=None)
    young = evolve(young, status=CanonicalStatus(State.NONE))
    blocker = the_blocker(young)
    assert (blocker.name, blocker.needs_person) == ("old-enough", False)
    assert [fact for fact, _, _ in facts(blocker)] == [
        "1.1.0 is old enough on 2026-03-03 04:00 UTC",
        "`[release] minimum_age` in fleet/recipes/notes/recipe.toml is shorter",
    ]
    assert failing(young)["old-enough"].startswith("too young: first seen on 2026-02-21")
    assert blockers_of(case_of(evolve(young, recipe=evolve(young.recipe, minimum_age=timedelta(days=9))))) == ()


def test_a_red_retest_of_a_damaged_canonical_is_named_while_the_newer_release_is_too_young() -> None:
    age = NEW.observed_at - EARLIER + timedelta(days=1)
    failed = red("1.0.0", circumstances(A))
    seen = evolve(
        NEW,
        recipe=evolve(NEW.recipe, minimum_age=age),
        status=CanonicalStatus(State.DAMAGED, "a byte changed"),
        memory=evolve(NEW.memory, reds={"1.0.0": failed}),
    )
    case = case_of(seen)
    assert case.step.held_back is HeldBack.RED_BEFORE
    assert [each.name for each in blockers_of(case)] == ["old-enough", "not-red"]
    assert failing(seen)["not-red"].startswith("1.0.0 was red on ")
    assert facts(blockers_of(case)[1])[2][2] == "reconcile -r notes --retry notes"


def test_a_canonical_is_not_too_young_however_much_is_asked_later() -> None:
    in_sync = observation({"1.0.0": A}, HAVE)
    in_sync = evolve(in_sync, recipe=evolve(in_sync.recipe, minimum_age=timedelta(days=99)))
    assert (blockers_of(case_of(in_sync)), "old-enough" in failing(in_sync)) == ((), False)


def test_a_canonical_that_allow_excludes_names_the_line_to_edit_and_a_newer_release_as_the_other_way() -> None:
    outside = observation({"0.9.0": B, "1.0.0": A}, HAVE)
    outside = evolve(outside, recipe=evolve(outside.recipe, allow="<1"))
    assert facts(the_blocker(outside)) == [
        ("`[release] allow` in fleet/recipes/notes/recipe.toml admits 1.0.0; now it is '<1'", "you", ""),
        ("upstream publishes an admitted release newer than 1.0.0", "upstream", ""),
    ]


def test_a_version_with_tags_on_two_commits_names_both_tags() -> None:
    blocker = the_blocker(observation({"1.0.0": A, "1.1.0": B, "v1.1.0": A}, HAVE))
    assert (blocker.name, [by for _, by, _ in facts(blocker)]) == ("release", ["upstream", "upstream", "you"])
    assert "upstream drops all but one of 1.1.0, v1.1.0" in [fact for fact, _, _ in facts(blocker)]


def test_a_record_that_cannot_be_read_is_for_a_person_on_the_host() -> None:
    unknown = evolve(NEW, canonical=None, status=CanonicalStatus(State.UNKNOWN, "canon.db: disk I/O error"))
    [(fact, by, _)] = facts(the_blocker(evolve(unknown, answer=Unobservable("not asked"))))
    assert (fact, by) == ("its record can be read: canon.db: disk I/O error", "this host")


def test_a_canonical_that_cannot_be_checked_is_for_a_person_on_the_host() -> None:
    unknown = evolve(NEW, status=CanonicalStatus(State.UNKNOWN, "snapshot.tar: permission denied"))
    blocker = the_blocker(unknown)
    assert (blocker.name, blocker.needs_person) == ("canonical", True)
    assert facts(blocker) == [("this can be read again: snapshot.tar: permission denied", "this host", "")]
    assert failing(unknown)["canonical"] == "unknown: snapshot.tar: permission denied"


def test_tests_that_cannot_be_read_block_only_where_a_release_would_be_tried() -> None:
    unreadable = "check.py: permission denied"
    blocker = the_blocker(evolve(NEW, tests_unreadable=unreadable))
    assert (blocker.name, facts(blocker)) == ("tests", [(f"this can be read again: {unreadable}", "this host", "")])
    in_sync = evolve(observation({"1.0.0": A}, HAVE), tests_unreadable=unreadable)
    assert blockers_of(case_of(in_sync)) == ()
    assert failing(in_sync)["tests"] == unreadable


def test_a_canonical_whose_release_is_gone_waits_for_it_or_is_forgotten() -> None:
    other = commit("other")
    gone = observation({"0.9.0": other}, HAVE, {"0.9.0": other, "1.0.0": A})
    blocker = the_blocker(gone)
    assert blocker.name == "not-ahead"
    assert [(by, command) for _, by, command in facts(blocker)] == [
        ("upstream", ""),
        ("you", "reconcile forget notes --reason …"),
    ]


def test_releases_that_allow_leaves_out_name_the_newest_and_the_line_to_edit() -> None:
    outside = observation({"2.0.0": A, "2.1.0": B})
    outside = evolve(outside, recipe=evolve(outside.recipe, allow="<2"))
    blocker = the_blocker(outside)
    assert (blocker.name, blocker.needs_person) == ("release", True)
    assert facts(blocker)[0] == (
        "`[release] allow` in fleet/recipes/notes/recipe.toml admits 2.1.0, the newest; now it is '<2'",
        "you",
        "",
    )
    assert not the_blocker(observation({"next": A})).needs_person


def test_a_kept_deployment_that_goes_down_is_one_more_thing_that_moves_what_is_in_sync() -> None:
    settled = observation({"1.0.0": A}, HAVE)
    kept = evolve(settled, recipe=evolve(settled.recipe, canonical=CanonicalPolicy(keep=Keep.RUNNING)))
    more = [each.fact for each in moved_by(case_of(kept)) if each not in moved_by(case_of(settled))]
    assert more == ["its kept deployment is down: the next pass deploys it again"]
    assert moved_by(case_of(observation({"1.0.0": A}))) == ()
