"""Records, changes or breaks off the calls of a world's ports, and kills whole passes at one of them."""

import os
import pickle
import signal
import sys
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import IO, NoReturn

from attrs import define, field, frozen

from tests.world import World

CarryOut = Callable[[], object]


@frozen
class Call:
    """One call of a port. `number` counts the calls of the same port and method, from 1."""

    port: str
    method: str
    number: int
    args: tuple[object, ...]
    kwargs: Mapping[str, object] = field(factory=dict)

    @property
    def name(self) -> str:
        return f"{self.port}.{self.method}"

    def __str__(self) -> str:
        return f"{self.name}#{self.number}"


@define
class CallRecorder:
    """Record each call of a world's ports; set it as the world's `wrap`.

    `answer` gets the call and a function that carries it out. Its return value is what the caller gets. Calls of the
    ports in `unrecorded` are not recorded.
    """

    answer: Callable[[Call, CarryOut], object] = lambda _, honest: honest()
    unrecorded: frozenset[str] = frozenset({"clock", "progress"})
    calls: list[Call] = field(factory=list)
    _counts: Counter[str] = field(factory=Counter)

    def __call__(self, name: str, port: object) -> object:
        return port if name in self.unrecorded else _RecordedPort(self, name, port)

    def record(
        self, port: str, method: str, args: tuple[object, ...], more: dict[str, object], honest: CarryOut
    ) -> object:
        self._counts[f"{port}.{method}"] += 1
        call = Call(port, method, self._counts[f"{port}.{method}"], args, more)
        self.calls.append(call)
        return self.answer(call, honest)


@frozen
class _RecordedPort:
    """A port whose calls go through the recorder."""

    _recorder: CallRecorder
    _name: str
    _port: object

    def __getattr__(self, method: str) -> Callable[..., object]:
        carry_out = getattr(self._port, method)

        def call(*args: object, **more: object) -> object:
            return self._recorder.record(self._name, method, args, more, lambda: carry_out(*args, **more))

        return call


# Attributes of the world that no file holds, and that stay after a pass was killed.
OUTSIDE = ("running", "mirrors", "deployed", "told", "restless", "now", "passes")


@frozen
class KillPoint:
    """The call at which a pass is killed: right before or right after it. `number` counts over all ports, from 1."""

    number: int
    after: bool


def killed_pass(world: World, death: KillPoint, *names: str, retry: Sequence[str] = ()) -> bool:
    """Run a pass in a child process that kills itself at `death`. Return whether it was killed."""
    return killed_run(world, death, lambda world: world.run(*names, retry=retry))


def killed_run(world: World, death: KillPoint, run: Callable[[World], object]) -> bool:
    """Call `run` in a child process that kills itself at `death`. Return whether it was killed."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # The child uses nothing of the test runner's other threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os.close(reading)
        with os.fdopen(writing, "wb") as pipe:
            _run_and_die(world, death, run, pipe)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    assert status in {0, signal.SIGKILL}, "the run failed before it could die"
    for name, value in pickle.loads(told).items():  # noqa: S301  our own child wrote it
        setattr(world, name, value)
    return status == signal.SIGKILL


def _run_and_die(world: World, death: KillPoint, run: Callable[[World], object], pipe: IO[bytes]) -> NoReturn:
    def answer(_: Call, honest: CarryOut) -> object:
        number = len(recorder.calls)
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

    recorder, wrap = CallRecorder(answer), world.wrap
    world.wrap = lambda name, port: recorder(name, wrap(name, port))
    try:
        run(world)
        tell()
    except BaseException:  # noqa: BLE001  the child must not go on in the test that started it
        traceback.print_exc(file=sys.stderr)
        os._exit(1)
    os._exit(0)
