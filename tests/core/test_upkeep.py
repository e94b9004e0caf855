from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.upkeep import NEVER, why_down
from state.model import Damaged, Upkeep
from tests.values import NOW

PARTS = {"service app": "app:1@sha256:12, 1 of it", "volume data": "there", "secret key_v1": "id-1"}
RAISED = Upkeep(3, PARTS, NOW)
AWAY = evolve(RAISED, missing="it was taken away while notes is tried")


def test_what_stands_as_it_was_raised_is_not_down() -> None:
    assert why_down(3, RAISED, PARTS, "") == ""
    assert why_down(3, evolve(RAISED, up_at=None), {**PARTS, "service debug": "by hand"}, "") == ""


@pytest.mark.parametrize(
    ("account", "parts", "lacks", "why"),
    [
        (None, PARTS, "", NEVER),
        (Damaged("upkeep is garbage"), PARTS, "", "upkeep is garbage"),
        (AWAY, PARTS, "", "it was taken away while notes is tried"),
        (AWAY, {}, "", "it was taken away while notes is tried"),
        (evolve(RAISED, generation=2), PARTS, "", "generation 2 was raised, and 3 is recorded"),
        (RAISED, {}, "", "nothing of it is there"),
        (RAISED, {}, "the engine forgot it", "the engine forgot it"),
        (evolve(RAISED, parts={}), PARTS, "", "nothing of it is there"),
        (RAISED, {**PARTS, "secret key_v1": "id-2"}, "", "secret key_v1 is id-2, and was id-1"),
        (RAISED, PARTS, "app has 0 of 1 up", "app has 0 of 1 up"),
    ],
)
def test_what_does_not_is_down_and_why_is_named(
    account: Upkeep | Damaged | None, parts: Mapping[str, str], lacks: str, why: str
) -> None:
    assert why_down(3, account, parts, lacks) == why


def test_all_that_differs_is_named_what_is_gone_first() -> None:
    left = {"service app": "app:2@sha256:34, 1 of it", "secret key_v1": "id-1"}
    assert why_down(3, RAISED, left, "app has 0 of 1 up") == (
        "volume data is gone; service app is app:2@sha256:34, 1 of it, and was app:1@sha256:12, 1 of it; "
        "app has 0 of 1 up"
    )


# ---- properties ----

MADE_OF = st.dictionaries(st.sampled_from(("a", "b", "c", "d")), st.sampled_from(("1", "2")))
ACCOUNTS = st.builds(Upkeep, st.integers(1, 3), MADE_OF, st.none() | st.just(NOW), st.sampled_from(("", "", "away")))


@given(
    st.integers(1, 3),
    st.none() | st.builds(Damaged, st.just("garbage")) | ACCOUNTS,
    MADE_OF,
    st.sampled_from(("", "x")),
)
def test_nothing_is_up_unless_all_of_the_recorded_generation_is_there_unchanged(
    generation: int, account: Upkeep | Damaged | None, parts: Mapping[str, str], lacks: str
) -> None:
    up = why_down(generation, account, parts, lacks) == ""
    stands = (
        isinstance(account, Upkeep)
        and (account.generation, account.missing, lacks) == (generation, "", "")
        and bool(account.parts)
        and account.parts.items() <= parts.items()
    )
    assert up is stands


@given(MADE_OF.filter(bool), st.data())
def test_each_part_that_is_gone_or_changed_is_named_and_no_other(
    raised: Mapping[str, str], data: st.DataObject
) -> None:
    fates = {part: data.draw(st.sampled_from(("there", "gone", "changed"))) for part in raised}
    left = {part: was + "!" * (fates[part] == "changed") for part, was in raised.items() if fates[part] != "gone"}
    said = why_down(1, Upkeep(1, raised), {**left, "e": "by hand"}, "")
    assert {part for part in raised if f"{part} is " in said} == {part for part in raised if fates[part] != "there"}
