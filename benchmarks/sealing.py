"""Compare sealing and unpacking a snapshot with `tar | zstd` of the same tree, in pairs; print ratios."""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from attrs import frozen

from state.records import Seal
from state.snapshots.snapshots import SealedSnapshots


def make_tree(root: Path, files: int, total: int, seed: int) -> None:
    """Write `files` files with about `total` bytes. Every second file is random, the others are text."""
    rng = random.Random(seed)
    words = [bytes(rng.choices(b"abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 10))) for _ in range(4000)]
    text = b" ".join(rng.choices(words, k=3_000_000))
    weights = [rng.lognormvariate(0, 1) for _ in range(files)]
    factor = total / sum(weights)
    for number, weight in enumerate(weights):
        size, start = int(weight * factor), rng.randrange(len(text) // 2)
        path = root / f"{number % 20:02}" / f"{number // 20 % 20:02}" / f"{number}.dat"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text[start : start + size] if number % 2 else rng.randbytes(size))


@frozen
class SealingCost:
    """Seconds of time and of CPU that an action took, with the commands that it started."""

    time: float
    cpu: float


def cost_of(action: Callable[[], object]) -> SealingCost:
    """Measure `action`. Earlier writes are flushed first, so that they do not slow it down."""
    os.sync()
    time_before, cpu_before = time.perf_counter(), cpu_seconds()
    action()
    return SealingCost(time.perf_counter() - time_before, cpu_seconds() - cpu_before)


def cpu_seconds() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def shell(line: str, folder: Path) -> None:
    subprocess.run(["bash", "-o", "pipefail", "-ec", line], cwd=folder, check=True)


def one_round(folder: Path, order: random.Random) -> dict[str, SealingCost]:
    """Return the cost of each of the four actions. Which of a pair comes first is drawn from `order`."""
    snapshots, sealed, seals = SealedSnapshots(), folder / "sealed", list[Seal]()
    (folder / "by-tar").mkdir()
    packing: dict[str, Callable[[], object]] = {
        "seal": lambda: seals.append(snapshots.seal(folder / "tree", sealed, {})),
        "tar | zstd": lambda: shell("tar -C tree -c . | zstd -q -3 -o tree.tar.zst; sync tree.tar.zst", folder),
    }
    unpacking: dict[str, Callable[[], object]] = {
        "unpack": lambda: snapshots.unpack(sealed, seals[0], folder / "by-canon"),
        "zstd | tar": lambda: shell("zstd -dqc tree.tar.zst | tar -C by-tar -x", folder),
    }
    costs = {}
    for pair in (packing, unpacking):
        for name in order.sample(sorted(pair), 2):
            costs[name] = cost_of(pair[name])
    for name in ("sealed", "by-canon", "by-tar"):
        shutil.rmtree(folder / name)
    (folder / "tree.tar.zst").unlink()
    return costs


def shown(costs: dict[str, SealingCost]) -> dict[str, SealingCost]:
    """Print the seconds of a round as soon as they are known, and return the costs."""
    print(", ".join(f"{name} {cost.time:.1f} s" for name, cost in costs.items()), flush=True)
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--bytes", type=int, default=1 << 30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sealing-", dir=os.environ.get("TMPDIR")) as name:
        folder = Path(name)
        make_tree(folder / "tree", given.files, given.bytes, given.seed)
        rounds = [shown(one_round(folder, random.Random(given.seed + number))) for number in range(given.rounds)]
    for ours, theirs in (("seal", "tar | zstd"), ("unpack", "zstd | tar")):
        print(f"{ours} / {theirs}: time {median_and_range([each[ours].time / each[theirs].time for each in rounds])}")
        print(f"{ours} / {theirs}: CPU {median_and_range([each[ours].cpu / each[theirs].cpu for each in rounds])}")


def median_and_range(ratios: list[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
