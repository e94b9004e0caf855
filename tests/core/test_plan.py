from datetime import date

import pytest
from attrs import evolve, frozen

from desired.model import Install
from desired.releases import Release, Unobservable
from reconciler.core.findings import compare
from reconciler.core.needs import ordered_by_needs
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, Orphan, State
from reconciler.core.plan import Action, HeldBack, make_plan
from state.records import Memory
from tests.core.plan_cases import (
    EXCEPTED,
    NONE,
    PROMOTE,
    QUARANTINED,
    RED_BEFORE,
    REDEPLOY,
    REFETCH,
    RETEST,
    A,
    B,
    down,
    planned,
)
from tests.values import AROUND, canonical, circumstances, commit, known, observation, recipe, red

OLD, TAG, TWIN, NEXT = "0.9.0", "1.0.0", "v1.0.0", "1.1.0"
HAVE = canonical(TAG, A)
MIRROR = MirrorContents(commit("main"), {TAG: A})


def damaged(seen: Observation) -> Observation:
    return evolve(seen, status=CanonicalStatus(State.DAMAGED, "snapshot.tar is shorter"))


def unknown(seen: Observation) -> Observation:
    return evolve(seen, status=CanonicalStatus(State.UNKNOWN, "permission denied"))


def mirrored(seen: Observation) -> Observation:
    return evolve(seen, mirror=MIRROR)


def was_red(seen: Observation, version: str, at: str) -> Observation:
    return evolve(seen, memory=evolve(seen.memory, reds={version: red(version, circumstances(at))}))


@frozen
class PlanCase:
    """A observation, and what is done about it: the action at which release, or why not."""

    about: str
    observation: Observation
    action: Action
    release: Release | None = None
    held_back: HeldBack | None = None
    reason: str = ""


IN_SYNC = mirrored(observation({TAG: A}, HAVE))
NEW = observation({TAG: A, NEXT: B}, HAVE)
ACCEPTED = observation({TAG: B}, HAVE, {TAG: B})
NEWEST = Release(NEXT, B)
UNSEEN = observation(Unobservable("refused"), HAVE)
UNREADABLE = MirrorContents(unreadable="no repository")
RAISED = "; its deployment is down (service app is gone) and will be raised from its snapshot; nothing is tried"
AFTERWARDS = "1.1.0 was released after 1.0.0; its deployment is down (service app is gone) and is raised afterwards"
LOST = "the canonical is damaged (snapshot.tar is shorter), the data of 1.0.0 is lost; "


SETTLED = [
    PlanCase("in sync", IN_SYNC, NONE, reason="canonical is at the newest release 1.0.0"),
    PlanCase("in sync, mirror behind", evolve(IN_SYNC, mirror=MirrorContents("old", {})), NONE),
    PlanCase(
        "in sync, mirror unreadable", evolve(IN_SYNC, mirror=UNREADABLE), REFETCH, reason="no repository; it will be"
    ),
    PlanCase("new release, mirror unreadable", evolve(NEW, mirror=UNREADABLE), PROMOTE, NEWEST, reason="no repository"),
    PlanCase(
        "unobservable, mirror unreadable", evolve(UNSEEN, mirror=UNREADABLE), NONE, reason="refused; no repository"
    ),
    PlanCase("in sync, mirror missing", observation({TAG: A}, HAVE), REFETCH, reason="fetched anew; nothing is tried"),
    PlanCase("in sync, damaged", damaged(IN_SYNC), RETEST, Release(TAG, A), reason=f"{LOST}tested again at 1.0.0"),
    PlanCase("in sync by a twin, damaged", damaged(observation({TWIN: A}, HAVE)), RETEST, Release(TWIN, A)),
    PlanCase("in sync, unknown", unknown(IN_SYNC), NONE, reason="cannot be checked: permission denied"),
    PlanCase("in sync, down", down(IN_SYNC), REDEPLOY, reason=f"newest release 1.0.0{RAISED}"),
    PlanCase(
        "in sync, down, mirror missing", down(observation({TAG: A}, HAVE)), REDEPLOY, reason=f"nothing is tried{RAISED}"
    ),
    PlanCase("new release, down", down(NEW), PROMOTE, NEWEST, reason=AFTERWARDS),
    PlanCase("unobservable, down", down(UNSEEN), REDEPLOY, reason=f"refused{RAISED}"),
    PlanCase("first release", observation({TAG: A}), PROMOTE, Release(TAG, A)),
    PlanCase("new release", NEW, PROMOTE, Release(NEXT, B), reason="1.1.0 was released after 1.0.0"),
    PlanCase("new release, damaged", damaged(NEW), PROMOTE, Release(NEXT, B), reason=f"{LOST}1.1.0 was released"),
    PlanCase("new release, unknown", unknown(NEW), NONE, reason="cannot be checked: permission denied"),
    PlanCase("new release, have red", was_red(NEW, TAG, A), PROMOTE, Release(NEXT, B)),
    PlanCase("accepted move", ACCEPTED, PROMOTE, Release(TAG, B)),
    PlanCase("never released", observation({"latest": A}), NONE, reason="no release tag"),
    PlanCase("unobservable", UNSEEN, NONE, reason="refused"),
    PlanCase("unobservable, damaged", damaged(UNSEEN), NONE, reason="refused"),
]


