"""The recorded snapshots of a recipe: which of them are intact, and which are deleted.

Only recorded generations count. A numbered folder that is not recorded is never touched here.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve

from reconciler.core.generations import generations_to_delete, generations_to_go_on_from
from reconciler.core.observation import CanonicalStatus, State, damage_of
from reconciler.errors import reason_of
from state.folder.folder import StateFolder
from state.records import Canonical, Memory, Records, Seal
from state.snapshots.snapshots import generations_present
from state.state_errors import StateError

if TYPE_CHECKING:  # `status` needs no ports
    from reconciler.ports.host import Host
    from reconciler.ports.storage import Snapshots


def snapshot_status(
    snapshots: "Snapshots", state: StateFolder, canonical: Canonical | None, memory: Memory
) -> CanonicalStatus:
    """Return the status of a canonical's snapshot. Raise no error.

    * NONE: `canonical` is None.
    * DAMAGED: the files of the snapshot are not as they were sealed, or `memory` says that it could not be deployed.
    * UNKNOWN: the snapshot cannot be read.
    * INTACT: anything else.
    """
    if canonical is None:
        return CanonicalStatus(State.NONE)
    if damaged := damage_of(memory, canonical.generation):
        return CanonicalStatus(State.DAMAGED, damaged.reason)
    try:
        unsealed = snapshots.find_damage(
            state.canonical(canonical.recipe, canonical.generation), current_seal(canonical, memory)
        )
    except Exception as failed:  # noqa: BLE001  other recipes go on
        return CanonicalStatus(State.UNKNOWN, reason_of(failed))
    return CanonicalStatus(State.INTACT) if unsealed is None else CanonicalStatus(State.DAMAGED, unsealed.reason)


def snapshot_statuses(snapshots: "Snapshots", state: StateFolder, records: Records) -> dict[str, CanonicalStatus]:
    """Return the status of the snapshot of each recorded canonical, by recipe. See `snapshot_status`."""
    return {
        name: snapshot_status(snapshots, state, canonical, records.memories.get(name, Memory(name)))
        for name, canonical in records.canonicals.items()
    }


def current_seal(canonical: Canonical, memory: Memory) -> Seal:
    """Return the seal of a canonical with the inodes and times that its files had when they were last hashed.

    The inodes and times come from `memory`. Those in the recorded seal are wrong if the state folder was copied.
    """
    return evolve(canonical.seal, files=memory.looks.get(str(canonical.generation), canonical.seal.files))


def refresh_file_stats(host: "Host", recipe: str, memory: Memory) -> Memory:
    """Hash each stored snapshot of a recipe whose files have other inodes or times than `memory` says.

    Inodes and times differ after the state folder was copied.

    * If the content of a snapshot is still as sealed, the memory gets the new inodes and times of its files.
    * If the content is damaged or cannot be read, the memory stays as it is. No error is raised.

    Record the memory if it has changed, and return it.
    """
    stored = {str(canonical.generation): canonical for canonical in stored_generations(host, recipe)}
    looks = {number: files for number, files in memory.looks.items() if number in stored}
    for number, canonical in stored.items():
        with suppress(StateError, OSError):
            folder = host.state.canonical(recipe, canonical.generation)
            files = host.snapshots.rehash(folder, current_seal(canonical, memory))
            looks |= {number: files} if files is not None else {}
    updated = evolve(memory, looks=looks)
    if updated != memory:
        host.registry.remember([updated], [])
    return updated


def intact_to_go_on_from(host: "Host", damaged: Canonical, memory: Memory) -> Canonical | None:
    """Return the first intact one of the generations that `generations_to_go_on_from` returns; None if there is none.

    `damaged` is a damaged canonical. If `memory`, what is recorded of the recipe, says that a snapshot could not be
    deployed, that one is not intact.
    """
    candidates = generations_to_go_on_from(damaged, host.registry.generations(damaged.recipe))
    return next((each for each in candidates if _is_intact(host, each, memory)), None)


def _is_intact(host: "Host", canonical: Canonical, memory: Memory) -> bool:
    return snapshot_status(host.snapshots, host.state, canonical, memory).state is State.INTACT


def stored_generations(host: "Host", recipe: str) -> list[Canonical]:
    """Return the recorded generations of a recipe that have a snapshot folder, the newest first.

    The first is the canonical, which is returned even if its folder is missing.
    """
    present = generations_present(host.state.generations(recipe))
    recorded = enumerate(host.registry.generations(recipe))
    return [canonical for index, canonical in recorded if index == 0 or canonical.generation in present]


def may_be_prunable(host: "Host", canonical: Canonical, keep: int) -> bool:
    """Return False if `prunable` returns () for the canonical's recipe, since it has no more than `keep` snapshots.

    Only folders are looked at, so this is quick. Raise SnapshotError if they cannot be listed.
    """
    present = generations_present(host.state.generations(canonical.recipe))
    return len({*present, canonical.generation}) > keep


def prunable(host: "Host", recipe: str, keep: int, memory: Memory) -> tuple[Canonical, ...]:
    """Return the generations that `prune` would delete now, the newest first. Change nothing.

    These are all that are older than the newest `keep` intact ones; none if fewer than `keep` are intact. A snapshot is
    not intact if its files are not as they were sealed, if they cannot be read, or if `memory`, what is recorded of the
    recipe, says that it could not be deployed. Generations of which no sealed file is left are left out. Raise
    SnapshotError or RegistryError if the generations cannot be listed.
    """
    old = generations_to_delete(stored_generations(host, recipe), keep, lambda each: _is_intact(host, each, memory))
    return tuple(each for each in old if host.snapshots.has_sealed(_folder(host, each), each.seal))


def prune(host: "Host", recipe: str, keep: int, memory: Memory) -> Iterator[Canonical]:
    """Delete the snapshots of the generations that `prunable` returns. Yield each generation once that is done.

    Nothing is deleted unless the caller asks for the next generation. Raise SnapshotError or RegistryError if something
    fails; what is left is deleted by a later call.
    """
    for canonical in prunable(host, recipe, keep, memory):
        _delete(host, canonical)
        yield canonical


def delete_all(host: "Host", recipe: str) -> None:
    """Delete every recorded snapshot of a recipe. Delete its folder of snapshots too, if nothing else is in it."""
    for canonical in host.registry.generations(recipe):
        _delete(host, canonical)
    with suppress(OSError):
        host.state.generations(recipe).rmdir()


def _delete(host: "Host", canonical: Canonical) -> None:
    host.snapshots.delete_sealed(_folder(host, canonical), canonical.seal)


def _folder(host: "Host", canonical: Canonical) -> Path:
    return host.state.canonical(canonical.recipe, canonical.generation)
