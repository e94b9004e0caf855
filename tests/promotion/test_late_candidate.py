"""A snapshot that does not come up in time, once, when it is deployed again to be promoted or gone back to."""

from collections.abc import Callable
from pathlib import Path

import pytest
from attrs import define, field

from desired.model import Install
from reconciler.core.outcome import Result
from reconciler.errors import InfrastructureError, TimedOutError
from reconciler.ports.app import App, RemovalResult, Unready
from reconciler.ports.commands import CommandResult, RecipeCommand
from tests.pass_results import all_notes, reasons, results
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.rolled_back import go_back
from tests.turn_workers import run_beside
from tests.world import World

PRESSED = "no answer within 600 s (host: load 0.1)"


@define
class LatePromotion:
    """Makes what a promotion or a rollback deploys late.

    * `waits`: how many waits for the app of `recipe` end too late there. `checks`: how many runs of data.check do.
    * `stays`: how many removals of what is deployed there do nothing.
    * `tries`: how often the apps were waited for, of all recipes.
    """

    waits: int = 0
    checks: int = 0
    stays: int = 0
    recipe: str = "notes"
    tries: list[str] = field(factory=list)

    def __call__(self, call: Call, honest: CarryOut) -> object:
        answers: dict[str, Callable[[Call, CarryOut], object]] = {
            "readiness.wait": self._wait,
            "commands.run": self._run,
            "driver.remove": self._remove,
            "driver.clear": self._remove,
        }
        answer = answers.get(call.name)
        return answer(call, honest) if answer is not None else honest()

    def _wait(self, call: Call, honest: CarryOut) -> object:
        command = call.args[2]
        assert isinstance(command, RecipeCommand)
        if Path(command.mark).name != "raised":
            return honest()
        self.tries.append(command.env["RECIPE"])
        if command.env["RECIPE"] != self.recipe or not self.waits:
            return honest()
        self.waits -= 1
        return Unready("no answer within 600 s", timed_out=True)

    def _run(self, call: Call, honest: CarryOut) -> object:
        command = call.args[0]
        assert isinstance(command, RecipeCommand)
        if Path(command.mark).name != "raised" or command.argv != ("check",) or not self.checks:
            return honest()
        self.checks -= 1
        return CommandResult(None, timed_out=True)

    def _remove(self, call: Call, honest: CarryOut) -> object:
        [what] = call.args
        mark = what.mark if isinstance(what, App) else str(what)
        if Path(mark).name != "raised" or not self.stays:
            return honest()
        self.stays -= 1
        return RemovalResult()


def slowed(root: Path, late: LatePromotion) -> World:
    """Return a world with a first release of `notes`, whose promotion is late as `late` says."""
    world = World(root)
    world.declare("notes")
    world.tag("notes", "1.0.0")
    world.wrap = CallRecorder(late)
    return world


def nothing_is_left(world: World) -> bool:
    return not world.running and not list(world.state.work.iterdir()) and not world.records().intents


@pytest.mark.parametrize(
    ("late", "said"), [(LatePromotion(waits=1), PRESSED), (LatePromotion(checks=1), "in time (host: load 0.1)")]
)
def test_a_candidate_that_is_late_once_is_deployed_once_more_and_promoted(
    tmp_path: Path, late: LatePromotion, said: str
) -> None:
    world = slowed(tmp_path, late)

    done = world.run()

    assert results(done) == {"notes": Result.PROMOTED}
    assert late.tries == ["notes", "notes"]
    have = world.records().canonicals["notes"]
    assert world.rises(have)
    assert have.generation == 1
    [note] = all_notes(done)
    assert said in note
    assert note.endswith("the second try decides: slow host")
    assert have.evidence.findings == (note,)
    assert nothing_is_left(world)


