"""Lists the running tasks of a stack, and describes how its other tasks ended. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from reconciler.errors import InfrastructureError
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.services.service import Service, service_of
from reconciler.host.swarm.services.service_health import task_fault
from reconciler.host.swarm.services.task import has_ended, run_time, state_of
from reconciler.ports.app import EndedPart

_STOPPED = {"shutdown", "remove", "orphaned"}


def running_parts(services: Iterable[Json], tasks: Sequence[Json], prefix: str) -> frozenset[str]:
    """Return the running tasks of services, each as "SERVICE TASK-ID". Jobs are left out.

    `prefix` is removed from the names of services. `tasks` may have tasks of other services.
    """
    found = (service_of(service, tasks, prefix) for service in services)
    return frozenset(_part(service, task) for service in found if not service.is_job for task in service.running)


def ended_parts(services: Iterable[Json], tasks: Sequence[Json], prefix: str) -> Mapping[str, EndedPart]:
    """Return how each ended task of the current deployment ended. The keys are "SERVICE TASK-ID".

    A task that Swarm was told to stop has ended too: it is described as stopped from outside. Tasks of jobs are
    included, running tasks are left out. `prefix` is removed from the names of services. `tasks` may have tasks of
    other services.
    """
    found = (service_of(service, tasks, prefix) for service in services)
    ended = [(service, task) for service in found for task in service.tasks]
    return {_part(service, task): ending for service, task in ended if (ending := _ending(service, task))}


def _ending(service: Service, task: Json) -> EndedPart | None:
    if state_of(task) in _STOPPED:
        return EndedPart(f"{service.name} was stopped from outside", is_host_fault=True, stopped=True)
    if not has_ended(task):
        return None
    fault = task_fault(f"{service.name} ended", [task])
    done = service.is_done(task)
    return EndedPart(
        fault.message, succeeded=done, duration=run_time(task), is_host_fault=isinstance(fault, InfrastructureError)
    )


def _part(service: Service, task: Json) -> str:
    return f"{service.name} {task['ID']}"
