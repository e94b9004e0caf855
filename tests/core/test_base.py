import pytest
from attrs import evolve, frozen
from hypothesis import given
from hypothesis import strategies as st

from desired.releases import Release
from reconciler.core.base import Base, Origin, Pin, upgrade_base
from state.records import Canonical
from tests.strategies import LADDER, RANK, usual_commit
from tests.values import canonical, commit

UNPINNED = None
ONE, TWO, THREE = (Release(f"{major}.0.0", commit(f"c{major}")) for major in (1, 2, 3))
ALL = (ONE, TWO, THREE)
BRANCH = Release("main", commit("tip"))
CANONICAL, FRESH, NONE = Origin.CANONICAL, Origin.FRESH, Origin.NONE


def at(release: Release) -> Canonical:
    return canonical(release.version, release.commit)


def pin(version: str, releases: tuple[Release, ...] = ALL) -> Pin:
    found = next((release for release in releases if release.version == version), None)
    fault = "" if found is not None else "is no single release upstream"
    return Pin(version, "2.0.0 fetches a file that is gone", found, fault)


@frozen
class BaseCase:
    """Head, canonical and releases, and the base that follows."""

    about: str
    head: Release
    have: Canonical | None
    releases: tuple[Release, ...]
    base: Release | None
    origin: Origin
    why: str
    pin: Pin | None = UNPINNED
    intact: bool = True


RETAGGED = Release("2.0.0", commit("again"))
SAME_COMMIT = Release("2.0.1", TWO.commit)

IN_A_PASS = [
    BaseCase("older canonical", THREE, at(TWO), ALL, TWO, CANONICAL, "the canonical, with its data"),
    BaseCase("much older canonical", THREE, at(ONE), ALL, ONE, CANONICAL, "the canonical"),
    BaseCase("canonical no longer published", THREE, at(ONE), (THREE,), ONE, CANONICAL, "the canonical"),
    BaseCase("its own tag moved and accepted", RETAGGED, at(TWO), (ONE, RETAGGED), TWO, CANONICAL, "the canonical"),
    BaseCase("a new tag on its commit", SAME_COMMIT, at(TWO), (*ALL[:2], SAME_COMMIT), TWO, CANONICAL, "the canonical"),
    BaseCase("no canonical", THREE, None, ALL, TWO, FRESH, "newest older release, installed fresh: no canonical yet"),
    BaseCase("damaged", THREE, at(ONE), ALL, TWO, FRESH, "installed fresh: the canonical is damaged", intact=False),
    BaseCase("damaged, at the head", THREE, at(THREE), ALL, TWO, FRESH, "the canonical is damaged", intact=False),
    BaseCase("no canonical, one release", ONE, None, (ONE,), None, NONE, "no older release"),
    BaseCase("no canonical, all newer", ONE, None, ALL, None, NONE, "no older release"),
    BaseCase(
        "older one on the same commit", SAME_COMMIT, None, (ONE, TWO, SAME_COMMIT), ONE, FRESH, "no canonical yet"
    ),
]

BY_HAND = [
    BaseCase("canonical is the head", THREE, at(THREE), ALL, TWO, FRESH, "older than 3.0.0, installed fresh"),
    BaseCase("canonical is newer", TWO, at(THREE), ALL, ONE, FRESH, "the canonical is not older"),
    BaseCase("canonical is the head and the first", ONE, at(ONE), ALL, None, NONE, "no older release"),
    BaseCase("a branch", BRANCH, at(THREE), ALL, THREE, CANONICAL, "the canonical, with its data"),
    BaseCase("a branch, no canonical", BRANCH, None, ALL, THREE, FRESH, "no canonical yet"),
    BaseCase("a branch at the canonical", Release("main", THREE.commit), at(THREE), ALL, TWO, FRESH, "older than main"),
    BaseCase(
        "a commit of a release", Release("c2", TWO.commit), at(TWO), ALL, ONE, FRESH, "the canonical is not older"
    ),
    BaseCase("a commit of an old release", Release("c2", TWO.commit), at(THREE), ALL, ONE, FRESH, "not older"),
    BaseCase("a commit of a new release", Release("c3", THREE.commit), at(ONE), ALL, ONE, CANONICAL, "the canonical"),
]


