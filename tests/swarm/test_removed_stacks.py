"""The order in which the objects of a stack on the real Swarm are removed."""

import time
from pathlib import Path

from desired.model import Swarm
from reconciler.host.swarm.recipe.stack import stack_of
from reconciler.ports.app import RemovalResult
from tests.swarm.local_engine import LocalEngine
from tests.swarm.stacks import BASE, SwarmSlots, options, release, server


def test_a_network_is_removed_after_the_last_container_of_its_stack(engine: LocalEngine, tmp_path: Path) -> None:
    slots = SwarmSlots.on(engine, tmp_path / "work")
    app = slots.app()
    slow = "trap 'sleep 3; exit 0' TERM; while :; do sleep 0.1; done"
    release(tmp_path / "slow", {"app": server(BASE, command=["sh", "-c", slow], stop_grace_period="20s")})
    try:
        slots.driver.deploy(app, tmp_path / "slow", options())
        slots.settled(app)
        since = str(time.time())
        assert slots.driver.remove(app) == RemovalResult()
    finally:
        slots.clear()
    shown = '{{.Type}} {{.Action}} {{index .Actor.Attributes "name"}}'
    told = engine.docker("events", "--since", since, "--until", str(time.time()), "--format", shown).splitlines()
    ours = [line.rpartition(" ")[0] for line in told if stack_of(app, Swarm().zone).name in line]
    # The swarm removes a network before this engine destroys its own part of it.
    assert ours.index("container destroy") < ours.index("network remove"), ours
