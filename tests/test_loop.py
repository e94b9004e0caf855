"""The loop over a world in memory. What a pass did is read from the world and the records."""

from pathlib import Path

import pytest

from desired.model import Backup, Data, Install, TierName
from reconciler.core.observation import State
from reconciler.core.outcome import Result
from reconciler.core.plan import Action
from reconciler.ports.commands import CommandResult, RecipeCommand
from tests.pass_results import all_notes, reasons, results
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.world import Behaviour, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


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


@pytest.mark.parametrize(
    "more", [{"tiers": {TierName.RESTORE: "wants a licence"}}, {"data": Data(), "backup": Backup()}]
)
def test_a_backup_without_a_restore_is_skipped_and_so_is_the_restore(world: World, more: dict[str, object]) -> None:
    world.declare("notes", **more)
    world.tag("notes", "1.0.0", Behaviour(is_labelled=True))
    assert results(world.run()) == {"notes": Result.PROMOTED}
    tiers = {tier.name: tier.verdict for tier in world.records().canonicals["notes"].evidence.tiers}
    assert tiers["backup"] == tiers["restore"] == "skip"


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
