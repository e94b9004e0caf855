"""Removes container images that Canon pulled and that nothing needs any more. What fails here is a note."""

from collections.abc import Sequence

from reconciler.core.image_prune import ImagePrune, PresentImage, images_to_prune, still_useful
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.ports.images import Images
from reconciler.promotion.generations import stored_generations
from reconciler.stages.planning import RunRequest
from state.image_log import keep_uses, read_uses
from state.records import Records

_WITH_IMAGES = frozenset({"swarm", "abra"})


def prune_images(host: Host, request: RunRequest, records: Records, *, dry_run: bool = False) -> tuple[str, ...]:
    """Remove the container images that nothing needs, if the fleet says `images = "prune"`. Return notes on this.

    A note says what was removed, or why nothing can be removed. With `dry_run`, nothing is removed, and the note says
    what would be. Return () if the fleet keeps all images, or if the pass is about a part of the fleet or a saved plan.
    """
    is_whole = set(request.names) == set(request.fleet.recipes) and request.planned is None
    if host.images is None or not is_whole:
        return ()
    try:
        return _pruned(host, host.images, request, records, dry_run=dry_run)
    except Exception as failed:  # noqa: BLE001  no recipe depends on it
        return (f"images could not be pruned: {reason_of(failed)}",)


def _pruned(host: Host, images: Images, request: RunRequest, records: Records, *, dry_run: bool) -> tuple[str, ...]:
    if records.unreadable:
        return ("images are not pruned: not all records can be read",)
    kept = {
        (name, generation.commit)
        for name in records.canonicals
        if name not in request.fleet.recipes or request.fleet.recipes[name].driver in _WITH_IMAGES
        for generation in stored_generations(host, name)
    }
    uses, present = read_uses(host.state.image_log), images.present()
    plan = images_to_prune(present, uses, kept, _busy(host))
    if dry_run:
        return _planned_notes(plan)
    gone = images.remove(plan.images) if plan.images else ()
    left = {image.id for image in present} - set(gone)
    useful = still_useful(uses, left, kept)
    if useful != uses:
        keep_uses(host.state.image_log, useful)
    if plan.unknown:
        return _planned_notes(plan)
    return _notes("removed images that nothing needs", [image for image in plan.images if image.id in gone])


def _busy(host: Host) -> frozenset[str]:
    """Return the recipes with a working folder: a trial or a raised copy may be about to deploy."""
    return frozenset(path.name for path in host.state.work.iterdir()) if host.state.work.is_dir() else frozenset()


def _planned_notes(plan: ImagePrune) -> tuple[str, ...]:
    if plan.unknown:
        names = ", ".join(plan.unknown)
        return (f"images are not pruned: those of a generation are not known yet; deploy it: reconcile raise: {names}",)
    return _notes("images that a pass would remove", plan.images)


def _notes(what: str, images: Sequence[PresentImage]) -> tuple[str, ...]:
    """Return one note: `what`, and then the names and the size of the images; () if there are no images."""
    if not images:
        return ()
    names = ", ".join(image.tags[0] if image.tags else image.id for image in images)
    return (f"{what}: {names} ({sum(image.size for image in images) // 1024**2} MiB)",)
