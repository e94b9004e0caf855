import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.running_status import NEVER_DEPLOYED, TASK, why_down
from state.kept_deployment import DeploymentRecord, Parts
from state.records import Damaged
from tests.values import NOW

PARTS = {
    "service app": {"image": "app:1@sha256:12", "number": "1"},
    "volume data": {"content": "new"},
    "secret key_v1": {"id": "1"},
}
RAISED = DeploymentRecord(3, PARTS, NOW)
WITH_TASK = evolve(RAISED, parts={"service app": {TASK: "t1"}})
AWAY = evolve(RAISED, missing="it was undeployed for a trial of notes")


def test_a_deployment_that_matches_its_record_is_not_down() -> None:
    assert why_down(3, RAISED, PARTS, "") == ""
    assert why_down(3, evolve(RAISED, up_at=None), {**PARTS, "service debug": {"image": "by hand"}}, "") == ""


@pytest.mark.parametrize(
    ("account", "parts", "lacks", "why"),
    [
        (None, PARTS, "", NEVER_DEPLOYED),
        (Damaged("upkeep is garbage"), PARTS, "", "upkeep is garbage"),
        (AWAY, PARTS, "", "it was undeployed for a trial of notes"),
        (AWAY, {}, "", "it was undeployed for a trial of notes"),
        (evolve(RAISED, generation=2), PARTS, "", "generation 2 was raised, and 3 is recorded"),
        (RAISED, {}, "", "nothing of it is there"),
        (RAISED, {}, "the engine forgot it", "the engine forgot it"),
        (evolve(RAISED, parts={}), PARTS, "", "nothing of it is there"),
        (RAISED, {**PARTS, "secret key_v1": {"id": "2"}}, "", "id of secret key_v1 is 2, and was 1"),
        (RAISED, {**PARTS, "secret key_v1": {}}, "", "id of secret key_v1 is not known, and was 1"),
        (RAISED, PARTS, "app has 0 of 1 up", "app has 0 of 1 up"),
        (WITH_TASK, {"service app": {TASK: "t2"}}, "", "service app was started again: its task is t2, and was t1"),
        (WITH_TASK, {"service app": {}}, "", "service app was started again: its task is gone, and was t1"),
    ],
)
def test_a_deployment_that_differs_from_its_record_is_down_with_the_reason(
    account: DeploymentRecord | Damaged | None, parts: Parts, lacks: str, why: str
) -> None:
    assert why_down(3, account, parts, lacks) == why


def test_all_differences_of_a_deployment_are_named_and_missing_parts_first() -> None:
    left = {"service app": {"image": "app:2@sha256:34", "number": "1"}, "secret key_v1": {"id": "1"}}
    assert why_down(3, RAISED, left, "app has 0 of 1 up") == (
        "volume data is gone; image of service app is app:2@sha256:34, and was app:1@sha256:12; app has 0 of 1 up"
    )


# ---- properties ----

FACTS = st.dictionaries(st.sampled_from(("image", "number")), st.sampled_from(("1", "2")), min_size=1)
MADE_OF = st.dictionaries(st.sampled_from(("a", "b", "c", "d")), FACTS)
ACCOUNTS = st.builds(
    DeploymentRecord, st.integers(1, 3), MADE_OF, st.none() | st.just(NOW), st.sampled_from(("", "", "away"))
)


@given(
    st.integers(1, 3),
    st.none() | st.builds(Damaged, st.just("garbage")) | ACCOUNTS,
    MADE_OF,
    st.sampled_from(("", "x")),
)
def test_nothing_is_up_unless_all_of_the_recorded_generation_is_there_unchanged(
    generation: int, account: DeploymentRecord | Damaged | None, parts: Parts, lacks: str
) -> None:
    up = why_down(generation, account, parts, lacks) == ""
    stands = (
        isinstance(account, DeploymentRecord)
        and (account.generation, account.missing, lacks) == (generation, "", "")
        and bool(account.parts)
        and all(part in parts and was.items() <= parts[part].items() for part, was in account.parts.items())
    )
    assert up is stands


@given(MADE_OF.filter(bool), st.data())
def test_each_part_that_is_gone_or_changed_is_named_and_no_other(raised: Parts, data: st.DataObject) -> None:
    fates = {part: data.draw(st.sampled_from(("there", "gone", "changed"))) for part in raised}
    left = {part: was for part, was in raised.items() if fates[part] != "gone"}
    left |= {part: dict.fromkeys(was, "3") for part, was in left.items() if fates[part] == "changed"}
    said = why_down(1, DeploymentRecord(1, raised), {**left, "e": {"image": "by hand"}}, "").split("; ")
    gone = [f"{part} is gone" for part in raised if fates[part] == "gone"]
    changed = [
        f"{fact} of {part} is 3, and was {before}"
        for part in raised
        if fates[part] == "changed"
        for fact, before in raised[part].items()
    ]
    assert said == ([*gone, *changed] or [""])
