"""A pass over a world in memory that dies as by kill -9, at one port call, and leaves the files as they are."""

import os
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Sequence
from typing import IO, NoReturn

from attrs import frozen

from tests.calls import Call, Ear, Honest
from tests.world import World

# What outlives a pass that dies: everything in the world that no file holds.
OUTSIDE = ("running", "mirrors", "deployed", "told", "restless", "now", "passes")


@frozen
class Death:
    """Right before or right after the call of that number, counted over all ports from 1."""

    number: int
    after: bool


def dying_pass(world: World, death: Death, *names: str, retry: Sequence[str] = ()) -> bool:
    """Run a pass in a child, which kills itself at `death`; tells whether it came to that."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Other threads of the test runner do not matter to the child: it uses nothing of theirs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            _live_and_die(world, death, names, retry, pipe)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}, "the pass failed before it could die"
    for name, value in pickle.loads(told).items():  # noqa: S301  our own child wrote it
        setattr(world, name, value)
    return status == signal.SIGKILL


def _live_and_die(world: World, death: Death, names: Sequence[str], retry: Sequence[str], pipe: IO[bytes]) -> NoReturn:
    def answer(_: Call, honest: Honest) -> object:
        number = len(ear.heard)
        if (number, False) == (death.number, death.after):
            die()
        answered = honest()
        if (number, True) == (death.number, death.after):
            die()
        return answered

    def die() -> None:
        tell()
        os.kill(os.getpid(), signal.SIGKILL)

    def tell() -> None:
        pickle.dump({name: getattr(world, name) for name in OUTSIDE}, pipe)
        pipe.flush()

    ear = world.wrap = Ear(answer)
    try:
        world.run(*names, retry=retry)
        tell()
    except BaseException:  # noqa: BLE001  nothing of the child may go on in the test that started it
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    os._exit(0)
