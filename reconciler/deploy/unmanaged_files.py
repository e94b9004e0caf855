"""What lies in the state folder and is none of ours: neither a slot, nor a snapshot that a record tells of."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from desired.declarations.values import is_recipe_name
from reconciler.ports.host import Host
from state.deployment_record import begins_as_deployment_record
from state.folder.folder import StateFolder, is_empty, is_slot
from state.records import Canonical, Records


def unmanaged_files(state: StateFolder) -> tuple[Path, ...]:
    """Entries of `work/` and `kept/` that no pass made."""
    in_work = (path for path in _entries(state.work) if not (may_be_slot(path) and is_slot(path)))
    in_kept = (path for path in _entries(state.kept) if not (is_kept_slot(path) or is_deployment_record(path)))
    return (*in_work, *in_kept)


def unrecorded_snapshots(host: Host, records: Records) -> tuple[Path, ...]:
    """Entries of `canonicals/` and of what is below it that no record tells of, whatever they are named."""
    recorded = {name: host.registry.generations(name) for name in records.canonicals}
    there = [entry for entry in _entries(host.state.canonicals) if entry.name not in records.unreadable]
    return tuple(path for entry in there for path in _not_of(entry, recorded.get(entry.name)))


def may_be_slot(path: Path) -> bool:
    """Whether an entry of `work/` or `kept/` has the form of a slot: a folder, no link to one, with a recipe's name."""
    return path.is_dir() and not path.is_symlink() and is_recipe_name(path.name)


def is_kept_slot(path: Path) -> bool:
    """Whether a folder in `kept/` was made for a deployment: its record lies beside it, or nothing lies in it."""
    return may_be_slot(path) and (is_deployment_record(path.with_name(f"{path.name}.json")) or is_empty(path))


def is_deployment_record(path: Path) -> bool:
    """Whether an entry of `kept/` is the deployment record of a recipe's deployment, whole or not yet."""
    named = path.name.removesuffix(".new").endswith(".json") and is_recipe_name(recipe_of(path))
    return named and not path.is_symlink() and path.is_file() and begins_as_deployment_record(path)


def recipe_of(path: Path) -> str:
    """Whose an entry of `kept/` is."""
    return path.name.removesuffix(".new").removesuffix(".json")


def _not_of(folder: Path, recorded: Sequence[Canonical] | None) -> Iterator[Path]:
    """What is not of the recorded snapshots in `canonicals/NAME`; all of it, where none is recorded."""
    if recorded is None:
        yield folder
        return
    files = {str(canonical.generation): canonical.seal.files for canonical in recorded}
    for path in _entries(folder):
        if path.name not in files:
            yield path
        else:
            yield from (each for each in _entries(path) if each.name not in files[path.name])


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
