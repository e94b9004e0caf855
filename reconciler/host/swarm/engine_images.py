"""Lists and removes the images of a Docker engine."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from attrs import frozen

from reconciler.core.image_prune import PresentImage
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.engine.image_names import full_name
from reconciler.host.swarm.recipe.stack import STATE
from reconciler.host.swarm.services.remove_stack import KINDS, state_of

_NO_TAG = "<none>:<none>"


@frozen
class EngineImages:
    """The images of one Docker engine: implements the port Images."""

    engine: Engine

    @property
    def owner(self) -> str:
        return self.engine.owner

    def others(self) -> Sequence[str]:
        found = {state_of(one) for kind in KINDS for one in self.engine.find(kind, f"label={STATE}")}
        return sorted(found - {"", self.engine.state})

    def present(self) -> Sequence[PresentImage]:
        containers = {str(one.get("ImageID")) for one in self.engine.find("container")}
        services = tuple(_service_images(self.engine.find("service")))
        return tuple(_present(one, containers, services) for one in self.engine.find("image"))

    def remove(self, images: Collection[PresentImage]) -> Collection[str]:
        for image in images:
            self.engine.remove("image", image.tags or (image.id,))
        left = set(self.engine.list_ids("image"))
        return [image.id for image in images if image.id not in left]


def _present(image: Any, containers: Collection[str], services: Sequence[str]) -> PresentImage:  # noqa: ANN401  JSON
    tags = tuple(tag for tag in image.get("RepoTags") or () if tag != _NO_TAG)
    digests = [str(one).rpartition("@")[2] for one in image.get("RepoDigests") or ()]
    names = {full_name(tag) for tag in tags}
    by_service = any(
        name.rpartition("@")[2] in digests or full_name(name.partition("@")[0]) in names for name in services
    )
    return PresentImage(image["Id"], tags, int(image.get("Size") or 0), image["Id"] in containers or by_service)


def _service_images(services: Iterable[Any]) -> Iterable[str]:
    """Yield the images of the services: the present ones, and those before the last update, which Swarm may undo."""
    for service in services:
        for spec in (service.get("Spec"), service.get("PreviousSpec")):
            container = ((spec or {}).get("TaskTemplate") or {}).get("ContainerSpec") or {}
            if container.get("Image"):
                yield str(container["Image"])
