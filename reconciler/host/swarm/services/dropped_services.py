"""Waits until the services that a newer release of a stack no longer has have stopped."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from reconciler.errors import killed_error
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine.event_stream import EventStream
from reconciler.host.swarm.recipe.stack import Stack
from reconciler.host.swarm.services.killed_containers import longest_grace
from reconciler.host.swarm.services.stack_state import follow_stack, services_of
from reconciler.host.swarm.services.stopping import Stopping, full_names, killed_services, wait_until_stopped

_DAY = 86_400.0


@contextmanager
def wait_for_dropped_services(engine: Engine, stack: Stack) -> Iterator[None]:
    """After the `with` block, wait until the services have stopped that were dropped in it.

    The block deploys a release over an earlier one. A dropped service is one that only the earlier release has. Swarm
    no longer lists it, nor its tasks, while its containers may still write to volumes.

    Raise KilledError if a dropped service that may write to a volume had to be killed. Raise InfrastructureError if one
    does not stop in time, or is killed because memory ran out. If the block raises an error, wait for nothing.
    """
    before, since = services_of(engine, stack), datetime.now(UTC)
    if not before:
        yield
        return
    # The events are followed from here on, because the engine keeps only its last 256 events.
    with follow_stack(engine, stack, since, _DAY) as events:
        yield
        left = full_names(services_of(engine, stack))
        dropped = [service for service in before if service["Spec"]["Name"] not in left]
        if dropped:
            _wait(engine, stack, dropped, since, events)


def _wait(engine: Engine, stack: Stack, dropped: Sequence[Json], since: datetime, events: EventStream) -> None:
    names = full_names(dropped)
    ends = wait_until_stopped(engine, stack, Stopping(names, names, since, longest_grace(dropped)), events)
    if killed := killed_services(stack, dropped, ends).killed:
        raise killed_error(stack.recipe, killed)
