"""Reads the services and tasks of a stack, and finds out the state of its app."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from functools import partial

from attrs import frozen

from reconciler.errors import InfrastructureError, TimedOutError
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine.event_stream import EventStream, event_attributes
from reconciler.host.swarm.recipe.compose import APP
from reconciler.host.swarm.recipe.stack import ADDRESS, COMMIT, NAMESPACE, PEER, SERVICE_NAME, Stack
from reconciler.host.swarm.services.ended_tasks import ended_parts, running_parts
from reconciler.host.swarm.services.killed_containers import killed_by_update, was_killed
from reconciler.host.swarm.services.service import volumes_in
from reconciler.host.swarm.services.service_health import is_stopped, stack_health
from reconciler.host.swarm.services.task import container_id, has_ended
from reconciler.ports.app import NotRunning, RunningApp

_DAY = 86_400
# Docker's value for "never", and its default of `retries` of a health check.
_NEVER = "0001-01-01T00:00:00Z"
_RETRIES = 3


@frozen
class StackState:
    """The services and tasks of a stack at one moment, as the engine's JSON.

    * `node`: the id of this host's swarm node.
    * `now`: the time, by this host's clock.
    """

    services: Sequence[Json]
    tasks: Sequence[Json]
    node: str
    now: datetime

    @property
    def is_stopped(self) -> bool:
        return is_stopped(self.services, self.tasks)


def read_stack(engine: Engine, stack: Stack) -> StackState:
    services = services_of(engine, stack)
    tasks = engine.tasks([service["ID"] for service in services])
    return StackState(services, with_container_ends(engine, tasks), engine.node, datetime.now(UTC))


def with_container_ends(engine: Engine, tasks: Sequence[Json]) -> Sequence[Json]:
    """Return `tasks`, with fields added to each ended task that say how its container ended: see `container_end`.

    A task whose container is gone stays as it is. The fields are needed because Swarm does not report a failed health
    check: if the container then ends with exit code 0, Swarm says only that the task is complete.
    """
    over = (task for task in tasks if has_ended(task) or was_killed(task))
    ended = {container for task in over if (container := container_id(task))}
    ends = {one["Id"]: container_end(one) for one in engine.inspect("container", sorted(ended))}
    return [{**task, **ends.get(container_id(task), {})} for task in tasks]


def container_end(container: Json) -> Json:
    """Return fields about an ended container that are added to its task.

    * OOMKilled: True if the kernel killed the container because memory ran out. In all other cases it is left out.
    * Ran: how long the container ran, as a timedelta; left out if not known.
    * Unhealthy: whether so many of its last health probes failed that the check counts as failed.
    * Healthy: whether one of the health probes succeeded.

    Docker's own health status cannot be used: it is "unhealthy" after any end.
    """
    status = container.get("State") or {}
    end: dict[str, object] = {"OOMKilled": True} if status.get("OOMKilled") else {}
    if status.get("StartedAt", _NEVER) > _NEVER and status.get("FinishedAt", _NEVER) > _NEVER:
        end["Ran"] = datetime.fromisoformat(status["FinishedAt"]) - datetime.fromisoformat(status["StartedAt"])
    health = status.get("Health") or {}
    retries = ((container.get("Config") or {}).get("Healthcheck") or {}).get("Retries") or _RETRIES
    return {
        **end,
        "Unhealthy": health.get("FailingStreak", 0) >= retries,
        "Healthy": any(probe.get("ExitCode") == 0 for probe in health.get("Log") or ()),
    }


def follow_stack(engine: Engine, stack: Stack, since: datetime, seconds: float) -> AbstractContextManager[EventStream]:
    """Return a context manager that yields the events of a stack's services and containers as they come.

    The events begin at the time `since`, and end at most `seconds` from now.
    """
    return engine.follow(partial(is_of_stack, stack=stack.name), since, seconds)


def is_of_stack(event: Json, stack: str) -> bool:
    """Return whether an event is about a container or a service of the stack named `stack`.

    An event about a container has the label of its stack. An event about a service has no labels, so the name of the
    service decides.
    """
    attributes = event_attributes(event)
    named = event.get("Type") == "service" and str(attributes.get("name", "")).startswith(f"{stack}_")
    return named or attributes.get(NAMESPACE) == stack


def services_of(engine: Engine, stack: Stack) -> tuple[Json, ...]:
    return engine.find("service", f"label={NAMESPACE}={stack.name}")


def running_containers(engine: Engine, service: str) -> tuple[str, ...]:
    """Return the ids of the containers of a service that run on this host. `service` is its full name."""
    return engine.list_ids("container", f"label={SERVICE_NAME}={service}", "status=running")


def stack_containers(engine: Engine, stack: Stack) -> tuple[str, ...]:
    """Return the ids of the containers of a stack that run on this host."""
    return engine.list_ids("container", f"label={NAMESPACE}={stack.name}", "status=running")


def services_with_containers(engine: Engine, stack: Stack) -> frozenset[str]:
    """Return the full names of the services of which a container runs on this host.

    A service is among them too if a release dropped it, and its container has not stopped yet: Swarm no longer lists
    such a service, nor its tasks.
    """
    containers = engine.find("container", f"label={NAMESPACE}={stack.name}", "status=running")
    labels: Iterator[Mapping[str, str]] = (container.get("Labels") or {} for container in containers)
    return frozenset(own[SERVICE_NAME] for own in labels if SERVICE_NAME in own)


def running_app(stack: Stack, stack_state: StackState) -> RunningApp | NotRunning:
    """Return the release, the address and the health of a stack's app.

    Return NotRunning if the stack is stopped, or has no service `app`. Raise InfrastructureError if this host is to
    blame for a failure, or if a task with a volume runs on another node.
    """
    if stack_state.is_stopped:
        return NotRunning()
    labels, services, tasks = _labels(stack, stack_state), stack_state.services, stack_state.tasks
    if labels is None:
        return NotRunning(f"the stack has no service {APP}")
    _refuse_far_data(stack, stack_state)
    prefix = f"{stack.name}_"
    health = stack_health(services, tasks, prefix, stack_state.now)
    if isinstance(health.failure, InfrastructureError):
        raise health.failure
    address, _, url = labels.get(ADDRESS, "").partition(" ")
    return RunningApp(
        version=labels.get(stack.label("version"), ""),
        commit=labels.get(COMMIT, ""),
        is_up=not health.pending and health.failure is None,
        url=url,
        address=address,
        problem=health.pending,
        failure=health.failure.message if health.failure else "",
        timed_out=isinstance(health.failure, TimedOutError),
        peer=labels.get(PEER, ""),
        killed=tuple(f"{stack.logical(name)} ({had})" for name, had in killed_by_update(services, tasks).items()),
        timeout=_timeout(labels.get(stack.label("timeout"), "")),
        settles_in=health.settles_in,
        up=running_parts(services, tasks, prefix),
        ended=ended_parts(services, tasks, prefix),
    )


def _timeout(text: str) -> timedelta | None:
    """Return the time that the value `text` of abra's timeout label means: a whole number of seconds, at most a day.

    Return None for 0 or any other text.
    """
    seconds = min(int(text), _DAY) if text.isascii() and text.isdecimal() else 0
    return timedelta(seconds=seconds) if seconds else None


def _labels(stack: Stack, stack_state: StackState) -> Mapping[str, str] | None:
    app = (service["Spec"] for service in stack_state.services if service["Spec"]["Name"] == stack.app)
    return next((spec.get("Labels") or {} for spec in app), None)


def _refuse_far_data(stack: Stack, stack_state: StackState) -> None:
    """Raise InfrastructureError if a task with a volume runs on another node: its data could not be saved here."""
    keeping = {service["ID"]: service["Spec"]["Name"] for service in stack_state.services if volumes_in(service)}
    for task in stack_state.tasks:
        node = task.get("NodeID", stack_state.node)
        if task["ServiceID"] in keeping and task["DesiredState"] == "running" and node != stack_state.node:
            name = stack.logical(keeping[task["ServiceID"]])
            raise InfrastructureError(
                f"{stack.recipe}: {name} runs on node {node}, whose volumes cannot be read from here",
                "keep it on this node by an overlay: deploy.placement.constraints",
            )
