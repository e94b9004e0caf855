"""Asks Docker's engine how much of the disk images take, and the volumes of slots."""

from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from reconciler.host.swarm.engine.connection import ApiCall
from reconciler.host.swarm.engine.engine import Engine
from reconciler.host.swarm.recipe.stack import SLOT


@frozen
class EngineDisk:
    """Measures how much of its disk one Docker engine uses."""

    engine: Engine

    def folders(self) -> Iterator[Path]:
        """Yield the folder with the engine's data; yield nothing if that folder is not on this host."""
        info = self.engine.connection.read_json(ApiCall("GET", "/info", "docker info"))
        root = Path(str(info.get("DockerRootDir") or "/nonexistent"))
        if root.is_dir():
            yield root

    def images(self) -> int:
        """Return the size of all layers of all images in bytes. A layer that several images share counts once."""
        call = ApiCall("GET", "/system/df", "docker system df", params={"type": "image"})
        return int(self.engine.connection.read_json(call).get("LayersSize") or 0)

    def volumes(self, folder: Path) -> int:
        """Return the size of the volumes of all slots below the folder `folder`, in bytes.

        A volume whose size the engine does not know counts as 0.
        """
        call = ApiCall("GET", "/system/df", "docker system df", params={"type": "volume"})
        found = self.engine.connection.read_json(call).get("Volumes") or ()
        sizes = (
            int((volume.get("UsageData") or {}).get("Size") or 0)
            for volume in found
            if _is_below(folder, (volume.get("Labels") or {}).get(SLOT))
        )
        return sum(max(0, size) for size in sizes)


def _is_below(folder: Path, mark: str | None) -> bool:
    return mark is not None and Path(mark).is_relative_to(folder)
