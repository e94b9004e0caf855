"""`reconcile history` and `reconcile events` over a real state folder."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.cli.history_command import Selection, _since
from reconciler.errors import UsageError
from tests.child_processes import next_line
from tests.cli.one_recipe_fleet import FIRST, OneRecipeFleet
from tests.values import NOW


def test_both_print_what_happened_as_text_and_as_lines_of_json(promoted: OneRecipeFleet) -> None:
    table = promoted.run("history", "jot").out.splitlines()
    assert [line.split()[5:7] for line in table[1:]] == [["promoted", FIRST], ["evidence", FIRST], ["trial", FIRST]]
    lines = [json.loads(line) for line in promoted.run("events", "--since", "1d", "-o", "json").out.splitlines()]
    assert [line["kind"] for line in lines] == ["pass", "intent", "promoted", "evidence", "trial", "pass-end"]
    later = promoted.run("events", "--since", "2999-01-01")
    assert (later.code, later.out) == (0, "")


def test_a_changed_line_of_the_ledger_is_named_and_ends_with_1(settled: OneRecipeFleet) -> None:
    with closing(sqlite3.connect(settled.state / "canon.db")) as connection, connection:
        connection.execute("DROP TRIGGER ledger_is_never_rewritten")
        connection.execute("UPDATE ledger SET recipe = 'jott' WHERE seq = 3")
    said = settled.run("history")
    assert said.code == 1
    assert "line 3 was changed" in said.err


def test_watching_prints_what_is_appended_later_until_it_is_interrupted(settled: OneRecipeFleet) -> None:
    watching = settled.start("events", "--watch", "--since", "1d")
    try:
        assert "began" in next_line(watching)
        for _ in range(5):
            next_line(watching)
        assert settled.run().code == 0
        assert "  pass  began" in next_line(watching)
    finally:
        watching.terminate()
        watching.communicate()
    assert watching.returncode == 0


def test_a_recipe_of_which_nothing_is_known_is_a_mistake_of_the_user(promoted: OneRecipeFleet) -> None:
    said = promoted.run("history", "jott")
    assert (said.code, said.err.splitlines()[0]) == (64, "reconcile: nothing is recorded of jott")


@pytest.mark.parametrize(
    ("text", "when"),
    [
        ("2d", NOW - timedelta(days=2)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T10:00:00+02:00", datetime(2026, 2, 1, 8, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_span_before_now_or_a_day_or_a_moment(text: str, when: datetime) -> None:
    assert _since(text, NOW) == when


@pytest.mark.parametrize("text", ["yesterday", "0d", "-1h", "2026-13-01"])
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no time"):
        _since(text, NOW)


def test_selecting_nothing_selects_all() -> None:
    assert Selection().of(()) == ()