def older(release: Release) -> Canonical:
    """An older generation, intact, whose record is another than the canonical's."""
    return evolve(at(release), lineage=("0.9.0", release.version))


DAMAGED = [
    (THREE, at(TWO), older(ONE), ONE, CANONICAL, "generation 1, intact, with its data: the canonical is damaged"),
    (THREE, at(THREE), older(TWO), TWO, CANONICAL, "the canonical is damaged"),
    (THREE, at(THREE), older(THREE), THREE, CANONICAL, "generation 1, intact"),
    (TWO, at(TWO), older(THREE), ONE, FRESH, "installed fresh: the canonical is damaged"),
    (THREE, at(THREE), None, TWO, FRESH, "installed fresh: the canonical is damaged"),
]


@pytest.mark.parametrize(("head", "have", "newest_intact", "base", "origin", "why"), DAMAGED)
def test_with_a_damaged_canonical_the_data_goes_on_from_the_newest_intact_generation(  # noqa: PLR0913, PLR0917  a case
    head: Release, have: Canonical, newest_intact: Canonical | None, base: Release, origin: Origin, why: str
) -> None:
    found = upgrade_base(head, have, newest_intact, ALL, UNPINNED)
    assert (found.release, found.origin) == (base, origin)
    assert why in found.why
    assert (found.generation is None) is (origin is FRESH)


PINNED = [
    BaseCase("to another", THREE, at(TWO), ALL, ONE, FRESH, "pinned to 1.0.0 (2.0.0 fetches", pin("1.0.0")),
    BaseCase("says what without it", THREE, at(TWO), ALL, ONE, FRESH, "; without the pin: 2.0.0", pin("1.0.0")),
    BaseCase("to the canonical", THREE, at(TWO), ALL, TWO, CANONICAL, "pinned to 2.0.0", pin("2.0.0")),
    BaseCase(
        "to the damaged canonical", THREE, at(ONE), ALL, ONE, FRESH, "pinned to 1.0.0", pin("1.0.0"), intact=False
    ),
    BaseCase("no canonical", THREE, None, ALL, ONE, FRESH, "without the pin: 2.0.0", pin("1.0.0")),
    BaseCase("nothing without it", ONE, None, (ONE,), None, NONE, "without the pin: none", pin("0.9.0")),
    BaseCase("no such release", THREE, at(TWO), ALL, None, NONE, "which is no single release upstream", pin("1.5.0")),
    BaseCase("to the head", THREE, at(TWO), ALL, None, NONE, "which is not older than 3.0.0", pin("3.0.0")),
    BaseCase("above the head", TWO, at(ONE), ALL, None, NONE, "which is not older than 2.0.0", pin("3.0.0")),
]


def base_of(case: BaseCase) -> Base:
    return upgrade_base(case.head, case.have, case.have if case.intact else None, case.releases, case.pin)


def assert_base(case: BaseCase) -> None:
    base = base_of(case)
    assert (base.release, base.origin) == (case.base, case.origin), base.why
    assert case.why in base.why


@pytest.mark.parametrize("case", IN_A_PASS, ids=lambda case: case.about)
def test_a_pass_starts_from_the_canonical_or_from_the_newest_older_release(case: BaseCase) -> None:
    assert_base(case)


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case.about)
def test_a_trial_by_hand_steps_back_where_the_canonical_is_not_older(case: BaseCase) -> None:
    assert_base(case)


@pytest.mark.parametrize("case", PINNED, ids=lambda case: case.about)
def test_a_pin_is_obeyed_with_its_reason_while_it_is_older_than_the_head(case: BaseCase) -> None:
    assert_base(case)


@pytest.mark.parametrize(
    ("have", "intact", "removable"),
    [
        (at(ONE), True, False),
        (at(TWO), True, True),
        (at(THREE), True, True),
        (at(TWO), False, False),
        (None, True, False),
    ],
)
def test_a_pin_is_removable_once_an_intact_canonical_has_reached_it(
    have: Canonical | None, *, intact: bool, removable: bool
) -> None:
    head = Release("4.0.0", commit("c4"))
    for releases in ((*ALL, head), (head,)):
        assert upgrade_base(head, have, have if intact else None, releases, pin("2.0.0")).removable is removable
        assert not upgrade_base(head, have, have if intact else None, releases, UNPINNED).removable


