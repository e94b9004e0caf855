"""Decides by the services and tasks of a stack whether it is up, is still starting, or has failed. Pure.

The exit code of Docker's commands does not show this: it is 0 even after a rollback, in a crash loop, and for a task
that no node can take.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from attrs import field, frozen

from reconciler.core.sizes import size
from reconciler.errors import MORE_MEMORY, CanonError, InfrastructureError, RecipeError, TimedOutError
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.docker_faults import classify_failure
from reconciler.host.swarm.services.service import PATIENCE, STABLE, Service, is_scaled_to_zero, service_of
from reconciler.host.swarm.services.task import (
    has_ended,
    is_active,
    is_oom_killed,
    memory_limit,
    message_line,
    message_of,
    state_and_message,
    state_of,
    state_since,
)
from reconciler.host.text import one_line

CRASHES = 3
# How long a task may stay in a state. "new" waits for an address, and Swarm assigns these one after the other;
# "pending" waits for a node.
_WAITS = {"new": timedelta(seconds=60), "pending": timedelta(seconds=15)}


@frozen
class StackHealth:
    """The health of a stack.

    * `pending`: which services are not up yet, and why; "" if all are up.
    * `failure`: an error that does not go away by waiting; None if there is none.
    * `settles_in`: after how much time all services are up if no task ends before that; zero if they are up already;
      None if that is not known, for example because too few tasks run.
    """

    pending: str = ""
    failure: CanonError | None = None
    settles_in: timedelta | None = field(default=None, eq=False)


def stack_health(services: Iterable[Json], tasks: Sequence[Json], prefix: str, now: datetime) -> StackHealth:
    """Return the health of a stack at the time `now`, by the engine's clock.

    `prefix` is removed from the names of services. `tasks` may have tasks of other stacks. If several services failed,
    `failure` of the result is one of their errors: one for which this host is to blame, if there is such an error.
    """
    every = [service_of(service, tasks, prefix) for service in services]
    failures = [failure for service in every if (failure := _failure(service, every, now))]
    # A fault of the host comes first: it may have caused the others.
    failures.sort(key=lambda failure: not isinstance(failure, InfrastructureError))
    pending = [text for service in every if (text := _pending(service, now))]
    return StackHealth("; ".join(pending), failures[0] if failures else None, _settles_in(every, now))


def _settles_in(every: Sequence[Service], now: datetime) -> timedelta | None:
    found = [None if is_updating(service) else service.settles_in(now) for service in every]
    known = [one for one in found if one is not None]
    return max(known, default=timedelta()) if len(known) == len(found) else None


def is_updating(service: Service) -> bool:
    return (service.json.get("UpdateStatus") or {}).get("State") == "updating"


def is_stopped(services: Iterable[Json], tasks: Iterable[Json]) -> bool:
    """Return whether all services are scaled to zero, and no task runs or will run soon."""
    return all(map(is_scaled_to_zero, services)) and not any(map(is_active, tasks))


def _pending(service: Service, now: datetime) -> str:
    """Return why a service is not up yet; "" if it is up."""
    if is_updating(service):
        return f"{service.name} is being updated"
    up = service.count_stable(now)
    if up + service.completed >= service.desired:
        return ""
    newest = next(iter(service.tasks), None)
    if newest is None:
        return f"{service.name} has no task yet"
    return f"{service.name} has {up} of {service.desired} up: its newest task is {state_and_message(newest)}"


def _failure(service: Service, every: Sequence[Service], now: datetime) -> CanonError | None:
    return (
        _unplaced(service, now)
        or _stopped_update(service)
        or _not_restarted(service, now)
        or _crash_loop(service, every, now)
    )


def _stopped_update(service: Service) -> CanonError | None:
    """Return the error of an update that Swarm rolled back or paused; None if it did neither.

    `docker stack deploy` exits with 0 in both cases.
    """
    update = service.json.get("UpdateStatus") or {}
    how, text = str(update.get("State", "")), one_line(str(update.get("Message", "")).encode())
    if how.startswith("rollback"):
        return _by_last_task(f"Swarm rolled {service.name} back to what ran before: {text}", service.earlier)
    if how == "paused":
        return _by_last_task(f"Swarm paused the update of {service.name}: {text}", service.tasks)
    return None


def _unplaced(service: Service, now: datetime) -> CanonError | None:
    """Return an error if a task has waited too long for a node, or for an address in its networks; None if not.

    If no node can take a global service, Swarm makes no task for it at all. This is an error too.
    """
    if service.is_global and not service.tasks and now - service.changed > _WAITS["pending"]:
        nowhere = f"no node takes {service.name}, which runs once on every node that its constraints allow"
        return InfrastructureError(nowhere, "change its constraints by an overlay, or give a node what they ask for")
    for task in service.tasks:
        if (
            state_of(task) not in _WAITS
            or now - state_since(task) < _WAITS[state_of(task)]
            or service.has_stopping_task
        ):
            continue
        if state_of(task) == "new":
            stuck = f"a task of {service.name} stays in state new: Swarm finds no address for it"
            return InfrastructureError(stuck, "larger networks (/16), fewer of them, or a restart of Docker help")
        hint = "free what it waits for, or change its constraints by an overlay"
        return InfrastructureError(f"no node takes {service.name}: {message_line(task)}", hint)
    return None


def _not_restarted(service: Service, now: datetime) -> CanonError | None:
    """Return an error if a task of the service failed, and Swarm does not start it again; None if not.

    Return None also while a task is active, or if a task has ended less than three seconds (STABLE) ago: a new task may
    follow.
    """
    if service.restarts_always or service.completed >= service.desired or not service.failed:
        return None
    if any(is_active(task) or now - state_since(task) < STABLE for task in service.tasks):
        return None
    return task_fault(f"{service.name} failed and is not started again", service.failed)


def _crash_loop(service: Service, every: Sequence[Service], now: datetime) -> CanonError | None:
    """Return an error if tasks of the service fail again and again; None if not.

    Return None in each of these cases:

    * Enough tasks of the service run or have completed.
    * Fewer than three tasks (CRASHES) of the service have failed.
    * Another service in `every` is not up yet, and fewer than three of its tasks have failed. The service may only be
      waiting for that other service.
    * The service was changed, or a running task of another service has started, less than 30 seconds (PATIENCE) ago.
    """
    others = [each for each in every if each is not service]
    if len(service.running) + service.completed >= service.desired or len(service.failed) < CRASHES:
        return None
    if any(_pending(each, now) and len(each.failed) < CRASHES for each in others):
        return None
    if now - max([service.changed, *(state_since(task) for each in others for task in each.running)]) < PATIENCE:
        return None
    return task_fault(f"{service.name} fails again and again, {len(service.failed)} times by now", service.failed)


def _by_last_task(what: str, tasks: Iterable[Json]) -> CanonError:
    """Return an error that begins with `what`, and says why the newest ended task of `tasks` ended.

    Call this for an update that failed, because Swarm gives no reason for the failure. If no task has ended, the error
    is a RecipeError without a reason.
    """
    found = [task for task in tasks if has_ended(task)]
    return task_fault(f"{what}, last task", found) if found else RecipeError(what)


def task_fault(what: str, tasks: Sequence[Json]) -> CanonError:
    """Return the error for the ended `tasks` of a service, the newest first. Its message begins with `what`.

    The error has the reason of one task: of the newest one that was killed because memory ran out. If the engine
    reported no such kill, it has the reason of the newest task. The message of this task decides whether the host (a
    full disk for example) or the recipe is to blame.
    """
    task = next(filter(is_oom_killed, tasks), tasks[0])
    by_message = classify_failure(what, message_of(task).encode(), of_recipe=True, of_task=True)
    if isinstance(by_message, InfrastructureError):
        return by_message
    if is_oom_killed(task):
        return _out_of_memory(what, memory_limit(task))
    # A failed health check may only have had too little time.
    kind = TimedOutError if "unhealthy container" in message_of(task) else RecipeError
    return kind(f"{what}: {message_line(task)}")


def _out_of_memory(what: str, limit: int) -> CanonError:
    """Return the error for a task that was killed because memory ran out. `what` begins its message.

    `limit` is the memory limit of the task in bytes; 0 if it has none. With a limit, the error is a RecipeError.
    Without a limit, it is an InfrastructureError.
    """
    if limit:
        hint = "raise deploy.resources.limits.memory by an overlay"
        return RecipeError(f"{what}: killed because memory ran out: it may use at most {size(limit)}", hint)
    unlimited = f"{what}: killed because memory ran out: the recipe sets no limit"
    return InfrastructureError(unlimited, MORE_MEMORY)
