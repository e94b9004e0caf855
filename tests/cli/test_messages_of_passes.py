"""Messages of passes in a world in memory, to real servers, and a record that fails."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from desired.model import WayName, Ways
from tests.told_world import RED, ToldWorld
from tests.ways_world import WaysWorld


def test_a_record_that_cannot_be_written_keeps_no_message_back(told: ToldWorld) -> None:
    told.world.tag("notes", "1.1.0", RED)
    told.blocked.mkdir()
    (note,) = told.run()
    assert note.startswith("messages may come twice: cannot write notifications.json: ")
    told.blocked.rmdir()
    assert told.run() == ()
    told.blocked.mkdir()
    told.world.tag("notes", "1.2.0")
    assert len(told.run()) == 1
    told.blocked.rmdir()
    assert told.run() == ()
    assert told.run() == ()
    assert told.posted() == [["problem notes"]] * 2 + [["recovery notes"]] * 2
    assert len(told.mailed()) == 4


@pytest.mark.parametrize("damaged", ["{}x", '{"a_key_of_a_newer_canon":1,"problems":{},"unsent":[]}', "\0"])
def test_a_record_that_cannot_be_read_stays_as_it_is_and_keeps_no_message_back(damaged: str, told: ToldWorld) -> None:
    told.world.state.notifications.write_text(damaged)
    (note,) = told.run()
    assert note.startswith("messages may come twice: notifications.json is not as Canon wrote it; move it away")
    assert (told.posted(), told.mailed()) == ([], [])
    told.world.tag("notes", "1.1.0", RED)
    assert told.run() == (note,)
    assert (told.posted(), told.mailed()) == ([["problem notes"]], ["problem: notes 1.1.0: red"])
    assert note in told.fail().__notes__
    assert told.posted() == [["problem pass-failed"]]
    assert told.world.state.notifications.read_text() == damaged


def test_only_passes_over_the_whole_fleet_tell_of_passes_as_a_whole(told: ToldWorld) -> None:
    told.world.declare("archive", enrolled=False, exception="it is being replaced")
    told.run("archive")
    told.fail("wiki")
    assert told.posted() == []
    told.fail()
    told.run("wiki")
    assert told.posted() == [["problem pass-failed"]]
    told.run()
    assert told.posted() == [["recovery pass-failed"]]


def test_a_dangerous_way_is_told_until_a_release_without_it_is_canonical(told: ToldWorld, tmp_path: Path) -> None:
    asked = WaysWorld.upgraded(tmp_path / "ways")
    told.world, asked.older = asked.world, {"damages"}
    told.world.declare("notes", ways=Ways((WayName.BACK,)))
    told.run()
    told.run()
    (body,) = [json.loads(each.body) for each in told.hook.got]
    (item,) = body["items"]
    assert (item["recipe"], item["version"], item["kind"]) == ("notes", "1.1.0", "danger")
    assert item["reason"].startswith("back: no to 1.0.0: DANGER: it damages data that was there before")
    asked.older = set()
    told.world.tag("notes", "1.2.0")
    told.run()
    assert told.posted()[1:] == [["recovery notes"]]


def test_a_release_whose_gate_is_closed_is_one_problem_in_all_passes_that_hold_it_back(
    told: ToldWorld, tmp_path: Path
) -> None:
    asked = WaysWorld.gated(tmp_path / "ways", WayName.BACK)
    told.world, asked.older = asked.world, {"damages"}
    for _ in range(3):
        told.run()
    (body,) = [json.loads(each.body) for each in told.hook.got]
    assert [(item["event"], item["kind"]) for item in body["items"]] == [("problem", "green-not-promoted")]


def test_a_limit_that_is_no_longer_declared_ends_the_problem_without_naming_a_pass_that_did_not_end(
    told: ToldWorld,
) -> None:
    told.world.now -= timedelta(days=400)
    told.run()
    told.stale = timedelta(days=1)
    told.fail("wiki")
    assert told.posted() == [["problem stale"]]
    told.stale = None
    told.fail("wiki")
    (item,) = json.loads(told.hook.got[0].body)["items"]
    assert (item["event"], item["kind"]) == ("recovery", "stale")
    assert item["now"].endswith("; [fleet] stale is not declared")


def test_a_ledger_that_cannot_be_read_keeps_no_message_back(told: ToldWorld) -> None:
    told.world.state.database.write_bytes(b"no database" * 100)
    notes = told.fail().__notes__
    assert told.posted() == [["problem pass-failed"]]
    assert [note.split(":")[0] for note in notes] == ["messages may lack what the ledger has"]