ASKING = [
    PlanCase("in sync, damaged, red", was_red(damaged(IN_SYNC), TAG, A), NONE, None, RED_BEFORE),
    PlanCase("first release, red", was_red(observation({TAG: A}), TAG, A), NONE, None, RED_BEFORE),
    PlanCase("new release, red", was_red(NEW, NEXT, B), NONE, None, RED_BEFORE, "1.1.0 was red on 2026-02-21"),
    PlanCase(
        "new release, red, damaged", damaged(was_red(NEW, NEXT, B)), RETEST, Release(TAG, A), reason="1.1.0 was red"
    ),
    PlanCase("accepted move, red, damaged", damaged(was_red(ACCEPTED, TAG, B)), NONE, None, RED_BEFORE),
    PlanCase("moved", observation({TAG: B}, HAVE, {TAG: A}), NONE, None, QUARANTINED, "reconcile accept notes 1.0.0"),
    PlanCase("moved, damaged", damaged(observation({TAG: B}, HAVE, {TAG: A})), NONE, None, QUARANTINED),
    PlanCase("ahead", observation({OLD: A}, HAVE), NONE, reason="gone upstream"),
    PlanCase("ahead, damaged", damaged(observation({OLD: A}, HAVE)), NONE),
    PlanCase("ahead, down", down(observation({OLD: A}, HAVE)), REDEPLOY, reason=RAISED),
    PlanCase("moved, down", down(observation({TAG: B}, HAVE, {TAG: A})), REDEPLOY, None, QUARANTINED, RAISED),
    PlanCase("new release, red, down", down(was_red(NEW, NEXT, B)), REDEPLOY, None, RED_BEFORE, RAISED),
    PlanCase("ambiguous", observation({TAG: A, TWIN: B}), NONE, reason="1.0.0, v1.0.0"),
]


def assert_planned(case: PlanCase, *, needs_person: bool) -> None:
    step = planned(case.observation)
    assert (step.action, step.release) == (case.action, case.release), step.reason
    assert (step.held_back, step.needs_person) == (case.held_back, needs_person)
    assert case.reason in step.reason
    assert step.circumstances == (circumstances(case.release.commit) if case.release else None)


@pytest.mark.parametrize("case", SETTLED, ids=lambda case: case.about)
def test_each_finding_that_a_pass_can_settle_has_one_planned_step(case: PlanCase) -> None:
    assert_planned(case, needs_person=False)


@pytest.mark.parametrize("case", ASKING, ids=lambda case: case.about)
def test_a_finding_that_only_a_person_can_settle_needs_a_person(case: PlanCase) -> None:
    assert_planned(case, needs_person=True)


@pytest.mark.parametrize("case", SETTLED + ASKING, ids=lambda case: case.about)
def test_an_excepted_recipe_keeps_its_cause_and_nothing_is_done_about_it(case: PlanCase) -> None:
    excepted = evolve(case.observation, recipe=evolve(recipe(), enrolled=False, exception="needs a mail server"))
    step = planned(excepted)
    assert (step.action, step.held_back, step.needs_person) == (NONE, EXCEPTED, False)
    assert step.reason == "needs a mail server"
    assert step.finding.cause is planned(case.observation).finding.cause


