"""Which statement in the ledger is the one on a generation: of its own promotion, or of the one that it copies."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.statement_lines import lines_since_forgotten, promoted_generation, statement_of_generation
from state.ledger_line import LedgerLine
from state.records import LedgerEntry

AT = datetime(2026, 11, 29, tzinfo=UTC)
Made = tuple[str, dict[str, object]]


def lines_of(*made: Made, recipe: str = "notes", after: int = 0) -> tuple[LedgerLine, ...]:
    return tuple(
        LedgerLine(number, LedgerEntry(AT, kind, recipe, body)) for number, (kind, body) in enumerate(made, after + 1)
    )


def promoted(generation: int) -> tuple[Made, Made]:
    body: dict[str, object] = {"generation": generation}
    return ("promoted", body), ("evidence", {**body, "envelope": f"of {generation}"})


def rolled_back(generation: int, to: int) -> Made:
    return "rolled-back", {"generation": generation, "copy_of": to}


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Made], dict[int, int]]:
    """Draw promotions and rollbacks. Return them, and by generation the one that was promoted with its release."""
    made, origins = list[Made](), dict[int, int]()
    for generation in range(1, draw(st.integers(1, 12)) + 1):
        to = draw(st.sampled_from([None, *origins]))
        made += promoted(generation) if to is None else [rolled_back(generation, to)]
        origins[generation] = generation if to is None else origins[to]
    return made, origins


@given(histories())
def test_each_generation_has_the_statement_on_the_promotion_that_its_data_comes_from(
    drawn: tuple[Sequence[Made], dict[int, int]],
) -> None:
    made, origins = drawn
    lines = lines_of(*made)
    for generation, origin in origins.items():
        assert promoted_generation(lines, generation) == origin
        body = statement_of_generation(lines, promoted_generation(lines, generation))
        assert body is not None
        assert body["envelope"] == f"of {origin}"


@given(histories(), histories())
def test_what_came_before_the_last_time_it_was_forgotten_and_what_is_of_others_does_not_count(
    before: tuple[Sequence[Made], dict[int, int]], after: tuple[Sequence[Made], dict[int, int]]
) -> None:
    forgotten: Made = ("forgotten", {"reason": "why"})
    lines = lines_of(*before[0], forgotten, forgotten, *after[0])
    others = lines_of(*before[0], forgotten, recipe="wiki", after=len(lines))
    assert [line.entry.kind for line in lines_since_forgotten((*lines, *others), "notes")] == [
        kind for kind, _ in after[0]
    ]
    assert lines_since_forgotten(lines_of(*before[0]), "notes") == lines_of(*before[0])


def test_an_abandoned_rollback_copied_nothing_and_a_generation_without_a_statement_has_none() -> None:
    intent: Made = ("intent", {"generation": 2, "copy_of": 1})
    lines = lines_of(*promoted(1), intent, ("abandoned", {"generation": 2, "copy_of": 1}))
    assert promoted_generation(lines, 2) == 2
    assert statement_of_generation(lines, 2) is None


@given(st.lists(st.tuples(st.integers(0, 5), st.one_of(st.none(), st.integers(0, 5), st.text(max_size=2)))))
def test_lines_that_make_no_sense_end_the_search(copies: list[tuple[int, object]]) -> None:
    lines = lines_of(*(("rolled-back", {"generation": made, "copy_of": to}) for made, to in copies))
    assert promoted_generation(lines, 5) <= 5
