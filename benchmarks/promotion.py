"""Measure one promotion of a static site on Swarm, as ratios to the same engine work by hand.

Run it with `make bench-promotion`, where the tests' engine runs. `--earlier FOLDER` adds an earlier build: a checkout
with its own .venv. `--recipes NAMES` promotes other recipes of the tests' fleet, without the sequence by hand. Each
round does everything once, in random order, with an empty state folder.
"""

import argparse
import os
import random
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.paired_rounds import Cost, Way, run
from tests.swarm.counting_relay import EngineUse, counted_engine
from tests.swarm.local_engine import engine_from_environment
from tests.swarm.published_fleet import PublishedFleet, published_fleet
from tests.swarm.recipe_upstreams import tree, versions

SITE = "custom-html"
BY_HAND, TODAY, EARLIER = "by hand", "this build", "earlier build"
HERE = Path(__file__).parent


@frozen
class PromotionCost:
    """What one promotion cost: its time, starts of Docker's command, and requests of the engine by whomever."""

    cost: Cost
    starts: int
    requests: int


def main() -> None:
    """Print a line for each way: medians, and the ratios to the first way within each round."""
    options = _options()
    ways = [TODAY, *([EARLIER] if options.earlier else []), *([BY_HAND] if options.recipes == [SITE] else [])]
    drawn = random.Random(options.seed)
    found: dict[str, list[PromotionCost]] = {way: [] for way in ways}
    for number in range(options.rounds):
        for way in drawn.sample(ways, len(ways)):
            found[way].append(_promote(way, options))
            last = found[way][-1]
            print(f"round {number}: {way}: {last.cost.elapsed:.1f} s, {last.cost.cpu:.1f} s CPU, {last.starts} starts")
    _print(found, ways[-1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--earlier", type=Path)
    parser.add_argument("--recipes", nargs="+", default=[SITE])
    return parser.parse_args()


def _print(found: Mapping[str, Sequence[PromotionCost]], yardstick: str) -> None:
    print(f"\n{'':16}{'seconds':>9}{'ratio':>8}{'from':>8}{'to':>8}{'CPU s':>8}{'starts':>8}{'requests':>10}")
    for way, costs in found.items():
        pairs = zip(costs, found[yardstick], strict=True)
        ratios = [each.cost.elapsed / other.cost.elapsed for each, other in pairs]
        seconds, cpu = (median(getattr(each.cost, name) for each in costs) for name in ("elapsed", "cpu"))
        starts, requests = (median(getattr(each, name) for each in costs) for name in ("starts", "requests"))
        print(
            f"{way:16}{seconds:9.1f}{median(ratios):8.2f}{min(ratios):8.2f}{max(ratios):8.2f}"
            f"{cpu:8.1f}{starts:8.0f}{requests:10.0f}"
        )


def _promote(way: str, options: argparse.Namespace) -> PromotionCost:
    with _counted(way) as (folder, use):
        if way == BY_HAND:
            try:
                cost = run(_by_hand(folder, use))
            finally:
                _remove_by_hand(use)
        else:
            with published_fleet(folder / "fleet", use.engine, options.recipes) as world:
                world.publish(*options.recipes)
                if way == EARLIER:
                    _declare_for_earlier(world)
                cost = run(_of_build(world, options.earlier if way == EARLIER else HERE.parent))
        return PromotionCost(cost, len(use.starts), len(use.requests))


@contextmanager
def _counted(way: str) -> Iterator[tuple[Path, EngineUse]]:
    """Yield a new folder, and the engine with its use counted."""
    with TemporaryDirectory(prefix=f"{way.replace(' ', '-')}-") as name:
        folder = Path(name)
        with counted_engine(folder / "use", engine_from_environment()) as use:
            yield folder, use


def _of_build(world: PublishedFleet, build: Path) -> Way:
    """Return the pass of a build, whose checkout has a .venv, over this fleet."""
    program = build / ".venv" / "bin" / "reconcile"
    path = f"{program.parent}:{world.engine.client}:{os.environ['PATH']}"
    environment = {**world.canon.environment, "PYTHONPATH": str(build), "PATH": path}
    return Way((str(program), "-q"), environment=environment)


def _declare_for_earlier(world: PublishedFleet) -> None:
    """Leave out what builds before 2026-11-28 do not know: they watch for no time whether a ready app stays up."""
    declared = world.canon.fleet / "fleet.toml"
    declared.write_text(declared.read_text().replace('[defaults.ready]\nstable = "5s"\n', ""))


def _by_hand(folder: Path, use: EngineUse) -> Way:
    """Return the sequence by hand over a checkout of the site's first release."""
    checkout, work = folder / "checkout", folder / "work"
    work.mkdir()
    for path, file in tree(SITE, versions(SITE)[0]).items():
        (checkout / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, checkout / path)
    environment = {**os.environ, "DOCKER_HOST": use.engine.host, "PATH": f"{use.engine.client}:{os.environ['PATH']}"}
    script = str(HERE / "promotion_by_hand.sh")
    return Way(("sh", script, str(checkout), str(work)), environment=environment)


def _remove_by_hand(use: EngineUse) -> None:
    """Remove what a sequence by hand left that broke off."""
    for stack in ("byhand1", "byhand2", "byhand3"):
        if use.engine.listed("service", f"label=com.docker.stack.namespace={stack}"):
            use.engine.docker("stack", "rm", stack)


if __name__ == "__main__":
    main()
