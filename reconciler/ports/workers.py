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

    The worker has removed the apps that it had deployed.
    """


WorkerEnd = tuple[str, object]
"""The name of a worker that ended, and what its work returned. Instead of that: WorkerDied, or WorkerStopped."""


class ParallelProgress(Progress, Protocol):
    """Shows a person what a pass is doing when it tries several recipes at once."""

    def show_running(self, recipes: frozenset[str]) -> None:
        """Show that the recipes `recipes` are tried at the same time from now on.

        If `recipes` is empty, one recipe at a time is tried from now on.
        """


class Workers(Protocol):
    """Runs functions in worker processes. `parallel` is how many workers may run at once."""

    @property
    def parallel(self) -> int: ...

    def start(self, name: str, work: Callable[[Host], object]) -> None:
        """Start a worker named `name`, which calls `work` with a host of its own. Do not wait for the worker's end.

        Raise OSError if no further process can be started.
        """
        ...

    def next_end(self) -> WorkerEnd:
        """Wait until a worker ends. Return its name, and what its work returned or how it ended without a result."""
        ...

    def stop(self, signal_number: int) -> Iterator[WorkerEnd]:
        """Send the signal `signal_number` to all workers, and wait until all have ended.

        Yield the end of each worker, as `next_end` returns it. If this process gets a second signal while it waits,
        send that signal to the workers too.
        """
        ...
