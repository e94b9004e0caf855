"""A data.check that does not end in time on a fresh install proves nothing of data."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from attrs import define

from desired.model import Ready
from reconciler.core.outcome import Result
from reconciler.ports.commands import CommandResult, RecipeCommand
from tests.pass_results import all_notes, reasons, results
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.turn_workers import run_beside
from tests.world import World

LATE = CommandResult(None, timed_out=True)
UNPROVED = {"install": "pass", "upgrade": "skip", "backup": "skip", "restore": "skip", "custom": "pass"}
SAID = "it did not end within 600 s on a fresh install, so it may prove nothing"


@define
class TimedCheck:
    """Answers each data.check of `notes` that runs where nothing was marked, as a command that takes its time does.

    * `seconds`: how long the check takes there.
    * `times`: how many of its runs take that long, the first first. Others end at once.
    * `is_vacuous`: True if the check passes everywhere, also without data.
    * `slots`: the slots in which it takes that long.
    """

    seconds: float = 3600
    times: int = 99
    is_vacuous: bool = False
    slots: tuple[str, ...] = ("install", "restore")

    def __call__(self, call: Call, honest: CarryOut) -> object:
        command = call.args[0] if call.name == "commands.run" else None
        if not isinstance(command, RecipeCommand) or command.argv != ("check",) or command.env["RECIPE"] != "notes":
            return honest()
        if self._takes_long(command):
            self.times -= 1
            if command.deadline < timedelta(seconds=self.seconds):
                return LATE
        return CommandResult(0) if self.is_vacuous else honest()

    def _takes_long(self, command: RecipeCommand) -> bool:
        slot = Path(command.mark)
        is_marked = json.loads((slot / "notes" / "data" / "data.json").read_text())["mark"]
        return not is_marked and self.times > 0 and slot.name in self.slots


def upgradable(root: Path, check: TimedCheck) -> World:
    """Return a world with `notes` at 1.0.0 and its release 1.1.0, which is to be tried with this check."""
    world = World.promoted(root, "notes")
    world.tag("notes", "1.1.0")
    world.wrap = CallRecorder(check)
    return world


def tiers_of(world: World) -> dict[str, str]:
    return {tier.name: tier.verdict for tier in world.records().canonicals["notes"].evidence.tiers}


def tier_reasons(world: World) -> dict[str, str]:
    return {tier.name: tier.reason for tier in world.records().canonicals["notes"].evidence.tiers if tier.reason}


@pytest.mark.parametrize("is_vacuous", [True, False])
def test_a_check_that_is_always_late_on_a_fresh_install_proves_no_data(tmp_path: Path, *, is_vacuous: bool) -> None:
    world = upgradable(tmp_path, TimedCheck(is_vacuous=is_vacuous))

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert "upgraded over data of 1.0.0, and no [data] check proves the data" in reasons(done)["notes"]
    assert tiers_of(world) == UNPROVED
    assert tier_reasons(world)["upgrade"].endswith(SAID)
    assert tier_reasons(world)["restore"].endswith(SAID)
    [note] = [note for note in all_notes(done) if "timed out" in note]
    assert note.endswith("on a fresh install (host: load 0.1); the second run decides: slow recipe")


def test_a_check_that_is_late_once_on_a_fresh_install_is_tried_again_and_proves_data(tmp_path: Path) -> None:
    world = upgradable(tmp_path, TimedCheck(times=1))

    done = world.run()

    assert "data lived through 1.0.0 → 1.1.0" in reasons(done)["notes"]
    assert set(tiers_of(world).values()) == {"pass"}
    [note] = [note for note in all_notes(done) if "timed out" in note]
    assert note.endswith("the second run decides: slow host")


def test_a_check_that_is_late_once_beside_others_proves_the_same_as_alone(tmp_path: Path) -> None:
    world = upgradable(tmp_path, TimedCheck(times=1))

    done = run_beside(world, "wiki")

    assert results(done) == {"notes": Result.PROMOTED, "wiki": Result.PROMOTED}
    assert set(tiers_of(world).values()) == {"pass"}


@pytest.mark.parametrize(("times", "verdict"), [(1, "pass"), (99, "skip")])
def test_a_check_that_is_late_only_where_the_backup_is_restored_proves_the_upgrade_alone(
    tmp_path: Path, times: int, verdict: str
) -> None:
    world = upgradable(tmp_path, TimedCheck(times=times, slots=("restore",)))

    done = world.run()

    assert "data lived through 1.0.0 → 1.1.0" in reasons(done)["notes"]
    told = tiers_of(world)
    assert (told["upgrade"], told["backup"], told["restore"]) == ("pass", verdict, verdict)
    assert tier_reasons(world).get("restore", SAID).endswith(SAID)


@pytest.mark.parametrize(("is_vacuous", "verdict"), [(True, "skip"), (False, "pass")])
def test_a_check_has_the_time_that_any_command_has_to_fail_on_a_fresh_install(
    tmp_path: Path, verdict: str, *, is_vacuous: bool
) -> None:
    world = upgradable(tmp_path, TimedCheck(seconds=590, is_vacuous=is_vacuous))

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert tiers_of(world)["upgrade"] == verdict
    assert not [note for note in all_notes(done) if "timed out" in note]
    assert "on a fresh install too" in tier_reasons(world).get("upgrade", "on a fresh install too")


def test_a_late_check_is_named_with_the_time_that_its_recipe_declares(tmp_path: Path) -> None:
    world = upgradable(tmp_path, TimedCheck())
    world.declare("notes", ready=Ready(timeout=timedelta(seconds=45)))

    world.run()

    assert "did not end within 45 s on a fresh install" in tier_reasons(world)["upgrade"]


def test_a_check_that_passes_on_the_second_fresh_install_proves_nothing_before_it_either(tmp_path: Path) -> None:
    def passes_before_the_restore(call: Call, honest: CarryOut) -> object:
        command = call.args[0] if call.name == "commands.run" else None
        if not isinstance(command, RecipeCommand) or command.argv != ("check",):
            return honest()
        return CommandResult(0) if Path(command.mark).name == "restore" else honest()

    world = World.promoted(tmp_path, "notes")
    world.tag("notes", "1.1.0")
    world.wrap = CallRecorder(passes_before_the_restore)

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert tiers_of(world) == UNPROVED
    assert "it passed on a second fresh install" in tier_reasons(world)["upgrade"]
    assert "no [data] check proves the data" in reasons(done)["notes"]
    assert "lived through" not in str(done.report)
