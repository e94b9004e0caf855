"""Runs several steps of a pass at the same time, each in a process that is forked from this one (a worker).

Workers are processes and not threads: each has its own children, signals, sockets and locks of SQLite. So whatever
holds for a pass with one step at a time holds within each of them.
"""

import ctypes
import os
import pickle
import select
import signal
import struct
import traceback
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import NoReturn

from attrs import define, field, frozen

from reconciler.errors import InterruptedPassError
from reconciler.host.processes import subreaper
from reconciler.host.stopping_signals import STOPPING, blocked_signals
from reconciler.ports.host import Host, Progress
from reconciler.ports.workers import WorkerDied, WorkerEnd, WorkerStopped

_PR_SET_PDEATHSIG = 1
_LENGTH = struct.Struct("!Q")


@frozen
class RunningWorker:
    """A worker that runs.

    * `place`: a number from 0 that no other running worker has.
    * `pid`: its process id.
    * `pipe`: the end of its pipe that this process reads.
    """

    place: int
    pid: int
    pipe: int


@frozen
class _Sent:
    """The last message of a worker. `end` is what its work returned, or WorkerStopped if a signal interrupted it."""

    end: object


@define
class ForkedWorkers:
    """Runs workers as forked processes: implements the port Workers.

    * `parallel`: how many workers may run at once.
    * `host_for`: makes the host of a worker. Its arguments are an object that shows the worker's progress, and a number
      from 0 to `parallel` - 1 that no other running worker has.
    * `progress`: shows what workers report.
    * `show_running`: is called with the names of all running workers whenever a worker starts or ends.
    """

    parallel: int
    host_for: Callable[[Progress, int], Host]
    progress: Progress
    show_running: Callable[[frozenset[str]], None] = lambda _: None
    _running: dict[str, RunningWorker] = field(factory=dict, init=False)
    _ended: deque[WorkerEnd] = field(factory=deque, init=False)

    def start(self, name: str, work: Callable[[Host], object]) -> None:
        place = min({*range(self.parallel)} - {worker.place for worker in self._running.values()})
        with blocked_signals():
            parent, (reading, writing) = os.getpid(), os.pipe()
            try:
                pid = _fork()
                if pid == 0:
                    _be_worker(parent, writing, lambda: work(self.host_for(_SentProgress(writing), place)))
            except OSError:
                os.close(reading)
                raise
            finally:
                os.close(writing)
            self._running[name] = RunningWorker(place, pid, reading)
        self.show_running(frozenset(self._running))

    def next_end(self) -> WorkerEnd:
        while not self._ended:
            for name in self._readable():
                # A message that is read is not lost, whatever signals come.
                with blocked_signals():
                    self._take(name, _receive(self._running[name].pipe))
            self.show_running(frozenset(self._running))
        return self._ended.popleft()

    def stop(self, signal_number: int) -> Iterator[WorkerEnd]:
        number: int | None = signal_number
        while self._running or self._ended:
            try:
                if number is not None:
                    for worker in self._running.values():
                        os.kill(worker.pid, number)
                    number = None
                end = self.next_end()
            except InterruptedPassError as again:
                number = again.signal_number
            else:
                yield end

    def _readable(self) -> tuple[str, ...]:
        """Wait until some workers have written something or ended. Return their names."""
        poller = select.poll()
        for worker in self._running.values():
            poller.register(worker.pipe, select.POLLIN)
        ready = {pipe for pipe, _ in poller.poll()}
        return tuple(name for name, worker in self._running.items() if worker.pipe in ready)

    def _take(self, name: str, message: object) -> None:
        """Handle one message of the worker `name`.

        * A tuple is progress, and is shown: the name of a method of Progress, and its arguments.
        * A `_Sent` has the result of the worker. Wait until its process has ended, and record the result.
        * Any other message means that the worker died. Wait until its process has ended, record how it ended, and kill
          the commands that it left running.
        """
        if isinstance(message, tuple):
            with suppress(Exception):  # a pass goes on if its progress cannot be shown
                getattr(self.progress, message[0])(*message[1:])
            return
        worker = self._running.pop(name)
        os.close(worker.pipe)
        _, status = os.waitpid(worker.pid, 0)
        if isinstance(message, _Sent):
            self._ended.append((name, message.end))
            return
        # This process has adopted the commands of the dead worker. What they do now would come after the cleanup.
        subreaper.stop_adopted_commands()
        self._ended.append((name, WorkerDied(_how_ended(status))))


@frozen
class _SentProgress:
    """Sends the progress of a worker through `pipe` to the parent process, which shows it. Errors are ignored."""

    pipe: int

    def step(self, recipe: str, doing: str, last_seconds: float | None = None) -> None:
        self._send("step", recipe, doing, last_seconds)

    def done(self, recipe: str, result: str) -> None:
        self._send("done", recipe, result)

    def _send(self, *words: object) -> None:
        with suppress(OSError):
            _send(self.pipe, words)


def _fork() -> int:
    with warnings.catch_warnings():
        # The worker uses nothing of other threads, which only show progress.
        warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
        return os.fork()


def _be_worker(parent: int, pipe: int, work: Callable[[], object]) -> NoReturn:
    """Do the work in this new process, send the result through `pipe`, and end the process. Never return.

    `parent` is the pid of the process that forked this one. If the work fails, print the traceback and exit with 1.
    """
    try:
        _end_with(parent)
        os.setpgid(0, 0)  # Ctrl-C of a terminal reaches the parent alone, which passes it on
        subreaper.forget_children()
        _send(pipe, _Sent(_result(work)))
    except BaseException:  # noqa: BLE001  nothing may return into the code that forked
        # Not by sys.stderr: another thread may have held its lock when this process was forked.
        os.write(2, traceback.format_exc().encode(errors="backslashreplace"))
        os._exit(1)
    os._exit(0)


def _result(work: Callable[[], object]) -> object:
    """Call `work`. Return its result. If SIGHUP, SIGINT or SIGTERM interrupts it, return WorkerStopped.

    These signals are unblocked only while `work` runs.
    """
    try:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
        try:
            return work()
        finally:
            signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    except InterruptedPassError:
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
        return WorkerStopped()


def _end_with(parent: int) -> None:
    """Let the kernel kill this process as soon as its parent dies, so that a killed pass leaves no worker.

    `parent` is the parent's pid. If the parent is dead already, end this process at once.
    """
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def _send(pipe: int, message: object) -> None:
    """Write one whole message to `pipe`, even if signals come meanwhile. Raise OSError if nobody reads it."""
    body = pickle.dumps(message)
    with blocked_signals(), open(pipe, "wb", closefd=False) as file:
        file.write(_LENGTH.pack(len(body)) + body)


def _receive(pipe: int) -> object:
    """Read one message of a worker from `pipe`. Return it; None if the worker has ended and sent no more."""
    head = _read(pipe, _LENGTH.size)
    body = _read(pipe, *_LENGTH.unpack(head)) if len(head) == _LENGTH.size else b""
    try:
        return pickle.loads(body) if body else None  # noqa: S301  our own worker wrote it
    except (EOFError, pickle.UnpicklingError):
        return None


def _read(pipe: int, size: int) -> bytes:
    """Read `size` bytes from `pipe`, and return them; fewer if the pipe ends before."""
    parts = bytearray()
    while len(parts) < size and (part := os.read(pipe, size - len(parts))):
        parts += part
    return bytes(parts)


def _how_ended(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
