"""Which generations are deleted, and from which ones data goes on, over drawn rows of generations."""

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.generations import deletion_text, generations_to_delete, generations_to_go_on_from
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


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=10), st.data())
def test_data_goes_on_from_what_was_there_before_the_canonical_and_never_from_what_a_rollback_left(
    acts: list[int | None], data: st.DataObject
) -> None:
    """Each act promotes a release (None), or rolls back to one of the generations: a model keeps every history."""
    made: list[Canonical] = []
    before: dict[int, tuple[int, ...]] = {}
    for number, act in enumerate(acts, 1):
        target = made[act % len(made)] if act is not None and made else None
        version = f"1.{number}.0" if target is None else target.version
        parent = target or (made[-1] if made else None)
        copy_of = target.generation if target is not None else None
        made.append(evolve(canonical(version, commit("a")), generation=number, copy_of=copy_of))
        before[number] = (parent.generation, *before[parent.generation]) if parent is not None else ()
    gone = data.draw(st.sets(st.integers(1, len(made))))
    recorded = [each for each in reversed(made) if each.generation not in gone]
    found = [each.generation for each in generations_to_go_on_from(made[-1], recorded)]
    if not gone:
        assert found == [*before[len(made)]]
    assert found == sorted(found, reverse=True)
    assert not {len(made), *gone} & {*found}
    releases = {each.generation: int(each.version.split(".")[1]) for each in made}
    assert all(releases[number] <= releases[made[-1].generation] for number in found)


def test_a_deletion_names_each_generation_and_the_number_that_is_declared() -> None:
    three, two, one = row(3)
    assert deletion_text([three, two, one], 4, is_done=False) == (
        "notes: generations 3 (1.3.0), 2 (1.2.0), 1 (1.1.0) would be deleted: [canonical] generations = 4"
    )
    assert deletion_text([one], 1, is_done=True) == (
        "notes: generation 1 (1.1.0) was deleted: [canonical] generations = 1"
    )
