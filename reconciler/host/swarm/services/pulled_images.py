"""Pulls the images of a release, and records which of them the engine did not have before."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.errors import CanonError
from reconciler.host.swarm.engine.engine import Engine, id_of
from reconciler.host.swarm.engine.image_names import full_name
from reconciler.ports.app import App
from state.image_log import append_use
from state.image_use import ImageUse, UsedImage


def pull_images(engine: Engine, references: Sequence[str], log: Path | None, app: App, commit: str) -> None:
    """Pull the images of an app's release, and record them in the file `log`; None for no record.

    `references` are the names of the images, and `commit` is the commit of the release. Raise RecipeError if an image
    does not exist, InfrastructureError if it cannot be pulled for another reason. If the images cannot be recorded,
    raise no error: they are then never removed, because Canon removes only recorded images.
    """
    before = _ids(engine) if log is not None else None
    for reference in references:
        engine.command.pull(reference)
    if log is None or before is None:
        return
    with suppress(CanonError):
        found = {reference: engine.inspect("image", [reference]) for reference in references}
        if all(found.values()):
            used = (
                UsedImage(full_name(name), id_of(one), id_of(one) not in before) for name, (one, *_) in found.items()
            )
            append_use(log, ImageUse(app.recipe, commit, tuple(used), engine.owner))


def _ids(engine: Engine) -> frozenset[str] | None:
    """Return the ids of all images that the engine has; None if the engine does not tell."""
    with suppress(CanonError):
        return frozenset(engine.list_ids("image"))
    return None
