"""What ways conclude, over an app in a world in memory whose releases do as asked."""

from pathlib import Path

import pytest

from desired.model import Release, Signature, WayName
from reconciler.core.ways import WayAnswer, way_text
from tests.ways_world import NEWER, OLDER, TIMED_OUT, WaysWorld

NO, ERROR = WayAnswer.NO, WayAnswer.ERROR


@pytest.fixture
def notes(tmp_path: Path) -> WaysWorld:
    return WaysWorld.upgraded(tmp_path)


@pytest.mark.parametrize(
    ("older", "kind"),
    [
        ({"exits"}, "refuses"),
        ({"loses"}, "loses"),
        ({"loses", "exits"}, "loses"),
        ({"damages"}, "damages"),
        ({"damages", "exits"}, "damages"),
        ({"spoils", "exits"}, "breaks"),
    ],
)
def test_the_newer_release_tells_what_became_of_the_data_also_if_the_older_one_exits(
    notes: WaysWorld, older: set[str], kind: str
) -> None:
    notes.older = older
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind) == (NO, kind), back


@pytest.mark.parametrize(
    ("release", "check", "earlier"),
    [(OLDER, "check", 0), (OLDER, "check MARK_ID", 0), (NEWER, "check", 0), (NEWER, "check MARK_ID", 2)],
)
def test_a_check_that_times_out_once_does_not_change_what_is_told_of_the_data(
    notes: WaysWorld, release: str, check: str, earlier: int
) -> None:
    notes.older = {"loses"}
    notes.answers[release, check] = [*[None] * earlier, TIMED_OUT]
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind) == (NO, "loses"), back


@pytest.mark.parametrize("release", [OLDER, NEWER])
def test_a_check_that_times_out_twice_proves_nothing_of_the_data(notes: WaysWorld, release: str) -> None:
    notes.older = {"loses"}
    notes.answers[release, "check" if release == NEWER else "check MARK_ID"] = [TIMED_OUT, TIMED_OUT]
    [back] = notes.tried(WayName.BACK)
    assert (back.answer, back.kind) == (ERROR, None), back
    assert "not done in time" in back.reason


def test_a_release_that_does_not_come_up_after_a_clean_stop_is_not_said_to_be_killed(notes: WaysWorld) -> None:
    notes.stop_spoils = True
    [stop] = notes.tried(WayName.STOP)
    assert stop.stop is not None
    assert (stop.answer, stop.kind, stop.stop.killed) == (NO, "no-restart", ())
    assert "kill" not in way_text(stop)


@pytest.mark.parametrize(("kills", "answer", "kind"), [(1, WayAnswer.YES, None), (99, NO, "killed")])
def test_a_release_that_has_to_be_killed_is_stopped_once_more(
    notes: WaysWorld, kills: int, answer: WayAnswer, kind: str | None
) -> None:
    notes.kills = kills
    [stop] = notes.tried(WayName.STOP)
    assert (stop.answer, stop.kind) == (answer, kind), stop


def test_a_check_that_times_out_twice_after_a_stop_does_not_show_that_data_is_lost(notes: WaysWorld) -> None:
    notes.answers[NEWER, "check MARK_ID"] = [None, None, TIMED_OUT] * 2
    [stop] = notes.tried(WayName.STOP)
    assert (stop.answer, stop.kind) == (ERROR, None), stop


def test_an_older_release_whose_tag_is_unsigned_is_never_deployed_until_it_is_signed(tmp_path: Path) -> None:
    notes = WaysWorld.upgraded(tmp_path)
    notes.world.signatures[notes.commit_of(NEWER)] = Signature(signer="ada (ABCD)")
    notes.world.declare("notes", signed=True)
    before = len(notes.world.deployed)
    back, stop = notes.tried(WayName.BACK, WayName.STOP)
    assert (back.answer, stop.answer) == (WayAnswer.SKIP, WayAnswer.YES)
    assert back.reason == f"{OLDER} is not deployed: its tag is unsigned: the tag has no signature"
    assert OLDER not in {version for _, version, _ in notes.world.deployed[before:]}
    assert notes.tried(WayName.BACK, WayName.STOP) == []
    notes.world.signatures[notes.commit_of(OLDER)] = Signature(signer="ada (ABCD)")
    [back] = notes.tried(WayName.BACK, WayName.STOP)
    assert (back.answer, back.base) == (WayAnswer.YES, Release(OLDER, notes.commit_of(OLDER)))
