"""Measure a pass over recipes on a Swarm that tries several at once, as a ratio to one after the other.

Needs the engine of the tests, see CONTRIBUTING.md. `python -m benchmarks.parallel_passes ROUNDS PARALLEL NAME...`: a
name is that of a folder in tests/swarm/fleet. Each run promotes every first release, into a new state folder.
"""

import shlex
import shutil
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.paired_rounds import Way, measure
from tests.swarm.local_engine import engine_from_environment
from tests.swarm.published_fleet import PublishedFleet, published_fleet


def main(rounds: int, parallel: int, *names: str) -> None:
    """Print the median of the rounds' ratios, the least and the greatest, of elapsed and of CPU time."""
    with TemporaryDirectory() as made, published_fleet(Path(made), engine_from_environment(), names) as fleet:
        fleet.publish(*names)
        costs = measure({str(each): pass_with(fleet, each) for each in (1, parallel)}, rounds)
    one, several = costs["1"], costs[str(parallel)]
    for what in ("elapsed", "cpu"):
        ratios = [getattr(b, what) / getattr(a, what) for a, b in zip(one, several, strict=True)]
        seconds = median(getattr(each, what) for each in one)
        spread = f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        print(f"{what:8} {spread} of {seconds:.0f} s, {rounds} rounds")


def pass_with(fleet: PublishedFleet, parallel: int) -> Way:
    """Return a pass over the whole fleet that tries `parallel` recipes at once, into a new state folder."""
    folder = fleet.canon.folder / f"parallel-{parallel}"
    declared, state = folder / "fleet", folder / "state"
    shutil.copytree(fleet.canon.fleet, declared)
    with (declared / "fleet.toml").open("a") as file:
        file.write(f"[budget]\nparallel = {parallel}\n")
    environment = {**fleet.canon.environment, "RECONCILE_FLEET": str(declared), "RECONCILE_STATE": str(state)}
    command = f"rm -rf {shlex.quote(str(state))} && exec reconcile -q"
    return Way(["sh", "-c", command], environment=environment)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
