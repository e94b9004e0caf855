import pytest
from attrs import evolve

from reconciler.core.observation import CanonicalStatus, State
from reconciler.show.escape import width
from reconciler.show.text.screen import Screen
from reconciler.show.text.status import recorded, render_status, status_line
from reconciler.show.text.status_card import render_card
from state.records import Memory, Records
from tests.expected_documents import golden_text
from tests.status_rows import status_rows
from tests.values import NOW, canonical_of, fleet, recipe

FILE = Screen()


@pytest.mark.parametrize("wide", [False, True])
def test_the_status_equals_its_golden_file(*, wide: bool) -> None:
    text = render_status(status_rows(), FILE, NOW, wide=wide)
    assert text == golden_text("status.wide.txt" if wide else "status.txt", text)


@pytest.mark.parametrize("place", range(5))
def test_the_card_equals_its_golden_file(place: int) -> None:
    row = status_rows()[place]
    text = render_card(row, FILE, NOW)
    assert text == golden_text(f"card.{row.recipe}.txt", text)


def test_every_declared_recipe_and_every_orphan_has_a_row() -> None:
    excepted = evolve(recipe("mumble"), enrolled=False, exception="no line")
    records = Records({name: canonical_of(name) for name in ("cal", "wiki")}, {"cal": Memory("cal", last_trial="t")})
    looks = {name: CanonicalStatus(State.INTACT) for name in ("cal", "wiki")}
    rows = recorded(fleet(recipe("cal"), recipe("drone"), excepted), records, looks, NOW.date())
    assert [(row.recipe, row.declared, row.exception) for row in rows] == [
        ("cal", True, ""),
        ("drone", True, ""),
        ("mumble", True, "no line"),
        ("wiki", False, ""),
    ]
    assert [row.status.state for row in rows] == [State.INTACT, State.NONE, State.NONE, State.INTACT]
    assert rows[0].memory.last_trial == "t"
    assert status_line(rows) == (
        "4 recipes: 2 with a canonical (2 intact, 0 damaged, 0 down, 0 unknown), 2 without; 1 orphaned"
    )


def test_only_selected_recipes_have_a_row() -> None:
    rows = recorded(fleet(recipe("cal"), recipe("drone")), Records(), {}, NOW.date(), ["drone"])
    assert [row.recipe for row in rows] == ["drone"]


def test_a_card_shows_the_evidence_of_the_canonical() -> None:
    told = render_card(status_rows()[0], FILE, NOW)
    proof = canonical_of("cal").evidence
    for fact in (proof.trial, proof.pass_id, proof.tests, proof.canon, proof.fleet, proof.log, proof.place.digest):
        assert fact in told


def test_the_columns_of_a_status_are_aligned() -> None:
    table = render_status(status_rows(), FILE, NOW, wide=True).split("\n\n")[0].splitlines()
    start = table[0].index("NOTE")
    assert all(width(line) <= start or line[start - 2 : start] == "  " for line in table[1:])
