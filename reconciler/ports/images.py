"""The protocol of what lists and removes container images."""

from collections.abc import Collection, Sequence
from typing import Protocol

from reconciler.core.image_prune import PresentImage


class Images(Protocol):
    """The images of one engine."""

    def present(self) -> Sequence[PresentImage]:
        """Return all images, and which of them are in use. Raise InfrastructureError if the engine does not tell."""
        ...

    def remove(self, images: Collection[PresentImage], /) -> Collection[str]:
        """Remove images, without force: the engine keeps what a container uses by now. Return the ids of those gone.

        Raise InfrastructureError if the engine cannot be asked afterwards.
        """
        ...