@pytest.mark.parametrize(
    ("review", "said"),
    [
        (None, "needs a mail server"),
        (date(2026, 3, 3), "needs a mail server"),
        (date(2026, 3, 2), "needs a mail server (due for review since 2026-03-02)"),
    ],
)
def test_an_exception_says_when_its_review_is_due(review: date | None, said: str) -> None:
    declared = evolve(recipe(), enrolled=False, exception="needs a mail server", review=review)
    assert planned(evolve(IN_SYNC, recipe=declared)).reason == said


def test_an_orphan_asks_a_person_and_names_the_command() -> None:
    orphan = Orphan(canonical("1.0.0", A, "zulip"), CanonicalStatus(State.DAMAGED, "shorter"))
    plan = make_plan(compare({}, {"zulip": orphan}), {}, AROUND)
    step = plan.steps["zulip"]
    assert (step.action, step.held_back, step.needs_person) == (NONE, None, True)
    assert step.reason == "recorded, but no longer declared; if it is to go: reconcile forget zulip --reason …"
    assert plan.order == ()


def test_a_missing_tool_is_named_before_anything_is_tried() -> None:
    for seen in (NEW, damaged(IN_SYNC)):
        step = planned(evolve(seen, missing_tools=("git-lfs", "jq")))
        assert step.action is not NONE
        assert step.reason.endswith("required here and missing: git-lfs, jq")


def test_tests_that_cannot_be_read_are_named_where_something_would_be_tried() -> None:
    unreadable = "its tests cannot be read: No such file or directory (/fleet/recipes/notes)"
    for seen in (NEW, damaged(IN_SYNC)):
        step = planned(evolve(seen, missing_tools=("jq",), tests_unreadable=unreadable))
        assert step.action is not NONE
        assert step.reason.endswith(f"missing: jq; {unreadable}")
    assert planned(evolve(IN_SYNC, tests_unreadable=unreadable)) == planned(IN_SYNC)


def test_a_red_says_what_would_change_it() -> None:
    assert planned(was_red(NEW, NEXT, B)).reason == (
        "1.1.0 was red on 2026-02-21 04:00 (install failed: exited 1); not tried again until its commit, its tests, "
        "its needs, Canon or this place changes, or: reconcile --retry notes"
    )


def test_a_release_that_was_green_and_not_promoted_is_not_said_to_have_been_red() -> None:
    seen = was_red(NEW, NEXT, B)
    refused = evolve(seen.memory.reds[NEXT], reason="green, not promoted: way-back: no to 1.0.0")
    step = planned(evolve(seen, memory=evolve(seen.memory, reds={NEXT: refused})))
    assert (step.held_back, step.red) == (RED_BEFORE, refused)
    assert step.reason.startswith("1.1.0 was not promoted on 2026-02-21 04:00 (green, not promoted: way-back: no ")


def test_a_red_that_a_person_asked_to_try_again_says_so() -> None:
    asked = evolve(AROUND, retry=("notes",))
    seen = was_red(NEW, NEXT, B)
    step = make_plan(compare({"notes": seen}, {}), {"notes": seen}, asked).steps["notes"]
    assert step.reason == "1.1.0 was released after 1.0.0; it was red on 2026-02-21 04:00, tried again by --retry"


def test_a_red_holds_for_the_release_by_whichever_of_its_names() -> None:
    first_named_v = was_red(observation({TAG: A, TWIN: A}), TWIN, A)
    assert planned(first_named_v).held_back is RED_BEFORE
    other_release_on_its_commit = was_red(observation({TAG: A, NEXT: A}, HAVE), TAG, A)
    assert planned(other_release_on_its_commit).action is PROMOTE


def test_a_red_under_either_of_two_names_holds_the_release_back() -> None:
    reds = {TWIN: red(TWIN, circumstances(B)), TAG: red(TAG, circumstances(A))}
    seen = evolve(observation({TAG: A}), memory=Memory("notes", known=known({TAG: A}), reds=reds))
    assert planned(seen).held_back is RED_BEFORE


def test_needed_recipes_come_first_and_the_rest_is_in_the_order_of_names() -> None:
    needs = {"apps": ("login", "mail"), "board": (), "login": ("store",), "mail": ("store",), "store": ("elsewhere",)}
    declared = {name: evolve(recipe(name), install=Install(needs=of)) for name, of in needs.items()}
    assert ordered_by_needs(declared) == ("store", "login", "mail", "apps", "board")
