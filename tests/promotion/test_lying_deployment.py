"""Each port call lies or fails once while a canonical is raised to be kept running."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.core.observation import State
from reconciler.core.outcome import Result
from state.state_errors import StateError
from tests.folders import scratch_folder
from tests.lying_ports import NEVER_FAIL, OTHER, OWN, ActsOnOtherRecipe, DoesNothing, RaisesError
from tests.port_calls import Call, CallRecorder, CarryOut
from tests.promotion.kept_world import KEPT, kept_versions, row_of, stop_app
from tests.world import World

LIES: dict[str, Callable[[World], Callable[[Call, CarryOut], object]]] = {
    "nothing": DoesNothing,
    "elsewhere": ActsOnOtherRecipe,
    "fails": lambda _: RaisesError(after=False),
    "fails afterwards": lambda _: RaisesError(after=True),
}


def fallen(root: Path) -> World:
    """Two canonicals that are kept running, and one of them down."""
    world = World(root)
    for name in (OWN, OTHER):
        world.declare(name, **KEPT)
        world.tag(name, "1.0.0")
    world.run()
    stop_app(world)
    return world


def calls_of_raising() -> list[Call]:
    """From the look that finds it down to the one that finds it up."""
    with scratch_folder() as root:
        world = fallen(root)
        recorder = world.wrap = CallRecorder()
        world.run()
    surveys = [at for at, call in enumerate(recorder.calls) if call.name == "driver.deployed_parts"]
    return recorder.calls[surveys[1] : surveys[3] + 1]


@pytest.fixture(scope="module")
def fallen_template() -> Iterator[World]:
    with scratch_folder() as root:
        yield fallen(root)


@pytest.mark.parametrize(
    ("lie", "at"),
    [
        (lie, at)
        for at in calls_of_raising()
        for lie in LIES
        if at.name not in NEVER_FAIL or not lie.startswith("fails")
    ],
    ids=str,
)
def test_a_deployment_that_one_lie_prevents_is_never_called_repaired_and_the_next_pass_makes_it(
    fallen_template: World, tmp_path: Path, lie: str, at: Call
) -> None:
    world = fallen_template.copy(tmp_path)
    liar = LIES[lie](world)
    world.wrap = CallRecorder(lambda call, honest: liar(call, honest) if str(call) == str(at) else honest())
    try:
        row = row_of(world.run())
    except StateError:
        assert at.port == "registry"
        row = None
    world.wrap = lambda _, port: port

    stands = kept_versions(world).get("notes/notes") == "1.0.0" and world.look(OWN).exit_code == 0
    if row is not None:
        assert stands or row.result is Result.INFRASTRUCTURE
        assert stands or row.finding.status.state is not State.INTACT
    assert world.run().report.exit_code == 0
    assert kept_versions(world) == {"notes/notes": "1.0.0", "wiki/wiki": "1.0.0"}
    assert world.lived(OWN) == ("1.0.0",)
