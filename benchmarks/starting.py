"""Measure how quickly commands start, as ratios to `python -c pass` of the same interpreter.

Run it with `make bench-start`. Each round runs every command once, in an order drawn anew, so that a busy moment of the
machine meets all of them. Printed are the medians of the rounds, and of the ratios within each round; the ratio of CPU
time says more where other programs run.
"""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.paired_rounds import Way, measure
from state.folder.folder import StateFolder
from state.folder.identity import make_identity
from state.records import BaseRecord, Canonical, Evidence, Intent, LedgerEntry, Place, TierRecord
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots

SEED = 7
ROUNDS = 10
BARE = "python -c pass"
TARGETS = {"--version": 2, "--help": 4, "status of 21": 10, "status of 300": 15}
NOW = datetime(2026, 11, 1, 4, tzinfo=UTC)
# Without PYTHONDONTWRITEBYTECODE and the like: an installed Canon is compiled once, not at every start.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
VERSION, COMMIT = "1.2.0+v1", "c" * 40


def main() -> None:
    """Print a line for each command: its median in milliseconds, its ratios of time and of CPU time, and the target."""
    reconcile = str(Path(sys.executable).with_name("reconcile"))
    with TemporaryDirectory() as made:
        commands = {BARE: [sys.executable, "-c", "pass"]}
        commands |= {name: [reconcile, name] for name in ("--version", "--help")}
        commands |= {f"status of {size}": [reconcile, "status", *make_fleet(Path(made), size)] for size in (21, 300)}
        costs = measure({name: Way(argv, environment=_ENVIRONMENT) for name, argv in commands.items()}, ROUNDS, SEED)
    print(f"{'':16}{'ms':>8}{'ratio':>8}{'of CPU':>8}{'target':>8}    seed {SEED}, {ROUNDS} rounds")
    for name, each in costs.items():
        elapsed, cpu = (
            median(of(cost) / of(bare) for cost, bare in zip(each, costs[BARE], strict=True))
            for of in (attrgetter("elapsed"), attrgetter("cpu"))
        )
        milliseconds = median(cost.elapsed for cost in each) * 1000
        print(f"{name:16}{milliseconds:8.1f}{elapsed:8.2f}{cpu:8.2f}{TARGETS.get(name, ''):>8}")


# ---- fleets to look at ----


def make_fleet(
    parent: Path,
    size: int,
    forge: str = "https://forge.example",
    releases: Sequence[tuple[str, str]] = ((VERSION, COMMIT),),
) -> list[str]:
    """Make a fleet of `size` process recipes, each with an intact canonical. Return the options that name it.

    `forge` is the address before `/NAME.git`. The canonicals are at `releases`, versions with their commits, in turn.
    """
    fleet, state = parent / f"fleet-{size}", StateFolder(parent / f"state-{size}")
    state.create()
    make_identity(state.identity)
    SqliteRegistry(state.database).append([LedgerEntry(NOW, "note", "", {"said": "made for a benchmark"})])
    (fleet / "recipes").mkdir(parents=True)
    (fleet / "fleet.toml").write_text('format = 1\n\n[fleet]\nname = "benchmark"\nprotocols = ["https", "http"]\n')
    for number in range(size):
        name = f"app-{number:03}"
        (fleet / "recipes" / name).mkdir()
        (fleet / "recipes" / name / "recipe.toml").write_text(_declaration(f"{forge}/{name}.git"))
        _promote(state, name, *releases[number % len(releases)])
    return ["--fleet", str(fleet), "--state", str(state.root)]


def _declaration(upstream: str) -> str:
    return f"""\
[recipe]
upstream = "{upstream}"
requires = ["git"]

[release]
allow = ">=1.0.0,<3"

[ready]
http = "/healthz"
stable = "30s"

[data]
mark = ["./mark"]
check = ["./check"]
"""


def _promote(state: StateFolder, name: str, version: str, commit: str) -> None:
    """Record a canonical with a sealed snapshot of one small file."""
    data = state.root / "data"
    data.mkdir(exist_ok=True)
    (data / "notes.txt").write_text(name)
    folder = state.canonical(name, 1)
    folder.parent.mkdir(parents=True)
    seal = SealedSnapshots().seal(data, folder, {"recipe": name})
    canonical = Canonical(name, version, commit, 1, ("1.0.0", version), NOW, _evidence(name), seal)
    intent = Intent(f"pass:{name}:{version}", name, version, commit, 1, NOW)
    registry = SqliteRegistry(state.database)
    registry.begin(intent, [LedgerEntry(NOW, "intent", name, {})])
    registry.commit(canonical, intent, [LedgerEntry(NOW, "promotion", name, {})])


def _evidence(name: str) -> Evidence:
    place = Place("timer", "reconcile.service", "canon", "/usr/bin", ("HOME",), {"git": "2.39"}, "p" * 64, "v" * 64)
    tiers = tuple(TierRecord(tier, "pass", "", 1.0) for tier in ("install", "upgrade", "backup", "restore"))
    base = BaseRecord("1.0.0", "the canonical")
    trial, log = f"20261101T040000Z-{name}", f"logs/{name}/20261101T040000Z-{name}"
    return Evidence(trial, "pass", NOW, NOW, place, "f" * 40, "e" * 40, "d" * 64, "4/4", base, tiers, log)


if __name__ == "__main__":
    main()
