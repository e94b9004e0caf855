import re
from itertools import combinations, product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desired.versions import STAGES, is_release_name, parse_version, version_key
from tests.desired.release_names import ASCENDING, NO_RELEASES


def test_every_pair_of_an_ordered_list_compares_as_listed() -> None:
    for older, newer in combinations(ASCENDING, 2):
        for low, high in product(older, newer):
            assert version_key(low) < version_key(high), (low, high)


@pytest.mark.parametrize("names", [names for names in ASCENDING if len(names) > 1])
def test_names_that_differ_only_in_writing_are_equal_in_the_order(names: tuple[str, ...]) -> None:
    assert len({version_key(name) for name in names}) == 1


@pytest.mark.parametrize("text", NO_RELEASES)
def test_a_text_that_is_no_release_name_has_no_place_in_the_order(text: str) -> None:
    assert parse_version(text) is None
    assert not is_release_name(text)
    with pytest.raises(ValueError, match="not a release name"):
        version_key(text)


def test_a_name_of_more_than_128_characters_is_none() -> None:
    longest = "1.2.3+" + "a" * 122
    assert is_release_name(longest)
    assert not is_release_name(longest + "a")
    assert not is_release_name("9" * 200_000)


def test_a_name_keeps_its_text() -> None:
    version = parse_version("v1.0.0+22.04")
    assert version is not None
    assert version.text == "v1.0.0+22.04"


numbers = st.integers(0, 12).map(str)
PARTS = ["0", "1", "01", "9", "10", "a", "b", "v", "A", ".", "-", "_", "-rc.1", "RC", ".dev", "beta2", "pre", "preview"]
app_parts = st.lists(st.sampled_from(PARTS), max_size=4)


@st.composite
def release_names(draw: st.DrawFn) -> str:
    triple = ".".join(draw(st.tuples(numbers, numbers, numbers)))
    app = "".join(draw(app_parts)).lstrip(".-_")
    return draw(st.sampled_from(["", "v"])) + triple + ("+" + app if app else "")


def canonical_text(name: str) -> str:
    """What the order looks at: no `v`, no leading zeros, one way to write what comes before a release."""
    plain = re.sub(r"[0-9]+", lambda run: str(int(run[0])), name.removeprefix("v"))
    left, plus, app = plain.partition("+")
    words = re.split(r"([A-Za-z]+)", app)
    for place in range(1, len(words), 2):
        if words[place].lower() in STAGES:
            words[place] = "<" + words[place].lower().replace("preview", "pre") + ">"
    return left + plus + re.sub(r"[._-]*(<[a-z]+>)(?:[._-]*(?=[0-9]))?", r"\1", "".join(words))


@given(release_names(), release_names())
def test_two_names_are_equal_in_the_order_exactly_if_they_differ_only_in_writing(a: str, b: str) -> None:
    assert (version_key(a) == version_key(b)) == (canonical_text(a) == canonical_text(b))


@given(release_names(), release_names())
def test_exactly_one_of_older_equal_and_newer_is_true_of_two_names(a: str, b: str) -> None:
    older, newer = version_key(a), version_key(b)
    assert [older < newer, older == newer, older > newer].count(True) == 1


@given(release_names(), release_names(), release_names())
def test_the_order_is_transitive(a: str, b: str, c: str) -> None:
    low, middle, high = sorted([a, b, c], key=version_key)
    assert version_key(low) <= version_key(middle) <= version_key(high)
    assert version_key(low) <= version_key(high)


@given(release_names(), release_names())
def test_the_left_part_decides_before_the_app_part(a: str, b: str) -> None:
    left_a, left_b = version_key(a)[:3], version_key(b)[:3]
    if left_a != left_b:
        assert (version_key(a) > version_key(b)) == (left_a > left_b)


@given(release_names(), st.sampled_from(["", "-", ".", "_"]), st.sampled_from(STAGES), st.sampled_from(["", "1", ".2"]))
def test_an_app_part_with_a_word_for_what_comes_before_is_older_than_without_it(
    name: str, separator: str, stage: str, number: str
) -> None:
    assume("+" in name and not (name[-1].isalpha() and separator == ""))
    assert version_key(f"{name}{separator}{stage}{number}") < version_key(name)


@given(release_names(), st.sampled_from(["-rootless", "-fpm", "-social-amd64", "-alpine3.20", "-archive", "-prefix"]))
def test_an_app_part_with_a_word_for_a_variant_is_newer_than_without_it(name: str, variant: str) -> None:
    assume("+" in name)
    assert version_key(name + variant) > version_key(name)


NUMBER_OR_STAGE_AT_THE_END = re.compile(rf"([0-9]|({'|'.join(STAGES)})[._-]*)0$|(alpha|beta)$", re.IGNORECASE)


@given(release_names(), st.sampled_from("0ab.-_"))
def test_a_longer_app_part_that_starts_alike_is_newer_unless_it_completes_a_number_or_stage(
    name: str, more: str
) -> None:
    if "+" in name and not NUMBER_OR_STAGE_AT_THE_END.search(name + more):
        assert version_key(name + more) > version_key(name)


@given(st.text(max_size=140))
def test_any_text_is_a_release_name_or_none(text: str) -> None:
    version = parse_version(text)
    assert version is None or (version.text == text and version.key == version_key(text))


@given(release_names(), st.characters(exclude_categories=[], exclude_characters="0123456789"))
def test_a_name_with_a_character_outside_the_grammar_is_invalid(name: str, stray: str) -> None:
    if not (stray.isascii() and (stray.isalnum() or stray in "._-+")):
        assert not is_release_name(name + stray)
        assert not is_release_name(stray + name)
