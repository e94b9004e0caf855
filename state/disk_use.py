"""How much of the disk a trial takes."""

from attrs import frozen


@frozen
class DiskUse:
    """Bytes on the disk at one time: of a trial's slots, its candidate, its volumes, and the engine's images."""

    slots: int = 0
    candidate: int = 0
    volumes: int = 0
    images: int = 0

    @property
    def total(self) -> int:
        return self.slots + self.candidate + self.volumes + self.images
