import pytest
from attrs import evolve
from hypothesis import given

from desired.releases import Unobservable
from reconciler.core.findings import Finding, MirrorState, compare
from reconciler.core.observation import (
    MirrorContents,
    Observation,
    moved_tags,
    tags_to_mirror,
    upstream_tags,
    vanished_tags,
)
from reconciler.core.wanted_release import want_of
from state.records import Memory
from tests.core import expected_findings
from tests.strategies import observations
from tests.values import canonical, commit, observation

A, B, C = commit("a"), commit("b"), commit("c")


def found(seen: Observation) -> Finding:
    (finding,) = compare({seen.recipe.name: seen}, {})
    return finding


def test_a_tag_known_to_name_no_commit_is_believed_so_while_it_names_that_object() -> None:
    seen = evolve(
        observation({"1.0.0": A, "1.1.0": B, "1.2.0": None}), memory=Memory("notes", not_commits={"1.1.0": B})
    )
    assert upstream_tags(seen) == {"1.0.0": A, "1.1.0": None, "1.2.0": None}
    elsewhere = evolve(seen, memory=Memory("notes", not_commits={"1.1.0": C}))
    assert upstream_tags(elsewhere) == {"1.0.0": A, "1.1.0": B, "1.2.0": None}


def test_nothing_is_reported_about_the_tags_of_an_unseen_upstream() -> None:
    unseen = observation(Unobservable("refused"), canonical("1.0.0", A), {"1.0.0": A, "0.9.0": B})
    assert upstream_tags(unseen) is None
    assert want_of(unseen) == Unobservable("refused")
    assert vanished_tags(unseen) == frozenset()
    assert moved_tags(unseen) == {}
    assert tags_to_mirror(unseen) == {"1.0.0": A, "0.9.0": B}


def test_a_tag_moved_when_it_names_another_commit_than_remembered_or_recorded() -> None:
    seen = observation({"0.9.0": C, "1.0.0": C, "1.1.0": C}, canonical("1.0.0", A), {"0.9.0": B})
    assert moved_tags(seen) == {"0.9.0": (B, C), "1.0.0": (A, C)}


def test_a_commit_that_a_person_accepted_overrides_the_recorded_one() -> None:
    seen = observation({"1.0.0": B}, canonical("1.0.0", A), {"1.0.0": B})
    assert moved_tags(seen) == {}
    assert tags_to_mirror(seen) == {"1.0.0": B}


def test_the_mirror_is_to_hold_every_release_tag_where_it_is_remembered() -> None:
    seen = observation(
        {"1.0.0": C, "1.1.0": B, "1.2.0": None, "latest": C}, canonical("0.9.0", C), {"0.8.0": B, "1.0.0": A}
    )
    assert tags_to_mirror(seen) == {"0.8.0": B, "0.9.0": C, "1.0.0": A, "1.1.0": B}


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        (MirrorContents(commit("main"), {"0.9.0": B, "1.0.0": A}), MirrorState.EQUAL),
        (MirrorContents(commit("main"), {"0.9.0": B}), MirrorState.BEHIND),
        (MirrorContents(commit("main"), {"1.0.0": A}), MirrorState.EQUAL),
        (MirrorContents(commit("main"), {"0.9.0": C, "1.0.0": A}), MirrorState.BEHIND),
        (MirrorContents(commit("main"), {"0.9.0": B, "1.0.0": A, "latest": C}), MirrorState.BEHIND),
        (MirrorContents(commit("old"), {"0.9.0": B, "1.0.0": A}), MirrorState.BEHIND),
        (MirrorContents(commit("main"), {}), MirrorState.BEHIND),
        (MirrorContents(), MirrorState.MISSING),
        (MirrorContents(unreadable="not a repository"), MirrorState.UNKNOWN),
    ],
)
def test_a_mirror_is_equal_when_it_has_main_and_every_release_tag_as_remembered_that_can_be_had(
    mirror: MirrorContents, expected: MirrorState
) -> None:
    vanished_and_new = observation({"1.0.0": A, "latest": C}, before={"0.9.0": B})
    assert found(evolve(vanished_and_new, mirror=mirror)).mirror is expected


def test_a_mirror_cannot_be_compared_with_an_unseen_upstream() -> None:
    unseen = observation(Unobservable("refused"))
    assert found(evolve(unseen, mirror=MirrorContents(commit("main"), {}))).mirror is MirrorState.UNKNOWN


def test_a_moved_tag_is_expected_in_the_mirror_where_we_remember_it() -> None:
    moved = observation({"1.0.0": B}, canonical("1.0.0", A), {"1.0.0": A})
    assert found(evolve(moved, mirror=MirrorContents(commit("main"), {"1.0.0": A}))).mirror is MirrorState.EQUAL
    assert found(evolve(moved, mirror=MirrorContents(commit("main"), {"1.0.0": B}))).mirror is MirrorState.BEHIND


# ---- properties ----


@given(observations())
def test_no_tag_vanishes_from_the_mirror_and_none_moves_there_unaccepted(seen: Observation) -> None:
    expected = tags_to_mirror(seen)
    for tag, each in seen.memory.known.items():
        assert expected[tag] == each.commit
    have = seen.canonical
    if have is not None and have.version not in seen.memory.known:
        assert expected[have.version] == have.commit


@given(observations())
def test_a_vanished_tag_is_noted_and_stays_expected_in_the_mirror(seen: Observation) -> None:
    finding = found(seen)
    if not isinstance(seen.answer, Unobservable):
        assert set(finding.vanished) == set(seen.memory.known) - set(expected_findings.published(seen))
        kept = evolve(seen, mirror=MirrorContents(seen.answer.head, expected_findings.mirrored(seen)))
        assert found(kept).mirror is MirrorState.EQUAL
