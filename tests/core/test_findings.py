import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import AmbiguousVersion, NeverReleased, Release, Unobservable
from reconciler.core.findings import Cause, Finding, MirrorState, compare
from reconciler.core.observation import CanonicalStatus, MirrorContents, Observation, Orphan, State
from state.records import Memory
from tests.core import expected_findings
from tests.core.cause_cases import AHEAD, HAVE, MOVED, ORDER, PLAIN, SEVERAL, A, B, C, CauseCase
from tests.strategies import ObservedFleet, observations, observed_fleets
from tests.values import EARLIER, NOW, canonical, commit, observation


def found(seen: Observation) -> Finding:
    (finding,) = compare({seen.recipe.name: seen}, {})
    return finding


def assert_found(case: CauseCase) -> None:
    finding = found(case.observation)
    assert finding.cause is case.cause, finding.reason
    assert case.reason in finding.reason


@pytest.mark.parametrize("case", PLAIN, ids=lambda case: case.about)
def test_the_cause_follows_from_tags_and_record(case: CauseCase) -> None:
    assert_found(case)


@pytest.mark.parametrize("case", ORDER, ids=lambda case: case.about)
def test_the_order_of_versions_decides_and_never_text_or_date(case: CauseCase) -> None:
    assert_found(case)


@pytest.mark.parametrize("case", MOVED, ids=lambda case: case.about)
def test_a_tag_that_is_want_or_have_and_names_another_commit_is_moved_until_accepted(case: CauseCase) -> None:
    assert_found(case)


@pytest.mark.parametrize("case", AHEAD, ids=lambda case: case.about)
def test_a_canonical_that_upstream_no_longer_offers_is_ahead(case: CauseCase) -> None:
    assert_found(case)


@pytest.mark.parametrize("case", SEVERAL, ids=lambda case: case.about)
def test_unobservable_is_reported_before_moved_before_ahead_before_ambiguous(case: CauseCase) -> None:
    assert_found(case)


@pytest.mark.parametrize(
    ("remembered", "lost", "shrunken"),
    [(1, 1, False), (2, 2, True), (10, 1, False), (10, 2, True), (19, 2, True), (20, 2, False), (20, 3, True)],
)
@pytest.mark.parametrize("left_at", ["gone", "no commit"])
def test_an_upstream_that_lost_two_and_more_than_a_tenth_of_its_releases_is_unobservable(
    remembered: int, lost: int, left_at: str, *, shrunken: bool
) -> None:
    before = {f"1.{minor}.0": A for minor in range(remembered)}
    lost_tags = list(before)[:lost]
    tags = {
        tag: None if tag in lost_tags else at for tag, at in before.items() if left_at != "gone" or tag not in lost_tags
    }
    finding = found(observation(tags, None, before))
    assert (finding.cause is Cause.UNOBSERVABLE) is shrunken
    assert (f"shrunken: {lost} of {remembered} known release tags are gone upstream" in finding.reason) is shrunken


def test_a_finding_contains_the_observation_that_it_was_made_from() -> None:
    have = canonical("1.0.0", A)
    finding = found(observation({"1.0.0": A, "1.1.0": B, "latest": C}, have, {"0.9.0": C, "1.0.0": A, "1.1.0": B}))
    assert finding == Finding(
        recipe="notes",
        want=Release("1.1.0", B),
        have=have,
        cause=Cause.NEW_RELEASE,
        status=CanonicalStatus(State.INTACT),
        mirror=MirrorState.MISSING,
        reason="1.1.0 was released after 1.0.0",
        observed_at=NOW,
        since=EARLIER,
        not_releases=("latest",),
        vanished=("0.9.0",),
    )


@pytest.mark.parametrize(
    ("tags", "allow", "unread"),
    [
        ({"1.5.1": A, "1.10": B, "1.4": C}, "*", ("1.10",)),
        ({"1.5.1": A, "v26": B, "1.10": C}, "*", ("v26", "1.10")),
        ({"1.5.1": A, "v26": B, "1.10": C}, "<2", ("1.10",)),
        ({"1.5.1": A, "9.9.9": None, "latest": B}, "*", ("9.9.9",)),
        ({"1.5.1": A, "v1.5.1": B, "1.10": C}, "*", ("1.10",)),
        ({"latest": A, "25.08.0": B, "0.9": C}, ">=30", ("25.08.0", "0.9")),
        ({"1.5.1": A, "1.5": B, "1.5.1-rootless": C}, "*", ()),
    ],
)
def test_tags_that_look_newer_than_the_wanted_release_are_named(
    tags: dict[str, str | None], allow: str, unread: tuple[str, ...]
) -> None:
    seen = observation(tags)
    assert found(evolve(seen, recipe=evolve(seen.recipe, allow=allow))).unread == unread


@pytest.mark.parametrize(
    ("tags", "unread"),
    [
        ({"0.5": A, "1.10": B}, ("1.10",)),
        ({"0.9.0": A, "0.9.9.1": C, "1.10": B}, ("1.10",)),
        ({"1.1.0": A, "1.0.5.1": C, "1.10": B}, ("1.10",)),
    ],
)
def test_tags_that_look_newer_than_the_wanted_but_not_than_the_recorded_release_are_not_named(
    tags: dict[str, str | None], unread: tuple[str, ...]
) -> None:
    assert found(observation(tags, HAVE)).unread == unread


