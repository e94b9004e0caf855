"""The protocol of worker processes, in which several steps of a pass run at the same time."""

from collections.abc import Callable, Iterator
from typing import Protocol

from attrs import frozen

from reconciler.ports.host import Host, Progress


@frozen
class WorkerDied:
    """What `Workers.next_end` returns for a worker that ended without a result.

    `how` is the end of a sentence, such as "was ended by SIGKILL".
    """

    how: str


@frozen
class WorkerStopped:
    """What `Workers.next_end` returns for a worker that ended because `Workers.stop` was called.

    It has removed the apps that it had deployed.
    """


WorkerEnd = tuple[str, object]
"""The name of a worker that ended, and what its work returned. Instead of that: WorkerDied, or WorkerStopped."""


class ParallelProgress(Progress, Protocol):
    """Shows a person what a pass is doing when it tries several recipes at once."""

    def show_running(self, recipes: frozenset[str]) -> None:
        """Show that these recipes are tried at the same time from now on.

        If there are none, one recipe at a time is tried.
        """


class Workers(Protocol):
    """Runs work in worker processes. `parallel` is how many of them may run at once."""

    @property
    def parallel(self) -> int: ...

    def start(self, name: str, work: Callable[[Host], object]) -> None:
        """Start a worker named `name`. It calls `work` with a host of its own. Do not wait for its end.

        Raise OSError if no further process can be started.
        """
        ...

    def next_end(self) -> WorkerEnd:
        """Wait until a worker ends. Return its name, and what its work returned or how it ended without a result."""
        ...

    def stop(self, signal_number: int) -> Iterator[WorkerEnd]:
        """Send the signal to all workers, and wait until all have ended. Yield the end of each, see `next_end`.

        If this process gets a second signal while it waits, send that to the workers too.
        """
        ...
