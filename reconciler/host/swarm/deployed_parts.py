"""Reads from the swarm which parts are deployed: for all slots at once, with few calls of the engine."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from reconciler.core.running_status import TASK
from reconciler.host.swarm.data.volumes import LOADED
from reconciler.host.swarm.engine.connection import Json
from reconciler.host.swarm.recipe.stack import COMMIT, NAMESPACE
from reconciler.host.swarm.services.remove_stack import is_of_state, mark_of
from reconciler.host.swarm.services.service import service_of
from reconciler.host.swarm.services.service_health import stack_health
from reconciler.host.swarm.services.slot_objects import SlotObjects
from reconciler.ports.app import DeployedParts
from state.kept_deployment import Parts

_KINDS = ("service", "volume", "secret", "config")
_GIVEN = ("secret", "config")
_ID = 12
# An image digest, shortened to 12 hex digits for reports.
_DIGEST = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]+")


def deployed_parts(objects: SlotObjects, root: Path) -> Mapping[str, DeployedParts]:
    """Return the deployed parts of each slot below the folder `root`, by the mark of the slot.

    Slots without parts, and parts of another state folder, are left out. Raise InfrastructureError if the engine fails.
    """
    found: dict[str, dict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    for kind in _KINDS:
        for one in objects.find(kind):
            if is_of_state(one, objects.engine.state):
                found[mark_of(one)][kind].append(one)
    ours = {mark: kinds for mark, kinds in found.items() if Path(mark).is_relative_to(root)}
    tasks = objects.tasks(tuple(service["ID"] for kinds in ours.values() for service in kinds["service"]))
    return {
        mark: DeployedParts(parts_of(kinds, tasks), pending_services(kinds["service"], tasks))
        for mark, kinds in ours.items()
    }


def parts_of(kinds: Mapping[str, Sequence[Json]], tasks: Sequence[Json] = ()) -> Parts:
    """Return the parts of one slot, each with facts about it. If a fact is another one later, the part was changed.

    The key of a part is a text such as "volume web-1a2b3c4d_data".
    * `kinds` maps a kind, such as "service", to Docker's JSON of the slot's objects of that kind.
    * `tasks` has the tasks of the services, and may have other tasks too.

    The only fact of a secret or config is its id, because its content cannot change. One fact of a service is the ids
    of its tasks, because a restart makes a new task.
    """
    parts: dict[str, Mapping[str, str]] = {}
    for service in kinds.get("service", ()):
        parts[f"service {service['Spec']['Name']}"] = {**_facts(service["Spec"]), **_tasks(service, tasks)}
    for volume in kinds.get("volume", ()):
        parts[f"volume {volume['Name']}"] = {"content": "a snapshot's" if LOADED in _labels(volume) else "new"}
    for kind in ("secret", "config"):
        parts |= {f"{kind} {one['Spec']['Name']}": {"id": one["ID"]} for one in kinds.get(kind, ())}
    return parts


def _tasks(service: Json, tasks: Sequence[Json]) -> Mapping[str, str]:
    """Return one fact about a service: the short ids of its running and completed tasks, as {TASK: "ID, ID"}.

    TASK is the name of the fact. Return {} if the service has no such tasks. `tasks` may have tasks of other services.
    """
    own = service_of(service, tasks, "")
    ids = sorted(task["ID"][:_ID] for task in own.tasks if task in own.running or own.is_done(task))
    return {TASK: ", ".join(ids)} if ids else {}


def pending_services(services: Sequence[Json], tasks: Sequence[Json]) -> str:
    """Return in one line which of `services` are not up, and why; "" if all are.

    The services may belong to several stacks. `tasks` may have tasks of other services.
    """
    stacks: dict[str, list[Json]] = defaultdict(list)
    for service in services:
        stacks[_labels(service["Spec"]).get(NAMESPACE, "")].append(service)
    healths = [stack_health(own, tasks, f"{name}_", datetime.now(UTC)) for name, own in sorted(stacks.items())]
    texts = [health.failure.message if health.failure else health.pending for health in healths]
    return "; ".join(filter(None, texts))


def _facts(spec: Json) -> Mapping[str, str]:
    """Return facts about a service, such as its image, by the name of the fact.

    Only what abra, Docker or a person could change counts as a fact. `spec` is Docker's JSON of what the service is to
    be.
    """
    container, labels = spec["TaskTemplate"]["ContainerSpec"], _labels(spec)
    replicas = (spec.get("Mode") or {}).get("Replicated", {}).get("Replicas")
    given = [
        f"{kind} {one[f'{kind.title()}Name']}" for kind in _GIVEN for one in container.get(f"{kind.title()}s") or ()
    ]
    return {
        "version": labels.get(f"coop-cloud.{labels.get(NAMESPACE, '')}.version", "none"),
        "commit": labels.get(COMMIT, "none"),
        "image": _DIGEST.sub(r"\1", container["Image"]),
        "number": "one on every node" if replicas is None else str(replicas),
        "access": ", ".join(sorted(given)) or "nothing",
    }


def _labels(one: Json) -> Mapping[str, str]:
    return one.get("Labels") or {}
