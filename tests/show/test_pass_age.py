"""What is printed about the last whole pass."""

from datetime import timedelta

from reconciler.core.last_pass import LastWholePass
from reconciler.show.text.pass_age import last_pass_lines, last_pass_part, stale_notes, status_lines, whole_pass_text
from reconciler.show.text.report_table import render_report
from reconciler.show.text.screen import Screen
from reconciler.show.text.status import render_status
from reconciler.show.text.status_card import render_card
from tests.reports import calm_report
from tests.status_rows import status_rows
from tests.values import NOW

LIMIT = timedelta(days=15)
FRESH = LastWholePass(NOW - timedelta(days=3), LIMIT, NOW)
STALE = LastWholePass(NOW - timedelta(days=16), LIMIT, NOW)
NEVER = LastWholePass(None, LIMIT, NOW)
FILE = Screen()


def test_a_fresh_pass_is_one_line_and_a_stale_one_a_note() -> None:
    ended = f"{NOW - timedelta(days=3):%Y-%m-%d %H:%M:%S} UTC"
    assert (last_pass_lines(FRESH, FILE), stale_notes(FRESH)) == ([f"last whole pass: {ended}, 3 d ago"], ())
    (note,) = stale_notes(STALE)
    assert "16 d ago" in note
    assert "[fleet] stale is 15 d; see: systemctl list-timers" in note
    assert last_pass_lines(STALE, FILE) == []


def test_a_pass_that_ended_in_the_future_is_called_so_and_not_0_s_old() -> None:
    then = NOW + timedelta(days=3)
    ended = f"{then:%Y-%m-%d %H:%M:%S} UTC"
    (note,) = stale_notes(LastWholePass(then, LIMIT, NOW))
    ahead = f"the last whole pass ended on {ended}, which is in the future: check the clock (timedatectl)"
    assert note == f"{ahead}, [fleet] stale is 15 d; once the clock is right, the next whole pass ends this"
    undeclared = LastWholePass(then, None, NOW)
    assert last_pass_lines(undeclared, FILE) == [
        f"last whole pass: {ended}, which is in the future: check the clock (timedatectl)"
    ]
    assert "in the future" in whole_pass_text(undeclared)
    assert last_pass_part(undeclared)["age_seconds"] == -3 * 86400


def test_a_missing_pass_is_noted_only_if_a_limit_is_declared() -> None:
    assert stale_notes(NEVER)[0].startswith("no pass over the whole fleet is recorded, [fleet] stale is 15 d")
    undeclared = LastWholePass(None, None, NOW)
    assert (stale_notes(undeclared), last_pass_lines(undeclared, FILE)) == ((), [])


def test_the_text_on_the_last_whole_pass_names_the_pass_and_the_limit_and_no_pass_that_did_not_end() -> None:
    ended = f"the last whole pass ended on {NOW - timedelta(days=3):%Y-%m-%d %H:%M:%S} UTC"
    assert whole_pass_text(FRESH) == f"{ended}; [fleet] stale is 15 d"
    assert whole_pass_text(LastWholePass(FRESH.finished_at, None, NOW)) == f"{ended}; [fleet] stale is not declared"
    assert whole_pass_text(LastWholePass(None, None, NOW)) == "[fleet] stale is not declared"
    assert whole_pass_text(STALE) == "; ".join(stale_notes(STALE))


def test_the_closing_line_stays_the_last_line_of_tables() -> None:
    table = render_status(status_rows(), FILE, NOW, last=STALE).splitlines()
    assert table[-2] == status_lines(STALE, FILE)[0]
    report = render_report(calm_report(), FILE, last=FRESH).splitlines()
    assert report[-1] == calm_report().line
    assert last_pass_lines(FRESH, FILE)[0] in report


def test_a_card_ends_with_the_line_on_the_last_pass() -> None:
    assert render_card(status_rows()[0], FILE, NOW, FRESH).endswith("\n\n" + last_pass_lines(FRESH, FILE)[0] + "\n")


def test_the_json_part_has_seconds_and_null_for_what_is_unknown() -> None:
    assert last_pass_part(STALE)["age_seconds"] == 16 * 86400
    assert last_pass_part(STALE)["stale_after_seconds"] == 15 * 86400
    assert last_pass_part(STALE)["stale"] is True
    undeclared = last_pass_part(LastWholePass(None, None, NOW))
    assert undeclared == {"finished_at": None, "age_seconds": None, "stale_after_seconds": None, "stale": False}
