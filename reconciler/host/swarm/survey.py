"""What stands in the whole swarm of every slot, in one look."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from reconciler.crossing import Standing
from reconciler.host.swarm.engine import Engine, Json
from reconciler.host.swarm.removal import mark_of
from reconciler.host.swarm.settling import settling
from reconciler.host.swarm.stack import NAMESPACE, SLOT

_KINDS = ("service", "volume", "secret", "config")


def survey(engine: Engine, root: Path) -> Mapping[str, Standing]:
    """By mark, for the slots below `root`."""
    found: dict[str, dict[str, list[Json]]] = defaultdict(lambda: defaultdict(list))
    for kind in _KINDS:
        for one in engine.inspect(kind, engine.found(kind, f"label={SLOT}")):
            found[mark_of(one)][kind].append(one)
    ours = {mark: kinds for mark, kinds in found.items() if Path(mark).is_relative_to(root)}
    services = [service for kinds in ours.values() for service in kinds["service"]]
    tasks = engine.tasks([service["ID"] for service in services])
    return {mark: Standing(parts_of(kinds), lacks(kinds["service"], tasks)) for mark, kinds in ours.items()}


def parts_of(kinds: Mapping[str, Sequence[Json]]) -> Mapping[str, str]:
    """Every part with what it is; nobody can change a secret or a config in place, so its id tells whether it did."""
    parts = {f"service {service['Spec']['Name']}": _service(service) for service in kinds.get("service", ())}
    parts |= {f"volume {volume['Name']}": "there" for volume in kinds.get("volume", ())}
    for kind in ("secret", "config"):
        parts |= {f"{kind} {one['Spec']['Name']}": one["ID"] for one in kinds.get(kind, ())}
    return parts


def lacks(services: Sequence[Json], tasks: Sequence[Json]) -> str:
    """What keeps the services from being up, those of several stacks together."""
    stacks: dict[str, list[Json]] = defaultdict(list)
    for service in services:
        stacks[(service["Spec"].get("Labels") or {}).get(NAMESPACE, "")].append(service)
    hows = [settling(own, tasks, f"{name}_", datetime.now(UTC)) for name, own in sorted(stacks.items())]
    said = [how.failure.message if how.failure else how.lacks for how in hows]
    return "; ".join(filter(None, said))


def _service(service: Json) -> str:
    """The image, by its digest where the registry told one, and how many there are of it."""
    image = service["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]
    replicas = (service["Spec"].get("Mode") or {}).get("Replicated", {}).get("Replicas")
    return f"{image}, {'one on every node' if replicas is None else f'{replicas} of it'}"
