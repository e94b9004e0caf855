"""The record of which container images a release was deployed with, and which of them Canon pulled."""

from attrs import frozen


@frozen
class UsedImage:
    """A container image with which a release was deployed.

    * `reference`: the image's name as Docker's engine lists it, such as "nginx:1.28".
    * `id`: the engine's id of the image.
    * `pulled`: True if Canon pulled the image for this deployment, and the engine did not have it before.
    """

    reference: str
    id: str
    pulled: bool


@frozen
class ImageUse:
    """The images with which a commit of a recipe was deployed.

    `owner` is the state folder and the engine of that deployment, see `Images.owner`; "" if they were not recorded.
    """

    recipe: str
    commit: str
    images: tuple[UsedImage, ...]
    owner: str = ""
