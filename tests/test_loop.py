"""The loop over a world in memory. What a pass did is read from the world and the records."""

from datetime import timedelta
from pathlib import Path

import pytest

from desired.model import Backup, Data, Install, Ready, Stop, TierName
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action
from reconciler.ports.app import App
from reconciler.ports.commands import CommandResult, RecipeCommand
from reconciler.show.text.failed_steps import notes_of
from reconciler.stages.loop import Pass
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def results(done: Pass) -> dict[str, Result]:
    return {row.recipe: row.result for row in done.report.rows}


def reasons(done: Pass) -> dict[str, str]:
    return {row.recipe: row.outcome.reason for row in done.report.rows if row.outcome is not None}


def all_notes(done: Pass) -> list[str]:
    """Return the notes of all recipes."""
    return [remark for row in done.report.rows for remark in notes_of(row)]


def test_a_first_release_is_tried_promoted_and_then_left_alone(world: World) -> None:
    world.declare("notes")
    commit = world.tag("notes", "1.0.0+v1")
    assert world.look().exit_code == 2

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert done.report.exit_code == 0
    have = world.records().canonicals["notes"]
    assert (have.version, have.commit, have.lineage) == ("1.0.0+v1", commit, ("1.0.0+v1",))
    assert world.lived("notes") == ("1.0.0+v1",)
    before = list(world.deployed)
    assert results(world.run()) == {"notes": Result.NONE}
    assert world.deployed == before
    assert not world.running
    assert list(world.state.work.iterdir()) == []


def test_a_new_release_lives_on_the_data_of_the_old_one(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")
    assert world.records().canonicals["notes"].lineage == ("1.0.0", "1.1.0")


def test_a_release_that_breaks_data_that_has_lived_is_red_and_remembered(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "2.0.0", Behaviour(breaks_lived=True))

    done = world.run()

    assert results(done) == {"notes": Result.RED}
    assert done.report.exit_code == 4
    assert world.records().canonicals["notes"].version == "1.0.0"
    assert world.lived("notes") == ("1.0.0",)
    before = list(world.deployed)
    again = world.run()
    assert again.report.exit_code == 4
    assert world.deployed == before
    world.tag("notes", "2.0.1")
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "2.0.1")


def test_a_recipe_whose_upgrade_tier_is_declared_out_keeps_the_data_of_a_fresh_install(world: World) -> None:
    world.declare("notes", tiers={TierName.UPGRADE: "its data cannot be carried"})
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.1.0",)
    assert world.records().canonicals["notes"].lineage == ("1.1.0",)


