"""The history of a recipe's data: which release ran on the data of which other one."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.data_history import COLUMNS, DataNode, data_history
from reconciler.core.events import Event, events_of
from state.ledger_line import LedgerLine
from state.records import LedgerEntry
from tests.values import NOW


def history(*bodies: tuple[str, dict[str, object]]) -> tuple[DataNode, ...]:
    """Return the nodes for these lines of a ledger, each a kind and a body."""
    return data_history(made(*bodies))


def made(*bodies: tuple[str, dict[str, object]]) -> tuple[Event, ...]:
    entries = (LedgerEntry(NOW + timedelta(days=day), kind, "notes", body) for day, (kind, body) in enumerate(bodies))
    return events_of(LedgerLine(number, entry) for number, entry in enumerate(entries, 1))


def promoted(generation: int, *lineage: str) -> tuple[str, dict[str, object]]:
    return "promoted", {"version": lineage[-1], "generation": generation, "lineage": list(lineage)}


def rolled_back(generation: int, copy_of: int, version: str) -> tuple[str, dict[str, object]]:
    return "rolled-back", {"version": version, "generation": generation, "copy_of": copy_of}


def drawn(nodes: tuple[DataNode, ...]) -> list[tuple[str, int | None, int | None, int]]:
    return [(node.version, node.generation, node.parent, node.column) for node in nodes]


def test_each_promotion_comes_from_the_data_of_the_one_before() -> None:
    nodes = history(promoted(1, "1.0.0"), promoted(2, "1.0.0", "1.1.0"))
    assert drawn(nodes) == [("1.0.0", 1, None, 0), ("1.1.0", 2, 0, 0)]


def test_a_base_that_never_was_canonical_is_a_node_without_a_generation() -> None:
    nodes = history(promoted(1, "0.8.0", "0.9.0", "1.0.0"))
    assert drawn(nodes) == [("0.8.0", None, None, 0), ("0.9.0", None, 0, 0), ("1.0.0", 1, 1, 0)]
    assert nodes[0].made_by is None


def test_what_a_rollback_left_stands_in_another_column() -> None:
    nodes = history(
        promoted(1, "1.0.0"),
        promoted(2, "1.0.0", "1.1.0"),
        promoted(3, "1.0.0", "1.1.0", "1.2.0"),
        rolled_back(4, 1, "1.0.0"),
        promoted(5, "1.0.0", "1.3.0"),
    )
    assert drawn(nodes) == [
        ("1.0.0", 1, None, 0),
        ("1.1.0", 2, 0, 1),
        ("1.2.0", 3, 1, 1),
        ("1.0.0", 4, 0, 0),
        ("1.3.0", 5, 3, 0),
    ]
    assert [node.is_copy for node in nodes] == [False, False, False, True, False]


def test_data_that_began_anew_has_no_parent() -> None:
    nodes = history(promoted(1, "1.0.0"), promoted(2, "1.1.0"))
    assert drawn(nodes) == [("1.0.0", 1, None, 1), ("1.1.0", 2, None, 0)]


def test_a_forgotten_recipe_begins_anew() -> None:
    assert drawn(history(promoted(1, "1.0.0"), ("forgotten", {}))) == []
    assert drawn(history(promoted(1, "1.0.0"), ("forgotten", {}), promoted(2, "2.0.0"))) == [("2.0.0", 2, None, 0)]


def test_a_rollback_to_a_generation_that_no_line_names_begins_anew() -> None:
    [node] = history(rolled_back(4, 1, "1.0.0"))
    assert (node.parent, node.lineage, node.is_copy) == (None, ("1.0.0",), False)


def test_a_promotion_of_an_older_canon_without_a_lineage_has_its_own_release() -> None:
    [node] = history(("promoted", {"version": "1.0.0"}))
    assert (node.lineage, node.generation) == (("1.0.0",), None)


VERSIONS = st.sampled_from(["1.0.0", "1.1.0", "1.2.0", "2.0.0"])
LINES = st.one_of(
    st.builds(
        lambda lineage, at: promoted(at, *lineage), st.lists(VERSIONS, min_size=1, max_size=4), st.integers(1, 9)
    ),
    st.builds(rolled_back, st.integers(1, 9), st.integers(1, 9), VERSIONS),
    st.just(("forgotten", dict[str, object]())),
    st.just(("held", dict[str, object]())),
)


@given(st.lists(LINES, max_size=12))
def test_every_node_stands_behind_its_parent_and_the_last_one_and_its_ancestors_are_in_the_first_column(
    lines: list[tuple[str, dict[str, object]]],
) -> None:
    nodes = history(*lines)
    for index, node in enumerate(nodes):
        assert node.parent is None or node.parent < index
        assert 0 <= node.column <= COLUMNS
        assert node.lineage[-1:] == (node.version,) or node.is_copy
    at: int | None = len(nodes) - 1 if nodes else None
    while at is not None:
        assert nodes[at].column == 0
        at = nodes[at].parent
