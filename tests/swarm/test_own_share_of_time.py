"""How much of a promotion's time is Canon's own: neither other programs at work, nor waiting for Swarm."""

import json
import subprocess
import sys
from pathlib import Path

from tests.reconcile_command import TREE
from tests.swarm.local_engine import LocalEngine
from tests.swarm.published_fleet import PATIENCE, published_fleet

NAME = "custom-html"
# On a quiet machine it was 2 %; a busy one lets us wait for our turn as well.
MOST = 0.1


def test_a_small_share_of_a_promotions_time_is_canons_own(engine: LocalEngine, tmp_path: Path) -> None:
    taken = tmp_path / "taken.json"
    with published_fleet(tmp_path / "sweep", engine, [NAME]) as world:
        world.publish(NAME)
        done = subprocess.run(
            [sys.executable, "-m", "tests.swarm.timed_command", str(taken), "-q"],
            cwd=TREE,
            env=world.canon.environment,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=PATIENCE,
        )
        assert (done.returncode, NAME in world.recorded()) == (0, True)
    told = json.loads(taken.read_text())
    own = told["wall"] - told["commands"] - told["calls"] - told["waiting"]
    sys.stdout.write(f"{told} own {own:.2f} s: {own / told['wall']:.1%}\n")
    assert 0 < own < MOST * told["wall"]
