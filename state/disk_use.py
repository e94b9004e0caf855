"""How much of the disk a trial takes."""

from attrs import frozen


@frozen
class DiskUse:
    """How many bytes a trial takes on the disk at one time, by what takes them.

    * `slots`: the folders in which its apps run.
    * `candidate`: its sealed snapshot.
    * `volumes`: the engine's volumes of its apps.
    * `images`: all images of the engine.
    """

    slots: int = 0
    candidate: int = 0
    volumes: int = 0
    images: int = 0

    @property
    def total(self) -> int:
        return self.slots + self.candidate + self.volumes + self.images
