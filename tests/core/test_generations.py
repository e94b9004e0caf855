"""Which generations are deleted, decided over drawn rows of intact and damaged ones."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.generations import deletion_text, generations_to_delete
from state.records import Canonical
from tests.values import canonical, commit


def row(size: int) -> list[Canonical]:
    """Return generations with the numbers `size` to 1, the newest first."""
    return [evolve(canonical(f"1.{number}.0", commit("a")), generation=number) for number in range(size, 0, -1)]


@given(st.lists(st.booleans(), max_size=8), st.integers(1, 5))
def test_what_is_deleted_is_older_than_the_kept_intact_ones_and_nothing_else_is(intact: list[bool], keep: int) -> None:
    stored = row(len(intact))
    states = {each.generation: state for each, state in zip(stored, intact, strict=True)}
    deleted = generations_to_delete(stored, keep, lambda each: states[each.generation])
    left = [each for each in stored if each not in deleted]
    assert [*left, *deleted] == stored
    kept_intact = sum(states[each.generation] for each in left)
    assert kept_intact == min(keep, sum(intact))
    if deleted:
        assert states[left[-1].generation]
    elif sum(intact) >= keep:
        assert [each for each in stored if states[each.generation]][keep - 1] == stored[-1]


def test_a_deletion_names_each_generation_and_the_number_that_is_declared() -> None:
    three, two, one = row(3)
    assert deletion_text([three, two, one], 4, is_done=False) == (
        "notes: generations 3 (1.3.0), 2 (1.2.0), 1 (1.1.0) would be deleted: [canonical] generations = 4"
    )
    assert deletion_text([one], 1, is_done=True) == (
        "notes: generation 1 (1.1.0) was deleted: [canonical] generations = 1"
    )
