"""Processes of Canon in which steps of a pass run beside each other."""

from collections.abc import Callable, Iterator
from typing import Protocol

from attrs import frozen

from reconciler.ports.host import Host


@frozen
class WorkerDied:
    """A worker ended without a result. `how` says how, in words."""

    how: str


@frozen
class WorkerStopped:
    """A worker was asked to stop by `Workers.stop`, and took down what ran in it."""


WorkerEnd = tuple[str, object]
"""The name of a worker that ended, and what its work returned; or WorkerDied, or WorkerStopped."""


class Workers(Protocol):
    """Runs work in processes of its own. `parallel` is how many of them may run at once."""

    @property
    def parallel(self) -> int: ...

    def start(self, name: str, work: Callable[[Host], object]) -> None:
        """Start a worker that calls `work` with a host of its own. Raises OSError if there can be no more processes."""
        ...

    def next_end(self) -> WorkerEnd:
        """Wait until a worker ends, and return its name and its end."""
        ...

    def stop(self, signal_number: int) -> Iterator[WorkerEnd]:
        """Pass the signal on to all workers, wait until all have ended, and yield their ends.

        A second signal meanwhile is passed on as well.
        """
        ...
