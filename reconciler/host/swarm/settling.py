"""Whether a stack has settled, from what Swarm tells of its services and tasks. Pure.

Swarm reports a rollback, a crash loop and a task that nobody can place alike: with commands that exit 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from attrs import frozen

from reconciler.errors import CanonError, InfrastructureError, RecipeError
from reconciler.host.swarm.faults import sorted_fault
from reconciler.host.text import one_line

Json = Mapping[str, Any]

# A task that was up for that long counts; one that dies sooner would otherwise be called up in between.
STABLE = timedelta(seconds=3)
# Services find each other late: one that needs another may fail a few times before that one answers.
PATIENCE = timedelta(seconds=30)
CRASHES = 3
_PLACING = timedelta(seconds=15)

# The time to stop, in nanoseconds, that Swarm fills in where a service names none.
_GRACE = 10_000_000_000

_JOBS = {"ReplicatedJob", "GlobalJob"}
_FAILED = {"failed", "rejected"}
_WAITING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
_GOING = _WAITING | {"running"}


@frozen
class Settling:
    """How far a stack is: `lacks` says what keeps it from being settled, `failure` what waiting will not mend."""

    lacks: str = ""
    failure: CanonError | None = None


@frozen
class _Service:
    """One service as the recipe calls it, with those of its tasks that are of this deployment, newest first.

    `earlier` are the others.
    """

    name: str
    json: Json
    tasks: Sequence[Json]
    earlier: Sequence[Json]

    @property
    def changed(self) -> datetime:
        return _time(self.json["UpdatedAt"])

    @property
    def failed(self) -> Sequence[Json]:
        return _failed(self.tasks)

    @property
    def running(self) -> Sequence[Json]:
        return [task for task in self.tasks if _state(task) == "running" and task["DesiredState"] == "running"]

    @property
    def proving(self) -> timedelta:
        """How long a task has to be up to count: where some failed before, as long as the longest of them lasted."""
        lasted = (_since(task) - _time(task["CreatedAt"]) for task in self.failed)
        return min(max(lasted, default=STABLE), PATIENCE)

    def up(self, now: datetime) -> int:
        return sum(now - _since(task) >= max(STABLE, self.proving) for task in self.running)

    @property
    def once(self) -> bool:
        """Whether a task that came to a good end is not started again."""
        return self._policy.get("Condition", "any") != "any" or not _JOBS.isdisjoint(self._mode)

    @property
    def for_ever(self) -> bool:
        """Whether tasks are started again whatever they came to."""
        return self._policy.get("Condition", "any") == "any" and not self._policy.get("MaxAttempts")

    @property
    def wanted(self) -> int:
        if "Replicated" in self._mode:
            return int(self._mode["Replicated"].get("Replicas", 1))
        jobs = self._mode.get("ReplicatedJob")
        return int(jobs.get("TotalCompletions", 1)) if jobs else 1

    @property
    def finished(self) -> int:
        """Tasks of a one-shot service that came to a good end."""
        return sum(_state(task) == "complete" for task in self.tasks) if self.once else 0

    @property
    def _mode(self) -> Json:
        return self.json["Spec"].get("Mode") or {}

    @property
    def _policy(self) -> Json:
        return self.json["Spec"]["TaskTemplate"].get("RestartPolicy") or {}


def settling(services: Iterable[Json], tasks: Sequence[Json], prefix: str, now: datetime) -> Settling:
    """`prefix` is what every service's name begins with; `now` is by the engine's clock."""
    every = [_service(service, tasks, prefix) for service in services]
    failures = [failure for service in every if (failure := _failure(service, every, now))]
    # The host's fault goes before the recipe's: what else failed may well come of it.
    failures.sort(key=lambda failure: not isinstance(failure, InfrastructureError))
    lacks = [said for service in every if (said := _lacks(service, now))]
    return Settling("; ".join(lacks), failures[0] if failures else None)


def is_at_rest(services: Iterable[Json], tasks: Iterable[Json]) -> bool:
    """Whether nothing of the services is up, nor will be."""
    none_wanted = all(
        (service["Spec"].get("Mode") or {}).get("Replicated", {}).get("Replicas") == 0 for service in services
    )
    return none_wanted and not any(_state(task) in _GOING for task in tasks)


def of_this_deployment(service: Json, task: Json) -> bool:
    """Swarm keeps tasks of earlier deployments beside the newest: what they ran tells the two apart."""
    wanted, has = service["Spec"]["TaskTemplate"], task["Spec"]
    return all(_agree(wanted.get(part), has.get(part)) for part in ("ContainerSpec", "ForceUpdate"))


def _agree(wanted: object, has: object) -> bool:
    """Whether a task has what its service wants: Swarm tells a service's defaults, and leaves a task's out."""
    if isinstance(wanted, Mapping) and isinstance(has, Mapping):
        return all(_agree(wanted.get(key), has.get(key)) for key in {*wanted, *has})
    if has is None and isinstance(wanted, Mapping):
        return all(_agree(value, None) for value in wanted.values())
    return wanted == has or (has is None and (not wanted or wanted == _GRACE))


def _service(service: Json, tasks: Sequence[Json], prefix: str) -> _Service:
    own = [task for task in tasks if task["ServiceID"] == service["ID"]]
    own.sort(key=lambda task: _time(task["CreatedAt"]), reverse=True)
    current = [task for task in own if of_this_deployment(service, task)]
    earlier = [task for task in own if task not in current]
    return _Service(str(service["Spec"]["Name"]).removeprefix(prefix), service, current, earlier)


def _lacks(service: _Service, now: datetime) -> str:
    """Why a service does not count as settled, "" where it does."""
    update = service.json.get("UpdateStatus") or {}
    if update.get("State") == "updating":
        return f"{service.name} is being updated"
    up = service.up(now)
    if up + service.finished >= service.wanted:
        return ""
    newest = next(iter(service.tasks), None)
    if newest is None:
        return f"{service.name} has no task yet"
    return f"{service.name} has {up} of {service.wanted} up: its newest task is {_told(newest)}"


def _failure(service: _Service, every: Sequence[_Service], now: datetime) -> CanonError | None:
    return _unplaced(service, now) or _broken_off(service) or _ended(service, now) or _crash_loop(service, every, now)


def _broken_off(service: _Service) -> CanonError | None:
    """An update that Swarm gave up: its client has exited 0 long before."""
    update = service.json.get("UpdateStatus") or {}
    state, said = str(update.get("State", "")), one_line(str(update.get("Message", "")).encode())
    if state.startswith("rollback"):
        return RecipeError(f"Swarm rolled {service.name} back to what ran before: {said}{_last_words(service.earlier)}")
    if state == "paused":
        return RecipeError(f"Swarm paused the update of {service.name}: {said}{_last_words(service.tasks)}")
    return None


def _unplaced(service: _Service, now: datetime) -> CanonError | None:
    """A task that has waited for too long for a node, or for an address in its networks."""
    for task in service.tasks:
        if _state(task) not in {"new", "pending"} or now - _since(task) < _PLACING:
            continue
        if _state(task) == "new":
            stuck = f"a task of {service.name} gets no further than new: Swarm finds no address for it"
            return InfrastructureError(stuck, "larger networks (/16), fewer of them, or a restart of Docker help")
        hint = "free what it waits for, or change its constraints by an overlay"
        return InfrastructureError(f"no node takes {service.name}: {_said(task)}", hint)
    return None


def _ended(service: _Service, now: datetime) -> CanonError | None:
    """A service that Swarm will not start again: nothing of it has been on its way for a while."""
    if service.for_ever or service.finished >= service.wanted or not service.failed:
        return None
    if any(_state(task) in _GOING or now - _since(task) < STABLE for task in service.tasks):
        return None
    return _sorted(service, f"{service.name} failed and is not started again")


def _crash_loop(service: _Service, every: Sequence[_Service], now: datetime) -> CanonError | None:
    """One that fails again and again though all others have been up for a while.

    As long as it is up it may be up for good: whether it is, `proving` tells.
    """
    others = [each for each in every if each is not service]
    if len(service.running) + service.finished >= service.wanted or len(service.failed) < CRASHES:
        return None
    if any(_lacks(each, now) and len(each.failed) < CRASHES for each in others):
        return None
    if now - max([service.changed, *(_since(task) for each in others for task in each.running)]) < PATIENCE:
        return None
    return _sorted(service, f"{service.name} fails again and again, {len(service.failed)} times by now")


def _sorted(service: _Service, what: str) -> CanonError:
    """A full disk of the engine fails tasks just as a broken app does."""
    said = _said(service.failed[0])
    sorted_by_words = sorted_fault(what, said.encode(), of_recipe=True)
    return sorted_by_words if isinstance(sorted_by_words, InfrastructureError) else RecipeError(f"{what}: {said}")


def _failed(tasks: Iterable[Json]) -> Sequence[Json]:
    return [task for task in tasks if _state(task) in _FAILED]


def _last_words(tasks: Iterable[Json]) -> str:
    return next((f" (last task: {_said(task)})" for task in _failed(tasks)), "")


def _told(task: Json) -> str:
    said = _said(task)
    return f"{_state(task)}: {said}" if said and said != _state(task) else _state(task)


def _said(task: Json) -> str:
    """What Swarm says of a task: its error, else how far it is."""
    status = task.get("Status") or {}
    return one_line(str(status.get("Err") or status.get("Message") or "").encode())


def _state(task: Json) -> str:
    return str((task.get("Status") or {}).get("State", ""))


def _since(task: Json) -> datetime:
    return _time(task["Status"]["Timestamp"])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
