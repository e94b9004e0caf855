from collections import Counter
from itertools import permutations

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier

from desired.releases import AmbiguousVersion, NeverReleased, Release
from desired.versions import is_release_name, version_key
from desired.want import ambiguous_releases, newest_older, not_releases, release_named, releases, resolve_want

A, B, C = "a" * 40, "b" * 40, "c" * 40


@pytest.mark.parametrize(
    ("tags", "want"),
    [
        ({}, NeverReleased()),
        ({"latest": A, "1.2": B}, NeverReleased()),
        ({"1.0.0": None}, NeverReleased()),
        ({"1.0.0": A}, Release("1.0.0", A)),
        ({"3.0.9+1.10.7": A, "3.0.10+1.10.8": B}, Release("3.0.10+1.10.8", B)),
        # A back-port, published last, is not the latest release.
        ({"5.0.2+27.0.1-fpm": A, "6.0.1+28.0.2-fpm": B, "5.0.3+27.0.1-fpm": C}, Release("6.0.1+28.0.2-fpm", B)),
        ({"3.0.0+v2.0.0": A, "3.0.1+v2.0.0": B}, Release("3.0.1+v2.0.0", B)),
        ({"1.0.0": A, "1.0.0+1": B}, Release("1.0.0+1", B)),
        # One commit under several spellings is one release.
        ({"v1.0.0": A, "1.0.0": A}, Release("1.0.0", A)),
        ({"v1.0.0": A}, Release("v1.0.0", A)),
        ({"1.0.0+22.4": A, "1.0.0+22.04": A, "v1.0.0+022.4": A}, Release("1.0.0+22.04", A)),
        # Several commits under one place in the order are none, unless something greater exists.
        ({"v1.0.0": A, "1.0.0": B}, AmbiguousVersion(("1.0.0", "v1.0.0"))),
        ({"v1.0.0": A, "1.0.0": B, "1.0.1": C}, Release("1.0.1", C)),
        ({"v1.0.0": A, "1.0.0": B, "0.9.9": C}, AmbiguousVersion(("1.0.0", "v1.0.0"))),
        ({"v1.0.0+1": A, "1.0.0+01": A, "1.0.0+1": B}, AmbiguousVersion(("1.0.0+01", "1.0.0+1", "v1.0.0+1"))),
        # A tag with no commit behind it takes no part in any of that.
        ({"v1.0.0": None, "1.0.0": B}, Release("1.0.0", B)),
        ({"2.0.0": None, "1.0.0": B}, Release("1.0.0", B)),
        ({"--upload-pack=x": A, "1.0.0\u202e": B, "1.0.0": C}, Release("1.0.0", C)),
    ],
)
def test_the_want_is_the_greatest_release_whatever_the_order_of_the_answer(
    tags: dict[str, str | None], want: object
) -> None:
    for order in permutations(tags.items()):
        assert resolve_want(dict(order), "*") == want


@pytest.mark.parametrize(
    ("allow", "version"),
    [
        ("*", "4.0.0"),
        (">=2.0.0,<4", "3.0.10+b"),
        ("<3.0.10", "3.0.9+a"),
        ("==2.*", "2.5.0"),
        ("~=3.0.0", "3.0.10+b"),
        ("!=4.0.0", "3.0.10+b"),
        (">4", None),
        ("<2", None),
    ],
)
def test_a_range_speaks_of_the_recipes_own_part_alone(allow: str, version: str | None) -> None:
    tags = {"2.5.0": A, "3.0.9+a": A, "3.0.10+b": B, "4.0.0": C}
    want = resolve_want(tags, allow)
    assert want == (NeverReleased() if version is None else Release(version, tags[version]))


def test_an_ambiguity_outside_the_range_is_none() -> None:
    tags = {"v2.0.0": A, "2.0.0": B, "1.0.0": C}
    assert resolve_want(tags, "<2") == Release("1.0.0", C)
    assert resolve_want(tags, ">=2") == AmbiguousVersion(("2.0.0", "v2.0.0"))


def test_a_range_that_is_none_is_refused_even_without_tags() -> None:
    with pytest.raises(InvalidSpecifier):
        resolve_want({}, "newest")


def test_releases_go_up_and_leave_out_what_is_ambiguous() -> None:
    tags = {"3.0.10": A, "3.0.9": B, "v3.0.9": B, "2.0.0": A, "v2.0.0": C, "1.0.0": None, "main": A, "0.1.0": C}
    assert releases(tags, "*") == (Release("0.1.0", C), Release("3.0.9", B), Release("3.0.10", A))
    assert releases(tags, ">=3") == (Release("3.0.9", B), Release("3.0.10", A))


def test_names_and_peels_that_are_no_releases_are_listed_in_text_order() -> None:
    tags = {"v1": A, "1.0.0": A, "2.0.0": None, "latest": B, "1.13.4_1": A}
    assert not_releases(tags) == ("1.13.4_1", "2.0.0", "latest", "v1")


