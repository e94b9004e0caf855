"""Processes of Canon in which steps of a pass run beside each other."""

from collections.abc import Callable, Iterator
from typing import Protocol

from attrs import frozen

from reconciler.ports.host import Host, Progress


@frozen
class WorkerDied:
    """A worker ended without a result. `how` is the end of a sentence, such as "was ended by SIGKILL"."""

    how: str


@frozen
class WorkerStopped:
    """A worker ended because `Workers.stop` was called. It has removed the apps that it had deployed."""


WorkerEnd = tuple[str, object]
"""The name of a worker that ended, and what its work returned. Instead of that: WorkerDied, or WorkerStopped."""


class ParallelProgress(Progress, Protocol):
    """Shows what a pass is doing when it tries several recipes at once."""

    def show_running(self, recipes: frozenset[str]) -> None:
        """Show that these recipes are tried at the same time from now on.

        `recipes` is empty if one is tried after the other.
        """


class Workers(Protocol):
    """Runs work in processes of its own. `parallel` is how many of them may run at once."""

    @property
    def parallel(self) -> int: ...

    def start(self, name: str, work: Callable[[Host], object]) -> None:
        """Start a worker with the name `name`, which calls `work` with a host of its own. Do not wait for its end.

        Raise OSError if no further process can be started.
        """
        ...

    def next_end(self) -> WorkerEnd:
        """Wait until a worker ends. Return its name, and what its work returned, or how it ended without a result."""
        ...

    def stop(self, signal_number: int) -> Iterator[WorkerEnd]:
        """Send the signal to all workers, wait until all have ended, and yield the end of each as `next_end` does.

        If this process gets a second signal meanwhile, send that to the workers too.
        """
        ...
