"""Pushes mirrors to the team's forge. Failures are reported, and are never a verdict on a recipe."""

from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.core.push_state import PushState
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.ports.repositories import DuePush, MirrorRefs, PushResult
from reconciler.stages.mirror import MirrorResult

MOST_REFS: Final = 3


def push_mirrors(host: Host, mirrored: MirrorResult) -> Mapping[str, PushResult]:
    """Push to the team's forge each mirror that can be read and is not in `mirrored.mirror_errors`.

    Return the results by recipe; failed pushes are among them. Return {} if the fleet declares no forge.
    """
    if host.forge is None:
        return {}
    names = [name for name in mirrored.observed.observations if name not in mirrored.mirror_errors]
    readable = _readable(host, names)
    for name in readable:
        host.progress.step(name, "pushing to the forge")
    try:
        return host.forge.push(readable)
    except Exception as failed:  # noqa: BLE001  the pass goes on
        return dict.fromkeys(readable, PushResult(problems=(reason_of(failed),)))


def due_pushes(host: Host, names: Iterable[str]) -> Mapping[str, DuePush]:
    """Return what a pass over the recipes `names` would push to the team's forge, by recipe. Push nothing.

    Recipes of which it would push nothing are left out. Return {} if the fleet declares no forge.
    """
    if host.forge is None:
        return {}
    readable = _readable(host, names)
    try:
        due = host.forge.due(readable)
    except Exception as failed:  # noqa: BLE001  the answer says that it is not known
        due = dict.fromkeys(readable, DuePush(unknown=reason_of(failed)))
    return {name: each for name, each in due.items() if each.refs or each.unknown}


def _readable(host: Host, names: Iterable[str]) -> list[str]:
    return [name for name in names if isinstance(host.mirrors.refs(name), MirrorRefs)]


def due_text(due: DuePush) -> str:
    """Return a sentence on what would be pushed of a mirror. It names at most three branches and tags."""
    more = f" and {len(due.refs) - MOST_REFS} more" if len(due.refs) > MOST_REFS else ""
    return f"its mirror would be pushed: the forge lacks {', '.join(due.refs[:MOST_REFS])}{more}"


def push_notes(results: Mapping[str, PushResult]) -> tuple[str, ...]:
    """Return a note for each recipe whose push to the forge had problems, with these problems."""
    return tuple(
        f"{name}: mirror: push failed: {'; '.join(result.problems)}"
        for name, result in results.items()
        if result.problems
    )


def push_state(result: PushResult | None) -> PushState | None:
    """Return the word that a report shows for a push to the forge; None if nothing was pushed (`result` is None)."""
    if result is None:
        return None
    if result.problems:
        return PushState.FAILED
    return PushState.PUSHED if result.pushed else PushState.EQUAL
