"""Two Canons on one Swarm with state folders of one path, as two managers have: neither touches what is the other's."""

import shutil
import signal
import subprocess
from pathlib import Path

from tests.command import await_release
from tests.procfile_apps import eventually
from tests.same_path import Bound, needs_mounts
from tests.swarm.engine import Engine
from tests.swarm.sweep import Sweep, sweep

NAME = "custom-html-tiny"
HOLLOW = 5


def run(bound: Bound) -> tuple[int, str]:
    done = subprocess.run(bound.argv(), env=bound.environment, capture_output=True, text=True, check=False, timeout=600)
    return done.returncode, done.stdout + done.stderr


@needs_mounts
def test_a_pass_leaves_a_killed_ones_slot_to_its_owner_whose_fleet_has_lost_the_recipe(
    engine: Engine, tmp_path: Path
) -> None:
    path = tmp_path / "state"
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with sweep(tmp_path / "one", engine, [NAME]) as one, sweep(tmp_path / "two", engine, [NAME]) as two:
        first, second = (Bound.at(path, published(world).canon) for world in (one, two))
        left = killed_mid_trial(first, engine)

        code, said = run(second)
        assert (code, "a slot left by a dead run" in said) == (0, False), said
        assert engine.below(path) == left

        # Whose slot it is finds it by what lies in its state folder: no recipe of its fleet is of a Swarm any more.
        shutil.rmtree(one.canon.fleet / "recipes" / NAME)
        code, said = run(first)
        assert (code, f"{NAME}: a slot left by a dead run was removed" in said) == (HOLLOW, True), said
        assert engine.below(path) == frozenset()
        assert list((one.state.work).iterdir()) == []
        assert two.recorded()[NAME].generation == 1


def published(world: Sweep) -> Sweep:
    world.publish(NAME)
    return world


def killed_mid_trial(bound: Bound, engine: Engine) -> frozenset[tuple[str, str]]:
    """Kill a pass as soon as something of a slot stands on the engine; what of it stays there, but for containers."""
    command = subprocess.Popen(bound.argv("-q"), env=bound.environment)
    try:
        eventually(lambda: any(kind == "service" for kind, _ in engine.below(bound.path)), 300)
    finally:
        command.send_signal(signal.SIGKILL)
        command.wait()
    await_release(bound.canon.state / "lock", 200)
    return engine.below(bound.path)