def test_a_sentence_names_five_unread_tags_at_most() -> None:
    reason = found(observation({f"1.{minor}": A for minor in range(8)})).reason
    assert "1.7, 1.6, 1.5, 1.4, 1.3 and 3 more (" in reason


def test_a_mirror_that_was_fetched_again_is_not_behind_because_of_tags_that_upstream_no_longer_has() -> None:
    before = {"0.9.0": C, "1.0.0": A, "1.1.0": B}
    seen = observation({"1.0.0": A, "1.1.0": B, "1.2.0": C}, before=before)

    def state(held: dict[str, str], head: str = commit("main")) -> MirrorState:
        return found(evolve(seen, mirror=MirrorContents(head, held))).mirror

    whole = {"1.0.0": A, "1.1.0": B, "1.2.0": C}
    assert state(whole) is MirrorState.EQUAL
    assert state({**whole, "0.9.0": C}) is MirrorState.EQUAL
    assert state({"1.0.0": A, "1.1.0": B}) is MirrorState.BEHIND
    assert state({**whole, "1.1.0": C}) is MirrorState.BEHIND
    assert state({**whole, "2.0.0": C}) is MirrorState.BEHIND
    assert state(whole, commit("other")) is MirrorState.BEHIND


def test_a_mirror_without_the_old_commit_of_a_moved_tag_is_not_behind() -> None:
    seen = observation({"1.0.0": B, "1.1.0": C}, before={"1.0.0": A, "1.1.0": C})
    assert found(evolve(seen, mirror=MirrorContents(commit("main"), {"1.1.0": C}))).mirror is MirrorState.EQUAL


def test_a_release_never_seen_before_has_no_known_beginning() -> None:
    assert found(observation({"1.0.0": A}, before={})).since is None


def test_an_unseen_upstream_leaves_the_lists_empty() -> None:
    finding = found(observation(Unobservable("refused"), before={"1.0.0": A}))
    assert (finding.not_releases, finding.vanished) == ((), ())


def test_an_orphan_is_found_with_what_is_recorded_of_it() -> None:
    have = canonical("1.0.0", A, "zulip")
    (finding,) = compare({}, {"zulip": Orphan(have, CanonicalStatus(State.DAMAGED, "shorter"))})
    assert (finding.recipe, finding.cause, finding.want, finding.have) == ("zulip", Cause.ORPHANED, None, have)
    assert finding.status == CanonicalStatus(State.DAMAGED, "shorter")


# ---- properties ----


@given(observed_fleets())
def test_there_is_exactly_one_finding_per_declared_recipe_and_per_orphan(world: ObservedFleet) -> None:
    names = [finding.recipe for finding in compare(world.observations, world.orphans)]
    assert names == sorted([*world.observations, *world.orphans])


@given(observed_fleets())
def test_the_cause_is_what_the_rules_say(world: ObservedFleet) -> None:
    for finding in compare(world.observations, world.orphans):
        seen = world.observations.get(finding.recipe)
        assert finding.cause is (expected_findings.cause(seen) if seen else Cause.ORPHANED), finding.reason
        assert finding.reason


@given(observations())
def test_the_want_is_the_newest_allowed_release_or_why_there_is_none(seen: Observation) -> None:
    want, expected = found(seen).want, expected_findings.wanted(seen)
    match want:
        case Release():
            assert (want.version, want.commit) == expected
        case AmbiguousVersion():
            assert set(want.tags) == set(expected_findings.newest(seen))
            assert len(set(expected_findings.newest(seen).values())) > 1
        case NeverReleased():
            assert not expected_findings.newest(seen)
        case _:
            assert expected_findings.is_unseen(seen)


@given(observations(), st.sampled_from(["connection refused", "an empty answer"]))
def test_an_unobserved_recipe_is_never_in_sync(seen: Observation, reason: str) -> None:
    blind = found(evolve(seen, answer=Unobservable(reason)))
    assert blind.cause is Cause.UNOBSERVABLE
    assert blind.reason.startswith(reason)


@given(observations(), st.text(min_size=1))
def test_a_mirror_that_cannot_be_read_says_why_and_changes_nothing_else_of_the_finding(
    seen: Observation, why: str
) -> None:
    plain = found(evolve(seen, mirror=MirrorContents()))
    blind = found(evolve(seen, mirror=MirrorContents(unreadable=why)))
    assert (blind.mirror, blind.reason) == (MirrorState.UNKNOWN, f"{plain.reason}; {why}")
    assert evolve(blind, mirror=plain.mirror, reason=plain.reason, unreadable="") == plain


@given(observations())
def test_in_sync_means_that_upstream_names_the_recorded_commit_by_the_newest_version(seen: Observation) -> None:
    finding = found(seen)
    if finding.cause is Cause.IN_SYNC:
        assert seen.canonical is not None
        assert seen.canonical.commit in expected_findings.newest(seen).values()


@given(observations())
def test_forgetting_where_a_tag_was_never_hides_that_have_moved(seen: Observation) -> None:
    have = seen.canonical
    forgetful = evolve(seen, memory=Memory(seen.recipe.name))
    if have is not None and expected_findings.published(seen).get(have.version, have.commit) != have.commit:
        assert found(forgetful).cause is Cause.MOVED
