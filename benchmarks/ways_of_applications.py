"""Try all ways of real applications of the tests' fleet, and print their cells of docs/upgrades.md with what they cost.

Run it with `make bench-ways RECIPES="gitea ghost"`, where the tests' engine runs and has their images. Each recipe goes
from nothing to its first release and is upgraded to each later one, and after each upgrade its ways are tried.
"""

import argparse
import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.swarm.local_engine import engine_from_environment
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import versions

WAYS = "--ways=back,leap,fall,stop"


def main() -> None:
    """Print a block for each recipe that is named: its ways as JSON, and the seconds of its passes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("recipes", nargs="+")
    for name in parser.parse_args().recipes:
        with TemporaryDirectory() as folder, published_fleet(Path(folder), engine_from_environment(), [name]) as fleet:
            _try(fleet, name)


def _try(fleet: PublishedFleet, name: str) -> None:
    first, *later = versions(name)
    for version in (first, *later):
        fleet.publish(name)
        seconds = _pass(fleet, name)[1]
        print(f"{name} {version}: tried and promoted in {seconds:.0f} s", flush=True)
        if version != first:
            row, seconds = _pass(fleet, name, WAYS)
            print(f"{name} {version}: its ways were tried in {seconds:.0f} s", flush=True)
            print(json.dumps(row["ways"], indent=2), flush=True)


def _pass(fleet: PublishedFleet, name: str, *words: str) -> tuple[dict[str, Any], float]:
    """Run a pass. Return the row of the recipe, and the seconds that the pass took. Fail if it is not in sync."""
    began = time.monotonic()
    done = fleet.json(*words)
    seconds = time.monotonic() - began
    if done.code != 0:
        raise SystemExit(f"{name}: exit code {done.code}\n{done.out}\n{done.err}")
    return done.row(name), seconds


if __name__ == "__main__":
    main()
