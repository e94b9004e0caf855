"""The protocol of what lists and removes container images."""

from collections.abc import Collection, Sequence
from typing import Protocol

from reconciler.core.image_prune import PresentImage


class Images(Protocol):
    """Lists and removes the container images of one engine."""

    @property
    def owner(self) -> str:
        """Return the ids of this state folder and of the engine as one text, with which each deployment is recorded.

        The records say which images Canon pulled for a deployment. A record counts only if its deployment has this
        owner: in a copy of a state folder, or at another engine, somebody else may have pulled the same images.

        Raise InfrastructureError if the engine does not tell its id.
        """
        ...

    def others(self) -> Sequence[str]:
        """Return the ids of other state folders that have a volume, service or the like on this engine or its swarm.

        Raise InfrastructureError if the engine does not tell.
        """
        ...

    def present(self) -> Sequence[PresentImage]:
        """Return all images of the engine, each with whether it is in use.

        Raise InfrastructureError if the engine does not answer.
        """
        ...

    def remove(self, images: Collection[PresentImage], /) -> Collection[str]:
        """Remove images. Return the ids of the images that are gone afterwards.

        The engine keeps an image that a container uses by now, because no force is used. Raise InfrastructureError if
        the engine cannot be asked afterwards which images are gone.
        """
        ...
