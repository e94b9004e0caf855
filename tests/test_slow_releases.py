from datetime import timedelta
from pathlib import Path

import pytest

from desired.model import Backup, Ready
from reconciler.core.outcome import Result
from tests.pass_results import all_notes, results
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_canonical_that_only_comes_up_too_slowly_is_not_damaged(world: World) -> None:
    world.declare("notes")
    old = world.tag("notes", "1.0.0")
    world.run()
    world.behaviours[old] = Behaviour(slow=True)
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert [note.rpartition("; ")[2] for note in all_notes(done)] == ["the second run decides: slow host"]
    world.behaviours[old] = Behaviour()
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_release_before_that_is_slow_once_is_tried_again_and_its_data_carried(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(slow_in=1))
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")
    assert [note.rpartition("; ")[2] for note in all_notes(done)] == ["the second run decides: slow host"]


def test_a_release_before_that_is_always_slow_is_no_evidence_against_the_head_and_said_to_be_slow(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(slow=True))
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.1.0",)
    assert [note.rpartition(": ")[2] for note in all_notes(done)] == ["the base does not come up"]


@pytest.mark.parametrize(("late", "result", "to_blame"), [(1, Result.PROMOTED, "host"), (2, Result.RED, "recipe")])
def test_a_restore_that_takes_too_long_is_tried_again_and_the_second_trial_decides(
    world: World, late: int, result: Result, to_blame: str
) -> None:
    world.declare("notes", backup=Backup())
    world.tag("notes", "1.0.0", Behaviour(is_labelled=True, late=late))

    done = world.run()

    assert results(done) == {"notes": result}
    assert [note.rpartition("; ")[2] for note in all_notes(done)] == [f"the second run decides: slow {to_blame}"]
    assert all("(host: load 0.1)" in note for note in all_notes(done))


@pytest.mark.parametrize(
    ("asked", "declared", "seconds"),
    [(None, None, 600), (90, None, 90), (90, 30, 30), (None, 30, 30)],
)
def test_the_ready_timeout_of_a_release_counts_unless_the_recipe_declares_its_own(
    world: World, asked: int | None, declared: int | None, seconds: int
) -> None:
    world.declare("notes", ready=Ready(timeout=timedelta(seconds=declared) if declared else None))
    patience = timedelta(seconds=asked) if asked else None
    world.tag("notes", "1.0.0", Behaviour(slow=True, patience=patience))

    done = world.run()

    assert results(done) == {"notes": Result.RED}
    assert all(f"no answer within {seconds} s " in note for note in all_notes(done))
    assert all_notes(done)


@pytest.mark.parametrize(("resists", "result", "to_blame"), [(1, Result.PROMOTED, "host"), (9, Result.RED, "recipe")])
def test_data_of_a_killed_app_is_never_sealed_and_a_second_trial_decides(
    world: World, resists: int, result: Result, to_blame: str
) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0", Behaviour(resists=resists))

    done = world.run()

    assert results(done) == {"notes": result}
    assert world.lived("notes") == (("1.0.0", "1.1.0") if result is Result.PROMOTED else ("1.0.0",))
    assert [note.rpartition("; ")[2] for note in all_notes(done)] == [f"the second run decides: slow {to_blame}"]
    assert all("did not end in the time it has to stop and was killed" in note for note in all_notes(done))


def test_a_release_before_that_has_to_be_killed_is_no_evidence_against_the_head(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(resists=9))
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.1.0",)


def test_a_second_try_is_not_proved_by_the_backup_that_the_first_took(world: World) -> None:
    world.declare("notes")
    commit = world.tag("notes", "1.0.0", Behaviour(slow_in=3, backed_up_once=True))

    done = world.run()

    assert world.backed_up == [commit, commit]
    assert results(done) == {"notes": Result.RED}
    assert any("a first run timed out" in note for note in all_notes(done))
