"""Decides which container images are removed: those that Canon pulled, and that nothing needs any more."""

from collections.abc import Collection, Iterable, Sequence

from attrs import evolve, frozen

from state.image_use import ImageUse, UsedImage


@frozen
class PresentImage:
    """An image that the engine has. `tags` are its names, such as "nginx:1.28"; `size` is in bytes.

    `in_use` is True if a service of this host, or a container that runs or has stopped, was made from this image.
    """

    id: str
    tags: tuple[str, ...]
    size: int
    in_use: bool


@frozen
class ImagePrune:
    """Which images are to be removed.

    * `images`: the images to remove.
    * `unknown`: recipe and commit of each stored release whose images are not known. If there is such a release, no
      image is removed.
    """

    images: tuple[PresentImage, ...] = ()
    unknown: tuple[tuple[str, str], ...] = ()


@frozen
class StoredApp:
    """An app that is deployed from a stored generation: the recipe itself, or a recipe that it needs.

    * `recipe`, `generation`: the recipe and the number of the generation.
    * `app`: the recipe of the app.
    * `commit`: the commit at which the generation's snapshot has the app.
    * `has_images`: True if the driver of the app deploys container images.
    """

    recipe: str
    generation: int
    app: str
    commit: str
    has_images: bool

    @property
    def release(self) -> tuple[str, str]:
        return self.app, self.commit


def kept_releases(apps: Iterable[StoredApp], uses: Iterable[ImageUse]) -> frozenset[tuple[str, str]]:
    """Return recipe and commit of each of `apps` whose images must stay, because the app may be deployed again.

    * `apps`: the apps of the stored generations.
    * `uses`: the records that say which images each release used.

    An app is left out if its driver deploys no images and `uses` has no record of its release. If `uses` has such a
    record, its recipe had another driver before: then the app is returned.
    """
    known = {(use.recipe, use.commit) for use in uses}
    return frozenset(app.release for app in apps if app.has_images or app.release in known)


def only_marks_of(owner: str, uses: Iterable[ImageUse]) -> tuple[ImageUse, ...]:
    """Return the records `uses`. In those with another owner than `owner`, no image counts as pulled by Canon.

    An owner is a state folder together with an engine (see `Images.owner`). In a copy of a state folder, or at another
    engine, somebody else may have pulled the same images.
    """
    return tuple(
        use
        if use.owner == owner
        else evolve(use, images=tuple(evolve(image, pulled=False) for image in use.images), owner=owner)
        for use in uses
    )


def images_to_prune(
    present: Sequence[PresentImage],
    uses: Sequence[ImageUse],
    kept: Collection[tuple[str, str]],
    busy: Collection[str],
) -> ImagePrune:
    """Return which of the engine's images `present` are to be removed: those for which all of this is true.

    * Canon pulled the image, and nothing on this host uses it.
    * All names of the image are from releases that Canon deployed.
    * Neither its id nor one of its names is still needed.

    If the images of a release in `kept` are not known, no image is removed.

    * `uses`: which images each deployed release used, as recorded.
    * `kept`: recipe and commit of each release that stored generations need. Their images are still needed.
    * `busy`: the recipes that are being tried. All images ever recorded of them are still needed.
    """
    known = {(use.recipe, use.commit) for use in uses}
    unknown = {*kept} - known
    if unknown:
        return ImagePrune(unknown=tuple(sorted(unknown)))
    needed = [image for use in uses if (use.recipe, use.commit) in kept or use.recipe in busy for image in use.images]
    needed_ids, needed_names = {image.id for image in needed}, {image.reference for image in needed}
    every = [image for use in uses for image in use.images]
    pulled, ours = {image.id for image in every if image.pulled}, {image.reference for image in every}
    return ImagePrune(
        tuple(
            image
            for image in present
            if image.id in pulled - needed_ids and not image.in_use and set(image.tags) <= ours - needed_names
        )
    )


def still_useful(
    uses: Sequence[ImageUse], present: Collection[str], kept: Collection[tuple[str, str]]
) -> tuple[ImageUse, ...]:
    """Return the records in `uses` that later decisions need.

    A record is needed if `kept` has its release, or if `present` has one of its images.

    * `present`: the ids of the images that the engine has.
    * `kept`: recipe and commit of each release that stored generations need.

    In the returned records, an image that is not in `present` does not count as pulled by Canon. If that image comes
    back, somebody else may have pulled it.
    """
    current = (evolve(use, images=tuple(_forgotten(image, present) for image in use.images)) for use in uses)
    return tuple(
        use
        for use in dict.fromkeys(current)
        if (use.recipe, use.commit) in kept or any(image.id in present for image in use.images)
    )


def _forgotten(image: UsedImage, present: Collection[str]) -> UsedImage:
    return image if image.id in present else evolve(image, pulled=False)
