"""The record of which container images a release was deployed with, and which of them Canon pulled."""

from attrs import frozen


@frozen
class UsedImage:
    """An image that a release names. `reference` is its name as the engine lists it, such as "nginx:1.28", `id` its id.

    `pulled`: Canon pulled it for this deployment, and the engine did not have it before, under any name.
    """

    reference: str
    id: str
    pulled: bool


@frozen
class ImageUse:
    """The images with which a commit of a recipe was deployed."""

    recipe: str
    commit: str
    images: tuple[UsedImage, ...]
