"""The protocol of what lists and removes container images."""

from collections.abc import Collection, Sequence
from typing import Protocol

from reconciler.core.image_prune import PresentImage


class Images(Protocol):
    """Lists and removes the container images of one engine."""

    def present(self) -> Sequence[PresentImage]:
        """Return all images of the engine, each with whether it is in use.

        Raise InfrastructureError if the engine does not answer.
        """
        ...

    def remove(self, images: Collection[PresentImage], /) -> Collection[str]:
        """Remove images. Return the ids of those that are gone afterwards.

        The engine keeps an image that a container uses by now, because no force is used. Raise InfrastructureError if
        the engine cannot be asked afterwards which images are gone.
        """
        ...