def test_a_backup_is_brought_back_to_an_app_with_the_settings_that_its_data_was_made_with(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")

    assert results(world.run()) == {"notes": Result.PROMOTED}


def test_a_maker_for_a_secret_that_the_release_under_test_does_not_ask_for_is_noted_once(world: World) -> None:
    makers = {"kee": ("make",), "key": ("make",)}
    world.declare("notes", install=Install(secrets=makers))
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    said = "[install] secrets declares kee, a secret that 1.1.0 does not ask for"
    assert [each for each in all_notes(done) if "[install] secrets" in each] == [said]


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
def test_what_a_release_brings_back_by_itself_too_late_is_tried_again_and_the_second_decides(
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
def test_what_a_release_asks_for_is_waited_for_unless_the_recipe_declares_otherwise(
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
def test_what_had_to_be_killed_is_never_sealed_but_tried_again_and_the_second_decides(
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


@pytest.mark.parametrize(
    "more", [{"tiers": {TierName.RESTORE: "wants a licence"}}, {"data": Data(), "backup": Backup()}]
)
def test_a_backup_without_a_restore_is_skipped_and_so_is_the_restore(world: World, more: dict[str, object]) -> None:
    world.declare("notes", **more)
    world.tag("notes", "1.0.0", Behaviour(is_labelled=True))
    assert results(world.run()) == {"notes": Result.PROMOTED}
    tiers = {tier.name: tier.verdict for tier in world.records().canonicals["notes"].evidence.tiers}
    assert tiers["backup"] == tiers["restore"] == "skip"


def test_a_second_try_is_not_proved_by_the_backup_that_the_first_took(world: World) -> None:
    world.declare("notes")
    commit = world.tag("notes", "1.0.0", Behaviour(slow_in=3, backed_up_once=True))

    done = world.run()

    assert world.backed_up == [commit, commit]
    assert results(done) == {"notes": Result.RED}
    assert any("a first run timed out" in note for note in all_notes(done))


def test_a_canonical_that_no_longer_comes_up_is_damaged_and_the_next_pass_tests_its_release_again(world: World) -> None:
    world.declare("notes")
    old = world.tag("notes", "1.0.0")
    world.run()
    world.behaviours[old] = Behaviour(starts=False)
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert [row.finding.status.state for row in done.report.rows] == [State.DAMAGED]
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.1.0",)


def test_a_mirror_that_cannot_be_read_is_moved_away_fetched_again_and_reported(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    before = list(world.deployed)
    world.mirrors["notes"].broken = "no repository"
    assert [row.step.action for row in world.look().rows] == [Action.REFETCH]

    done = world.run()

    assert results(done) == {"notes": Result.REPAIRED}
    assert done.report.notes == (
        "notes: its mirror was broken and was fetched anew; the broken one lies in /laid-aside/notes",
    )
    assert world.mirrors["notes"].tags == world.origins["notes"].tags
    assert world.deployed == before
    assert results(world.run()) == {"notes": Result.NONE}


@pytest.mark.parametrize("gone", ["notes", "mail"], ids=["its own", "of what it needs"])
def test_a_fleet_folder_that_is_gone_concerns_only_what_would_be_tried_with_it(world: World, gone: str) -> None:
    world.declare("mail")
    world.declare("notes", install=Install(needs=("mail",)))
    world.declare("other")
    for name in ("mail", "notes", "other"):
        world.tag(name, "1.0.0")
    world.run()
    (world.recipes[gone].folder).rename(world.root / "aside")
    assert world.run().report.exit_code == 0
    before = world.records().canonicals
    world.tag("notes", "1.1.0")
    world.tag("other", "1.1.0")

    done = world.run()

    assert results(done) == {"mail": Result.NONE, "notes": Result.INFRASTRUCTURE, "other": Result.PROMOTED}
    row = next(row for row in done.report.rows if row.recipe == "notes")
    assert row.finding.status.state is State.INTACT
    why = f"its tests cannot be read: No such file or directory ({world.recipes[gone].folder})"
    assert row.outcome is not None
    assert row.outcome.reason == why
    assert row.step.reason.endswith(why)
    assert world.records().canonicals["notes"] == before["notes"]
    (world.root / "aside").rename(world.recipes[gone].folder)
    assert results(world.run())["notes"] is Result.PROMOTED


def test_a_fleet_folder_that_goes_during_its_own_trial_keeps_it_from_being_promoted(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")

    def vanish(call: Call, honest: CarryOut) -> object:
        if call.name == "commands.run" and isinstance(call.args[0], RecipeCommand) and call.args[0].argv == ("custom",):
            world.recipes["notes"].folder.rmdir()
        return honest()

    world.wrap = CallRecorder(vanish)

    done = world.run()

    assert results(done) == {"notes": Result.GREEN_NOT_PROMOTED}
    assert [row.outcome.reason for row in done.report.rows if row.outcome] == [
        "green, not promoted: cold: the fleet folder of the recipe changed during the trial"
    ]
    assert not world.records().canonicals


@pytest.mark.parametrize("behaviour", [Behaviour(dies=True), Behaviour(dies_lived=True)])
def test_a_release_that_ends_by_itself_after_it_was_ready_is_red_and_its_canonical_stays(
    world: World, behaviour: Behaviour
) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.run()
    before = world.records().canonicals
    world.tag("notes", "1.1.0", behaviour)

    done = world.run()

    (row,) = done.report.rows
    assert (row.result, row.outcome.reason if row.outcome else "") == (
        Result.RED,
        "1.1.0: upgrade failed: notes 1.1.0 was ready and did not stay up: web ended with exit code 3",
    )
    assert world.records().canonicals == before
    assert not world.running


def test_a_first_release_that_ends_by_itself_after_it_was_ready_is_red(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(dies=True))
    assert results(world.run()) == {"notes": Result.RED}
    assert world.records().canonicals == {}


def test_a_fresh_install_is_watched_when_the_base_does_not_come_up(world: World) -> None:
    world.declare("notes")
    world.tag("notes", "1.0.0", Behaviour(starts=False))
    world.tag("notes", "1.1.0", Behaviour(dies=True))
    assert results(world.run()) == {"notes": Result.RED}
    world.tag("notes", "1.1.1")
    assert results(world.run()) == {"notes": Result.PROMOTED}


def test_each_app_of_a_slot_has_the_time_to_end_that_its_own_recipe_declares(world: World) -> None:
    times = {"accounts": timedelta(seconds=7), "notes": timedelta(hours=2)}
    world.declare("accounts", stop=Stop(times["accounts"]))
    world.declare("notes", stop=Stop(times["notes"]), install=Install(needs=("accounts",)))
    for name in times:
        world.tag(name, "1.0.0")
    recorder = world.wrap = CallRecorder()

    assert results(world.run())["notes"] is Result.PROMOTED

    stopped = [call.args[0] for call in recorder.calls if call.name == "driver.stop"]
    assert {app.recipe: app.grace for app in stopped if isinstance(app, App)} == times


@pytest.mark.parametrize("fails", [Behaviour(starts=False), Behaviour(slow=True), Behaviour(resists=99)])
def test_a_failure_of_a_needed_app_blames_no_recipe(world: World, fails: Behaviour) -> None:
    world.declare("accounts")
    accounts = world.tag("accounts", "1.0.0")
    world.run()
    world.declare("notes", install=Install(needs=("accounts",)))
    world.tag("notes", "1.0.0")
    world.behaviours[accounts] = fails

    done = world.run()

    assert results(done) == {"accounts": Result.NONE, "notes": Result.INFRASTRUCTURE}
    assert "notes needs accounts, which failed: " in reasons(done)["notes"]
    world.behaviours[accounts] = Behaviour()
    assert results(world.run())["notes"] is Result.PROMOTED


def test_a_needed_app_that_has_to_be_killed_to_be_upgraded_is_held_against_nobody(world: World) -> None:
    world.declare("accounts")
    accounts = world.tag("accounts", "1.0.0")
    world.declare("notes", install=Install(needs=("accounts",)))
    world.tag("notes", "1.0.0")
    world.run()
    world.tag("accounts", "1.1.0")
    world.run("accounts")
    world.tag("notes", "1.1.0")
    world.behaviours[accounts] = Behaviour(resists=99)

    done = world.run("notes")

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert "notes needs accounts, which failed: accounts did not end in the time" in reasons(done)["notes"]
    world.behaviours[accounts] = Behaviour()
    assert results(world.run("notes")) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


def test_a_canonical_that_has_to_be_killed_to_be_upgraded_is_no_evidence_against_the_head(world: World) -> None:
    world.declare("notes")
    old = world.tag("notes", "1.0.0")
    world.run()
    world.behaviours[old] = Behaviour(resists=99)
    world.tag("notes", "1.1.0")

    done = world.run()

    assert results(done) == {"notes": Result.INFRASTRUCTURE}
    assert "the canonical 1.0.0: notes did not end in the time it has to stop" in reasons(done)["notes"]
    world.behaviours[old] = Behaviour()
    assert results(world.run()) == {"notes": Result.PROMOTED}
    assert world.lived("notes") == ("1.0.0", "1.1.0")


@pytest.mark.parametrize(
    "data", [Data(("mark",), ("check",)), Data(None, ("check",))], ids=["always passes", "no mark"]
)
def test_a_check_that_a_fresh_install_passes_proves_no_data(world: World, data: Data) -> None:
    def answer(call: Call, honest: CarryOut) -> object:
        is_check = (
            call.name == "commands.run" and isinstance(call.args[0], RecipeCommand) and call.args[0].argv == ("check",)
        )
        return CommandResult(0) if is_check else honest()

    world.declare("notes", data=data)
    world.wrap = CallRecorder(answer)
    world.tag("notes", "1.0.0")
    first = world.run()
    world.tag("notes", "1.1.0")

    done = world.run()

    assert "installed fresh, and no [data] check proves the data" in reasons(first)["notes"]
    assert "upgraded over data of 1.0.0, and no [data] check proves the data" in reasons(done)["notes"]
    tiers = {tier.name: tier.verdict for tier in world.records().canonicals["notes"].evidence.tiers}
    assert tiers == {"install": "pass", "upgrade": "skip", "backup": "skip", "restore": "skip", "custom": "pass"}