# Few names and few commits, so that ties, ambiguities and empty peels are common.
NAMES = ["0.9.0", "1.0.0", "v1.0.0", "1.0.1+1", "1.0.1+01", "v1.0.1+1", "latest", "1.0"]
tag_sets = st.dictionaries(st.sampled_from(NAMES), st.sampled_from([A, B, C, None]), max_size=6)
ranges = st.sampled_from(["*", "<1.0.1", ">=1.0.1", "==1.0.0", ">=2"])


@given(tag_sets, ranges)
def test_the_want_is_greater_than_or_equal_to_every_release(tags: dict[str, str | None], allow: str) -> None:
    want = resolve_want(tags, allow)
    event(type(want).__name__)
    if isinstance(want, Release):
        assert tags[want.version] == want.commit
        assert releases(tags, allow)[-1] == want
    if allow == "*":
        keys = [version_key(name) for name, commit in tags.items() if commit is not None and is_release_name(name)]
        named = [want.version] if isinstance(want, Release) else getattr(want, "tags", ())
        assert {version_key(name) for name in named} == ({max(keys)} if keys else set())


@given(tag_sets, ranges)
def test_a_want_is_ambiguous_exactly_if_its_place_in_the_order_holds_two_commits(
    tags: dict[str, str | None], allow: str
) -> None:
    want = resolve_want(tags, allow)
    match want:
        case AmbiguousVersion(names):
            assert len({tags[name] for name in names}) > 1
            assert list(names) == sorted(names)
        case Release(version, commit):
            equal = [name for name in tags if is_release_name(name) and version_key(name) == version_key(version)]
            assert {tags[name] for name in equal} - {None} == {commit}
            assert version == min((n for n in equal if tags[n]), key=lambda name: (name.startswith("v"), name))
        case _:
            assert releases(tags, allow) == ()


@given(tag_sets, ranges)
def test_releases_ascend_strictly_and_are_published(tags: dict[str, str | None], allow: str) -> None:
    found = releases(tags, allow)
    keys = [version_key(release.version) for release in found]
    assert keys == sorted(set(keys))
    assert all(tags[release.version] == release.commit for release in found)


@given(tag_sets)
def test_every_tag_is_a_release_name_with_a_commit_or_listed_as_no_release(tags: dict[str, str | None]) -> None:
    listed = not_releases(tags)
    assert list(listed) == sorted(set(listed))
    assert set(tags) - set(listed) == {name for name, commit in tags.items() if commit and is_release_name(name)}


@given(tag_sets, ranges, st.sampled_from(["latest", "1.0", "9.9.9"]))
def test_a_tag_that_is_no_release_never_changes_the_want(tags: dict[str, str | None], allow: str, name: str) -> None:
    assert resolve_want({**tags, name: None}, allow) == resolve_want(tags, allow)


def test_the_strategy_draws_every_kind_of_want() -> None:
    drawn: Counter[str] = Counter()

    @settings(max_examples=200, derandomize=True)
    @given(tag_sets)
    def count(tags: dict[str, str | None]) -> None:
        drawn[type(resolve_want(tags, "*")).__name__] += 1

    count()
    assert min(drawn["Release"], drawn["AmbiguousVersion"], drawn["NeverReleased"]) >= 20, drawn


def test_a_name_or_a_range_means_its_newest_older_release_that_is_wanted() -> None:
    tags = {"3.2.0+1": "a" * 40, "3.3.9+2": "b" * 40, "3.3.10+2": "c" * 40, "v3.4.0": "d" * 40, "3.4.1": None}

    def newest(named: str, than: str | None = "4.0.0", unwanted: str = "") -> str | None:
        found = newest_older(tags, named, than, lambda release: release.version != unwanted)
        return found.version if found is not None else None

    assert newest(">=3.2,<3.4") == "3.3.10+2"
    assert newest(">=3.2,<3.4", "3.3.10") == "3.3.9+2"
    assert newest(">=3.2,<3.4", unwanted="3.3.10+2") == "3.3.9+2"
    assert newest("*", None) == newest("3.4.0") == newest("v3.4.0") == "v3.4.0"
    assert newest("3.2.0") == newest("3.2.0+1") == "3.2.0+1"
    assert newest("3.2.0+2") is newest("3.4.1") is newest(">=5") is newest("3.4.0", "3.4.0") is None


@given(tag_sets, st.sampled_from(["1.0.0", "v1.0.0", "1.0.0+1", "v2.0.0", "3.0.0"]))
def test_a_release_name_means_its_own_tag_or_the_one_commit_of_its_version(
    tags: dict[str, str | None], name: str
) -> None:
    twins = {
        tag: commit
        for tag, commit in tags.items()
        if commit is not None and is_release_name(tag) and version_key(tag) == version_key(name)
    }
    found = release_named(tags, name)
    if name in twins:
        assert found == Release(name, twins[name])
    elif len(set(twins.values())) == 1:
        assert found is not None
        assert twins[found.version] == found.commit
    else:
        assert found is None


@given(tag_sets)
def test_each_release_has_one_commit_or_is_ambiguous(tags: dict[str, str | None]) -> None:
    single = {version_key(release.version) for release in releases(tags, "*")}
    several = {version_key(release.version) for release in ambiguous_releases(tags, "*")}
    assert not single & several
    assert single | several == {version_key(tag) for tag, at in tags.items() if at is not None and is_release_name(tag)}
