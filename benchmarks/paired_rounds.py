"""Runs commands in rounds, each once a round and in random order, so that a busy moment meets all of them."""

import os
import random
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence

from attrs import frozen


@frozen
class Way:
    """A command to compare. `stdin` is its input, and `codes` are the exit codes of success.

    `environment` is that of the command, None for the one of this process. `scale` multiplies what a run costs: for a
    command that does only a part of the work.
    """

    argv: Sequence[str]
    stdin: str = ""
    codes: Sequence[int] = (0,)
    environment: Mapping[str, str] | None = None
    scale: float = 1.0


@frozen
class Cost:
    """Seconds of one run: elapsed, and CPU time of the command and its children. `peak` is its peak memory in MiB."""

    elapsed: float
    cpu: float
    peak: float


def run(way: Way) -> Cost:
    """Run a way once. Raises CalledProcessError if it fails."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as printed:
        given.write(way.stdin.encode())
        given.seek(0)
        started = time.perf_counter()
        child = subprocess.Popen(way.argv, stdin=given, stdout=printed, stderr=subprocess.STDOUT, env=way.environment)
        _, status, used = os.wait4(child.pid, 0)
        elapsed = time.perf_counter() - started
        code = child.returncode = os.waitstatus_to_exitcode(status)
        if code not in way.codes:
            printed.seek(0)
            raise subprocess.CalledProcessError(code, way.argv, printed.read()[-2000:])
    cpu = used.ru_utime + used.ru_stime
    return Cost(elapsed * way.scale, cpu * way.scale, used.ru_maxrss / 1024)


def measure(compared: Mapping[str, Way], rounds: int, seed: int | None = None) -> Mapping[str, Sequence[Cost]]:
    """Run every way once in each round, and once before that is not counted. `seed` fixes the order, None draws one."""
    costs: dict[str, list[Cost]] = {name: [] for name in compared}
    drawn = random.Random(seed)
    for _ in range(rounds + 1):
        for name in drawn.sample([*compared], len(compared)):
            costs[name].append(run(compared[name]))
    return {name: each[1:] for name, each in costs.items()}
