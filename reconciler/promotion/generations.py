"""The recorded snapshots of a recipe: finds the intact ones, and deletes old ones.

Only recorded generations count. A numbered folder that is not recorded is never touched here.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from attrs import evolve

from reconciler.core.observation import CanonicalStatus, State, damage_of
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.ports.storage import Snapshots
from state.folder.folder import StateFolder
from state.records import Canonical, Memory, Seal
from state.snapshots.snapshots import generations_present
from state.state_errors import StateError


def snapshot_status(
    snapshots: Snapshots, state: StateFolder, canonical: Canonical | None, memory: Memory
) -> CanonicalStatus:
    """Return whether the snapshot is as sealed. Damage that was found in use counts even if the files look intact."""
    if canonical is None:
        return CanonicalStatus(State.NONE)
    if found := damage_of(memory, canonical.generation):
        return CanonicalStatus(State.DAMAGED, found.reason)
    try:
        damaged = snapshots.find_damage(
            state.canonical(canonical.recipe, canonical.generation), current_seal(canonical, memory)
        )
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return CanonicalStatus(State.UNKNOWN, reason_of(failed))
    return CanonicalStatus(State.INTACT) if damaged is None else CanonicalStatus(State.DAMAGED, damaged.reason)


def current_seal(canonical: Canonical, memory: Memory) -> Seal:
    """Return the seal, with the inodes and times that the files had when they were last hashed.

    In a copied state folder, these differ from those that the files had when they were sealed.
    """
    return evolve(canonical.seal, files=memory.looks.get(str(canonical.generation), canonical.seal.files))


def refresh_file_stats(host: Host, recipe: str, memory: Memory) -> Memory:
    """Hash the snapshots whose files have other inodes or times, and record these if the content is as sealed.

    Returns the memory with what was recorded.
    """
    there = stored_generations(host, recipe)
    looks = {
        number: each for number, each in memory.looks.items() if number in {str(have.generation) for have in there}
    }
    for have in there:
        with suppress(StateError, OSError):
            found = host.snapshots.rehash(host.state.canonical(recipe, have.generation), current_seal(have, memory))
            looks |= {str(have.generation): found} if found is not None else {}
    noted = evolve(memory, looks=looks)
    if noted != memory:
        host.registry.remember([noted], [])
    return noted


def newest_intact_before(host: Host, before: Canonical, memory: Memory) -> Canonical | None:
    """Return the newest recorded generation before this one whose snapshot is intact; None if there is none."""
    older = (each for each in host.registry.generations(before.recipe) if each.generation < before.generation)
    return next(_intact(host, older, memory), None)


def _intact(host: Host, canonicals: Iterable[Canonical], memory: Memory) -> Iterator[Canonical]:
    """Yield those canonicals whose snapshot is intact. Each snapshot is checked only when the caller gets to it."""
    return (
        each for each in canonicals if snapshot_status(host.snapshots, host.state, each, memory).state is State.INTACT
    )


def stored_generations(host: Host, recipe: str) -> list[Canonical]:
    """Return the recorded generations that have a folder, and the canonical in any case; the newest first."""
    present = generations_present(host.state.generations(recipe))
    recorded = enumerate(host.registry.generations(recipe))
    return [each for place, each in recorded if place == 0 or each.generation in present]


def prune(host: Host, canonical: Canonical, keep: int, memory: Memory) -> None:
    """Delete the snapshots older than the newest `keep` intact ones. Damaged ones are not counted."""
    there = stored_generations(host, canonical.recipe)
    if len(there) <= keep:
        return
    kept = [each.generation for each, _ in zip(_intact(host, there, memory), range(keep), strict=False)]
    for each in there:
        if len(kept) == keep and each.generation < min(kept):
            _delete(host, each)


def delete_all(host: Host, recipe: str) -> None:
    """Delete every recorded snapshot of a recipe, and their folder if it is then empty."""
    for each in host.registry.generations(recipe):
        _delete(host, each)
    with suppress(OSError):
        host.state.generations(recipe).rmdir()


def _delete(host: Host, canonical: Canonical) -> None:
    host.snapshots.delete_sealed(host.state.canonical(canonical.recipe, canonical.generation), canonical.seal)