def test_a_candidate_that_is_late_twice_is_not_promoted_and_not_tried_again(tmp_path: Path) -> None:
    world = slowed(tmp_path, LatePromotion(waits=2))

    done = world.run()

    assert results(done) == {"notes": Result.GREEN_NOT_PROMOTED}
    assert reasons(done)["notes"].endswith("does not come up: notes 1.0.0 is not ready: no answer within 600 s")
    [note] = [note for note in all_notes(done) if "second try" in note]
    assert PRESSED in note
    assert note.endswith("slow recipe")
    assert nothing_is_left(world)
    before = list(world.deployed)
    world.run()
    assert world.deployed == before


def test_a_candidate_that_is_late_and_then_fails_is_not_promoted(tmp_path: Path) -> None:
    late = LatePromotion(waits=1)

    def answer(call: Call, honest: CarryOut) -> object:
        is_second = len(late.tries) == 2
        if is_second and call.name == "commands.run":
            return CommandResult(1, "the data is gone")
        return late(call, honest)

    world = slowed(tmp_path, late)
    world.wrap = CallRecorder(answer)

    done = world.run()

    assert results(done) == {"notes": Result.GREEN_NOT_PROMOTED}
    assert reasons(done)["notes"].endswith("the candidate does not come up: data.check exited 1")
    assert nothing_is_left(world)


def test_a_candidate_is_not_deployed_beside_what_is_left_of_its_first_try(tmp_path: Path) -> None:
    late = LatePromotion(waits=1, stays=2)
    world = slowed(tmp_path, late)

    done = world.run()

    assert results(done) == {"notes": Result.GREEN_NOT_PROMOTED}
    assert late.tries == ["notes"]
    assert "was not empty" in reasons(done)["notes"]
    assert nothing_is_left(world)
    assert results(world.run()) == {"notes": Result.PROMOTED}


def test_a_candidate_whose_needed_app_is_late_once_is_deployed_once_more_and_promoted(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "mail")
    world.declare("notes", install=Install(needs=("mail",)))
    world.tag("notes", "1.0.0")
    late = LatePromotion(waits=1, recipe="mail")
    world.wrap = CallRecorder(late)

    done = world.run()

    assert results(done)["notes"] is Result.PROMOTED
    assert late.tries == ["mail", "mail", "notes"]
    assert any("slow host" in note for note in all_notes(done))


def test_a_candidate_that_is_late_beside_others_is_not_deployed_again_there_but_tried_again_alone(
    tmp_path: Path,
) -> None:
    late = LatePromotion(waits=1)
    world = slowed(tmp_path, late)

    done = run_beside(world, "wiki")

    assert results(done) == {"notes": Result.PROMOTED, "wiki": Result.PROMOTED}
    assert sorted(late.tries) == ["notes", "notes", "wiki"]
    assert not any("second try" in note for note in all_notes(done))
    assert any("a first try failed beside other recipes" in note for note in all_notes(done))


@pytest.mark.parametrize("waits", [1, 2])
def test_a_rollback_to_what_is_late_once_is_carried_out_and_twice_refused(tmp_path: Path, waits: int) -> None:
    world = World.promoted(tmp_path, "notes")
    world.tag("notes", "1.1.0")
    world.run()
    late = LatePromotion(waits=waits)
    world.wrap = CallRecorder(late)

    if waits == 1:
        assert go_back(world).version == "1.0.0"
    else:
        with pytest.raises(TimedOutError, match="no answer within 600 s"):
            go_back(world)

    assert late.tries == ["notes", "notes"]
    assert world.records().canonicals["notes"].version == ("1.0.0" if waits == 1 else "1.1.0")
    assert nothing_is_left(world)


def test_a_rollback_is_not_deployed_beside_what_is_left_of_its_first_try(tmp_path: Path) -> None:
    world = World.promoted(tmp_path, "notes")
    world.tag("notes", "1.1.0")
    world.run()
    world.wrap = CallRecorder(LatePromotion(waits=1, stays=2))

    with pytest.raises(InfrastructureError, match="was not empty"):
        go_back(world)

    assert world.records().canonicals["notes"].version == "1.1.0"
