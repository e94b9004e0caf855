"""The words of messages: what happened to which recipe, and never a line that upstream wrote."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.notifications import EventWord, make_message
from reconciler.show.text.messages import message_subject, message_text
from state.notifications import FleetProblem, Item

AT = datetime(2026, 11, 29, 3, 4, 5, tzinfo=UTC)
RED = Item(EventWord.PROBLEM, FleetProblem("notes", "red", "1.2.0", "upgrade failed: web exited 1"), AT)
OVER = Item(EventWord.RECOVERY, FleetProblem("wiki", "down", "2.0.0", "service app is gone"), AT, "in sync")
STALE = Item(EventWord.REMINDER, FleetProblem("fleet:timer", "stale", "", "16 d ago"), AT)
EVENTS = st.sampled_from([EventWord.PROBLEM, EventWord.REMINDER, EventWord.RECOVERY])


def test_the_subject_of_one_item_names_it_and_of_several_counts_them() -> None:
    assert message_subject("ci", make_message([RED], AT)) == "canon ci: problem: notes 1.2.0: red"
    assert message_subject("ci", make_message([STALE], AT)) == "canon ci: reminder: stale"
    several = make_message([RED, RED, OVER, STALE], AT)
    assert message_subject("ci", several) == "canon ci: 2 problems, 1 recovery, 1 reminder: notes, notes, wiki, stale"


def test_the_text_has_problems_first_with_the_evidence_of_each() -> None:
    assert message_text(make_message([OVER, STALE, RED], AT)).splitlines() == [
        "PROBLEM: notes 1.2.0: red",
        "  why    upgrade failed: web exited 1",
        "",
        "REMINDER: stale",
        "  why    16 d ago",
        "  since  2026-11-29 03:04:05 UTC",
        "",
        "RECOVERY: wiki 2.0.0: down",
        "  was    service app is gone",
        "  since  2026-11-29 03:04:05 UTC",
        "  now    in sync",
        "",
        "See: reconcile status; reconcile explain NAME; reconcile logs NAME",
    ]


@given(EVENTS, st.text(), st.text(), st.text())
def test_whatever_upstream_writes_stays_on_its_line_and_out_of_the_headers(
    event: EventWord, version: str, reason: str, now: str
) -> None:
    message = make_message([Item(event, FleetProblem("notes", "red", version, reason), AT, now)], AT)
    subject, text = message_subject("ci", message), message_text(message)
    assert "\n" not in subject
    assert len(subject) <= 120
    assert len(text.splitlines()) == 4 + (event is not EventWord.PROBLEM) + bool(now)
