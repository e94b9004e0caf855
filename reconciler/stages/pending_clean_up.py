"""Finds what a pass would delete, undeploy or end beside the steps of its plan, and changes nothing."""

from collections.abc import Collection, Iterable, Iterator

from attrs import frozen

from desired.model import Fleet
from reconciler.core.generations import deletion_text
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.promotion.generations import may_be_prunable, prunable
from reconciler.promotion.unwanted_deployments import undeploy_text, unwanted_deployments
from reconciler.stages.ended_holds import ended_decisions
from reconciler.stages.left_behind import marks_by_driver, recipes_with_slots
from reconciler.stages.planning import RunRequest
from reconciler.stages.prune_images import prunable_images
from state.decisions import Hold
from state.records import Intent, Memory, Records
from state.state_errors import StateError


@frozen
class PendingCleanUp:
    """What the next pass would clean up.

    * `texts`: a sentence for each thing that it would delete, undeploy or end.
    * `unknown`: a sentence for each thing that could not be looked at.
    """

    texts: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def pending_clean_up(host: Host, request: RunRequest, records: Records) -> PendingCleanUp:
    """Return all that the next pass would clean up. The caller holds the pass lock, so that no pass is running.

    Left out is what nobody can miss: temporary repositories of dead fetches, and empty folders in canonicals/.
    """
    marks, unlisted = marks_by_driver(host)
    all_marks = frozenset(mark for of_driver in marks.values() for mark in of_driver)
    begun = {intent.recipe for intent in records.intents}
    lasting = lasting_clean_up(host, request.fleet, records, all_marks, request.fleet.recipes)
    images = prunable_images(host, request, records)
    texts = (
        *map(_unfinished_text, records.intents),
        *_ended_texts(host, request.names, records),
        *(f"work/{name} is there" for name in recipes_with_slots(host, all_marks, begun)),
        *lasting.texts,
        *images.removed,
    )
    return PendingCleanUp(texts, (*unlisted, *lasting.unknown, *images.unknown))


def lasting_clean_up_by_folders(host: Host, fleet: Fleet, records: Records) -> PendingCleanUp:
    """Return what `lasting_clean_up` does, but look at what is in folders alone, as quickly as a dry run has to.

    Deployments whose folder and record are gone are not found.
    """
    recipes = [name for name in fleet.recipes if _may_be_prunable(host, fleet, name, records)]
    return lasting_clean_up(host, fleet, records, (), recipes)


def lasting_clean_up(
    host: Host, fleet: Fleet, records: Records, marks: Collection[str], recipes: Iterable[str]
) -> PendingCleanUp:
    """Return which generations the next pass would delete at its beginning, and what it would undeploy then.

    * `marks`: the marks of slots that still have processes or objects on this host.
    * `recipes`: the recipes whose generations are looked at.
    """
    found = [
        *(_looked_at(f"{name}: its older snapshots", _deletions(host, fleet, name, records)) for name in recipes),
        _looked_at("kept/", _undeployments(host, fleet, records, marks)),
    ]
    return PendingCleanUp(
        tuple(text for each in found for text in each.texts), tuple(text for each in found for text in each.unknown)
    )


def _looked_at(what: str, texts: Iterable[str]) -> PendingCleanUp:
    """Return `texts`. If looking raises an error, return a sentence that `what` cannot be looked at instead."""
    try:
        return PendingCleanUp(tuple(texts))
    except Exception as failed:  # noqa: BLE001  the rest is looked at
        return PendingCleanUp(unknown=(f"{what} cannot be looked at: {reason_of(failed)}",))


def _may_be_prunable(host: Host, fleet: Fleet, name: str, records: Records) -> bool:
    canonical = records.canonicals.get(name)
    try:
        return canonical is not None and may_be_prunable(host, canonical, fleet.recipes[name].canonical.generations)
    except StateError:
        return True  # looking at them says why they cannot be listed


def _deletions(host: Host, fleet: Fleet, name: str, records: Records) -> Iterator[str]:
    """Yield a sentence on the generations of the recipe `name` that would be deleted, if there are any."""
    if name not in records.canonicals:
        return
    keep = fleet.recipes[name].canonical.generations
    if deleted := prunable(host, name, keep, records.memories.get(name, Memory(name))):
        yield deletion_text(deleted, keep, is_done=False)


def _undeployments(host: Host, fleet: Fleet, records: Records, marks: Collection[str]) -> Iterator[str]:
    yield from map(undeploy_text, unwanted_deployments(host, fleet, records, marks))


def _unfinished_text(intent: Intent) -> str:
    kind = "promotion of" if intent.copy_of is None else "rollback to"
    return f"{intent.recipe}: the {kind} {intent.version} is not finished"


def _ended_texts(host: Host, names: Collection[str], records: Records) -> Iterator[str]:
    """Yield a sentence for each hold and each rollback of the recipes `names` that has ended and is still recorded."""
    for decision in ended_decisions(names, records, host.clock.now().date()):
        what = "hold" if isinstance(decision, Hold) else f"rollback from {decision.left}"
        yield f"{decision.recipe}: its {what} has ended"
