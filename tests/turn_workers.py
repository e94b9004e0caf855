"""Workers in threads of which one runs at a time: at each call of a port, another one may go on."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from attrs import define, field

from reconciler.errors import InterruptedPassError
from reconciler.ports.host import Host
from reconciler.ports.workers import WorkerDied, WorkerEnd, WorkerStopped
from reconciler.stages.loop import Pass
from tests.port_calls import CallRecorder, CarryOut
from tests.world import World


def run_beside(world: World, name: str) -> Pass:
    """Declare the recipe `name` with a first release, and run a pass that tries two recipes at the same time."""
    world.declare(name)
    world.tag(name, "1.0.0")
    workers = TurnWorkers(world, 2, lambda names: names[0])
    done = world.run(workers=workers)
    assert workers.most == 2
    return done


@define
class _TurnThread:
    """One worker: the work in its thread, and a signal that it gets at its next call."""

    thread: threading.Thread
    go_on: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))
    ends: list[object] = field(factory=list)
    signal: int | None = None


@define
class TurnWorkers:
    """Implements the port Workers in a world. `choose` picks by name which worker goes on.

    `loses_end` says of a worker that ended whether its end is lost, as if it had died right before it told of it.
    `interrupted_at` is the number of the turn at which a signal comes, None for never. `turns` counts them.
    """

    world: World
    parallel: int
    choose: Callable[[Sequence[str]], str]
    loses_end: Callable[[str], bool] = lambda _: False
    interrupted_at: int | None = None
    turns: int = 0
    most: int = 0
    _workers: dict[str, _TurnThread] = field(factory=dict)
    _ended: deque[WorkerEnd] = field(factory=deque)
    _paused: threading.Semaphore = field(factory=lambda: threading.Semaphore(0))

    @property
    def running(self) -> list[str]:
        return sorted(self._workers)

    def start(self, name: str, work: Callable[[Host], object]) -> None:
        def run() -> None:
            worker.go_on.acquire()
            try:
                worker.ends.append(work(host))
            except InterruptedPassError:
                worker.ends.append(WorkerStopped())
            except BaseException as bug:  # noqa: BLE001  the test fails by it
                worker.ends.append(bug)
            self._paused.release()

        worker = self._workers[name] = _TurnThread(threading.Thread(target=run, daemon=True))
        self.most = max(self.most, len(self._workers))
        before, recorder = self.world.wrap, CallRecorder(lambda _, honest: self._call(worker, honest))
        self.world.wrap = lambda port_name, port: recorder(port_name, before(port_name, port))
        host = self.world.host()
        self.world.wrap = before
        worker.thread.start()

    def next_end(self) -> WorkerEnd:
        while not self._ended:
            self.turns += 1
            if self.turns == self.interrupted_at:
                raise InterruptedPassError(2)
            self._let_one_go_on()
        return self._ended.popleft()

    def stop(self, signal_number: int) -> Iterator[WorkerEnd]:
        for worker in self._workers.values():
            worker.signal = signal_number
        while self._workers:
            self._let_one_go_on()
        yield from self._ended

    def _let_one_go_on(self) -> None:
        name = self.choose(sorted(self._workers))
        worker = self._workers[name]
        worker.go_on.release()
        self._paused.acquire()
        if not worker.ends:
            return
        worker.thread.join()
        del self._workers[name]
        if isinstance(worker.ends[0], BaseException):
            raise worker.ends[0]
        died = worker.signal is None and self.loses_end(name)
        self._ended.append((name, WorkerDied("was ended by SIGKILL") if died else worker.ends[0]))

    def _call(self, worker: _TurnThread, honest: CarryOut) -> object:
        self._paused.release()
        worker.go_on.acquire()
        if worker.signal is not None:
            number, worker.signal = worker.signal, None
            raise InterruptedPassError(number)
        return honest()