# ---- properties ----

RELEASES = tuple(Release(names[0], usual_commit(names[0])) for names in LADDER)


@st.composite
def published(draw: st.DrawFn) -> tuple[Release, ...]:
    """Some releases in ascending order; now and then two of them on one commit."""
    chosen = draw(st.lists(st.sampled_from(RELEASES), unique=True, max_size=5))
    ordered = sorted(chosen, key=lambda release: RANK[release.version])
    shared = draw(st.sampled_from([False, False, True]))
    return tuple(Release(each.version, commit("shared") if shared else each.commit) for each in ordered)


@st.composite
def heads(draw: st.DrawFn, releases: tuple[Release, ...]) -> Release:
    return draw(st.sampled_from((*releases, *RELEASES, BRANCH, Release("main", commit("shared")))))


@st.composite
def recorded(draw: st.DrawFn, releases: tuple[Release, ...]) -> Canonical | None:
    return draw(st.sampled_from([None, *[at(release) for release in (*releases, *RELEASES)]]))


@st.composite
def pins(draw: st.DrawFn, releases: tuple[Release, ...]) -> Pin | None:
    return draw(st.sampled_from([UNPINNED, *[pin(release.version, releases) for release in RELEASES]]))


@given(st.data(), published())
def test_a_base_is_older_than_the_head_and_of_another_commit(
    data: st.DataObject, releases: tuple[Release, ...]
) -> None:
    pinned = data.draw(pins(releases))
    head, have, intact = data.draw(heads(releases)), data.draw(recorded(releases)), data.draw(st.booleans())
    base = upgrade_base(head, have, have if intact else None, releases, pinned)
    assert base.why
    assert (base.release is None) is (base.origin is NONE)
    assert base.release is None or not base.is_unusable
    if base.release is None:
        return
    own = base.origin is CANONICAL
    assert own or base.release in releases
    assert (base.release.version, base.release.commit) != (head.version, head.commit)
    rank, limit = RANK[base.release.version], RANK.get(head.version, len(LADDER))
    if own:
        assert rank < limit or (rank == limit and base.release.commit != head.commit)
    else:
        assert rank < limit
        assert base.release.commit != head.commit


@given(st.data(), published())
def test_only_an_intact_canonical_lends_its_data(data: st.DataObject, releases: tuple[Release, ...]) -> None:
    head, have, intact = data.draw(heads(releases)), data.draw(recorded(releases)), data.draw(st.booleans())
    base = upgrade_base(head, have, have if intact else None, releases, UNPINNED)
    if base.origin is CANONICAL:
        assert intact
        assert have is not None
        assert base.release == Release(have.version, have.commit)


@given(st.data(), published())
def test_in_a_pass_an_intact_canonical_is_always_the_base(data: st.DataObject, releases: tuple[Release, ...]) -> None:
    have = data.draw(st.sampled_from(RELEASES))
    newer = [release for release in (*releases, *RELEASES) if RANK[release.version] > RANK[have.version]]
    want = data.draw(st.sampled_from([*newer, Release(have.version, commit("again"))]))
    base = upgrade_base(want, at(have), at(have), releases, UNPINNED)
    assert (base.release, base.origin) == (have, CANONICAL)


@given(st.data(), published())
def test_without_a_canonical_it_is_the_newest_older_release(data: st.DataObject, releases: tuple[Release, ...]) -> None:
    head = data.draw(st.sampled_from(RELEASES))
    older = [each for each in releases if RANK[each.version] < RANK[head.version] and each.commit != head.commit]
    for have, intact in ((None, True), (at(head), True), (at(head), False)):
        base = upgrade_base(head, have, have if intact else None, releases, UNPINNED)
        assert base.release == (max(older, key=lambda each: RANK[each.version]) if older else None)
        assert base.origin is (FRESH if older else NONE)
