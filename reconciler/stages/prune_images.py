"""Removes container images that Canon pulled and that nothing needs any more. What fails here is a note."""

from collections.abc import Collection, Sequence

from attrs import frozen

from reconciler.core.image_prune import (
    ImagePrune,
    PresentImage,
    StoredApp,
    images_to_prune,
    kept_releases,
    only_marks_of,
    still_useful,
)
from reconciler.core.sizes import size
from reconciler.errors import InterruptedPassError, reason_of
from reconciler.ports.host import Host
from reconciler.ports.images import Images
from reconciler.stages.planning import RunRequest
from reconciler.stages.stored_apps import stored_apps, unknown_text
from state.image_log import append_use, keep_uses, read_uses
from state.image_use import ImageUse
from state.records import Records


@frozen
class PrunedImages:
    """What came of pruning images.

    * `notes`: notes for the report.
    * `signal`: the number of the signal that interrupted the pruning; None if none did.
    """

    notes: tuple[str, ...] = ()
    signal: int | None = None


@frozen
class _Found:
    """Which images are recorded and which are present, and which of them are to be removed.

    * `recorded`: which images each deployed release used, as recorded.
    * `uses`: a copy of `recorded` in which only those images count as pulled by Canon that this state folder pulled at
      this engine.
    * `present`: the images that the engine has.
    * `apps`: the apps of all stored generations.
    * `kept`: the apps in `apps` whose images are needed, each as its recipe and commit.
    * `plan`: which images are to be removed.
    """

    recorded: tuple[ImageUse, ...]
    uses: tuple[ImageUse, ...]
    present: Sequence[PresentImage]
    apps: tuple[StoredApp, ...]
    kept: Collection[tuple[str, str]]
    plan: ImagePrune

    def useful_without(self, gone: Collection[str]) -> tuple[ImageUse, ...]:
        """Return the records that are still useful once the images with the ids `gone` are removed."""
        return still_useful(self.uses, {image.id for image in self.present} - {*gone}, self.kept)


@frozen
class PrunableImages:
    """What `prune_images` would do now.

    * `removed`: a note that names the images that it would remove; () if there are none.
    * `kept`: a note on why it would remove nothing; () if nothing keeps it from removing images.
    * `unknown`: a note on why it cannot be known what it would do; () if it can.
    """

    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self.removed, *self.kept, *self.unknown)


def prunable_images(host: Host, request: RunRequest, records: Records) -> PrunableImages:
    """Return what `prune_images` would remove now, or why it would remove nothing. Change nothing."""
    images = _images_to_look_at(host, request)
    if images is None:
        return PrunableImages()
    try:
        if unsure := _why_unsure(images, records):
            return PrunableImages(kept=(unsure,))
        found = _find(host, images, request, records)
    except Exception as failed:  # noqa: BLE001  no recipe depends on it
        return PrunableImages(unknown=_stopped_notes((), reason_of(failed)))
    removed = _notes("images that a pass would remove", found.plan.images)
    return PrunableImages(removed, kept=_unknown_notes(found, request, records))


def prune_images(host: Host, request: RunRequest, records: Records) -> PrunedImages:
    """Remove the images that nothing needs after a pass. Return notes on what was removed.

    Remove nothing, without a note, if the pass was not over the whole fleet, if it carried out a saved plan, or if
    images are not to be pruned (`host.images` is None). Otherwise, if nothing can be removed or something fails, a note
    says why. If a signal comes, the notes name the images that may be gone by then.
    """
    images, begun = _images_to_look_at(host, request), list[PresentImage]()
    if images is None:
        return PrunedImages()
    try:
        return PrunedImages(_pruned(host, images, request, records, begun))
    except InterruptedPassError as stop:
        return PrunedImages(_stopped_notes(begun, stop.message), stop.signal_number)
    except Exception as failed:  # noqa: BLE001  no recipe depends on it
        return PrunedImages(_stopped_notes(begun, reason_of(failed)))


def _images_to_look_at(host: Host, request: RunRequest) -> Images | None:
    """Return `host.images`; None if images are not pruned, or if the pass is partial or carries out a saved plan."""
    return host.images if set(request.names) == set(request.fleet.recipes) and request.planned is None else None


def _pruned(
    host: Host, images: Images, request: RunRequest, records: Records, begun: list[PresentImage]
) -> tuple[str, ...]:
    """Remove the images that nothing needs. Return notes on what was removed, or on why nothing can be removed.

    Before the first image is removed, all images to remove are added to `begun`, a list of the caller.

    First the records that Canon pulled these images are deleted. At the end, the records of images that could not be
    removed are written again. If this process is killed in between, such an image stays for ever. In the other order, a
    record could outlive its image; if somebody else then pulled the image, Canon would remove it.
    """
    if unsure := _why_unsure(images, records):
        return (unsure,)
    found, log = _find(host, images, request, records), host.state.image_log
    useful = found.useful_without({image.id for image in found.plan.images})
    if useful != found.recorded:
        keep_uses(log, useful)
    if not found.plan.images:
        return _unknown_notes(found, request, records)
    begun += found.plan.images
    gone = images.remove(found.plan.images)
    for use in found.useful_without(gone):
        if use not in useful:
            append_use(log, use)
    return _notes("removed images that nothing needs", [image for image in found.plan.images if image.id in gone])


def _why_unsure(images: Images, records: Records) -> str:
    """Return why Canon cannot know which images of this engine are needed; "" if it can."""
    if records.unreadable:
        return "images are not pruned: not all records can be read"
    others = images.others()
    what = "another state folder uses this engine, and which images it needs is not known here"
    return f"images are not pruned: {what}: canon.state={others[0]}" if others else ""


def _find(host: Host, images: Images, request: RunRequest, records: Records) -> _Found:
    apps = stored_apps(host, request.fleet.recipes, records)
    recorded, present = read_uses(host.state.image_log), images.present()
    uses = only_marks_of(images.owner, recorded)
    kept = kept_releases(apps, uses)
    return _Found(recorded, uses, present, apps, kept, images_to_prune(present, uses, kept, _busy(host)))


def _busy(host: Host) -> frozenset[str]:
    """Return the recipes with a working folder: a trial or a raised copy may be about to deploy."""
    return frozenset(path.name for path in host.state.work.iterdir()) if host.state.work.is_dir() else frozenset()


def _unknown_notes(found: _Found, request: RunRequest, records: Records) -> tuple[str, ...]:
    unknown = [app for app in found.apps if app.release in found.plan.unknown]
    return (unknown_text(unknown, request.fleet.recipes, records),) if unknown else ()


def _stopped_notes(begun: Sequence[PresentImage], why: str) -> tuple[str, ...]:
    """Return one note on why pruning stopped. `why` is the reason.

    `begun` are the images that may be gone, because their removal had begun. The note names them, if there are any.
    """
    if not begun:
        return (f"images could not be pruned: {why}",)
    return tuple(f"{note}: {why}" for note in _notes("images were not all seen to be removed", begun))


def _notes(what: str, images: Sequence[PresentImage]) -> tuple[str, ...]:
    """Return one note: `what`, and then the names and the size of the images; () if there are no images."""
    if not images:
        return ()
    names = ", ".join(image.tags[0] if image.tags else image.id for image in images)
    return (f"{what}: {names} ({size(sum(image.size for image in images))})",)
