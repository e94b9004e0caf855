"""Runs commands in rounds, each once a round and in random order, so that a busy moment meets all of them."""

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

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
        child = subprocess.Popen(
            way.argv,
            stdin=given,
            stdout=printed,
            stderr=subprocess.STDOUT,
            env=way.environment,
            start_new_session=True,
        )
        with _killed_with_its_children(child):
            _, status, used = os.wait4(child.pid, 0)
        elapsed = time.perf_counter() - started
        code = child.returncode = os.waitstatus_to_exitcode(status)
        if code not in way.codes:
            printed.seek(0)
            raise subprocess.CalledProcessError(code, way.argv, printed.read()[-2000:])
    cpu = used.ru_utime + used.ru_stime
    return Cost(elapsed * way.scale, cpu * way.scale, used.ru_maxrss / 1024)


@contextmanager
def _killed_with_its_children(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Kill a command and the processes that it started if the block is interrupted. It leads a session of its own."""
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise


def end_on_sigterm() -> None:
    """Leave this process on SIGTERM as on Ctrl-C: `with` and `finally` blocks are run. Its exit code is then 143."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def measure(compared: Mapping[str, Way], rounds: int, seed: int | None = None) -> Mapping[str, Sequence[Cost]]:
    """Run every way once in each round, and once before that is not counted. `seed` fixes the order, None draws one."""
    costs: dict[str, list[Cost]] = {name: [] for name in compared}
    drawn = random.Random(seed)
    for _ in range(rounds + 1):
        for name in drawn.sample([*compared], len(compared)):
            costs[name].append(run(compared[name]))
    return {name: each[1:] for name, each in costs.items()}
