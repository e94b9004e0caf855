"""Finds files in the state folder that belong to no slot, kept deployment or recorded snapshot."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from desired.declarations.recipe_names import is_recipe_name
from reconciler.ports.host import Host
from state.deployment_record import begins_as_deployment_record
from state.folder.folder import StateFolder, is_empty, is_slot
from state.records import Canonical, Records


def unmanaged_files(state: StateFolder) -> tuple[Path, ...]:
    """Return the paths of the files and folders in `work/` and `kept/` that Canon did not make."""
    in_work = (path for path in _entries(state.work) if not (may_be_slot(path) and is_slot(path)))
    in_kept = (path for path in _entries(state.kept) if not (is_kept_slot(path) or is_deployment_record(path)))
    return (*in_work, *in_kept)


def unrecorded_snapshots(host: Host, records: Records) -> tuple[Path, ...]:
    """Return the paths of the files and folders in `canonicals/` that belong to no recorded snapshot.

    If the records of a recipe cannot be read, its folder is left out.
    """
    recorded = {name: host.registry.generations(name) for name in records.canonicals}
    folders = [entry for entry in _entries(host.state.canonicals) if entry.name not in records.unreadable]
    return tuple(path for folder in folders for path in _unrecorded(folder, recorded.get(folder.name)))


def may_be_slot(path: Path) -> bool:
    """Return whether `path`, in `work/` or `kept/`, is a folder (not a link) with a name that a recipe may have."""
    return path.is_dir() and not path.is_symlink() and is_recipe_name(path.name)


def is_kept_slot(path: Path) -> bool:
    """Return whether `path`, in `kept/`, is a slot of Canon: it is empty, or has a deployment record beside it."""
    return may_be_slot(path) and (is_deployment_record(path.with_name(f"{path.name}.json")) or is_empty(path))


def is_deployment_record(path: Path) -> bool:
    """Return whether `path`, in `kept/`, is a deployment record, even one that was not written to its end."""
    has_its_name = path.name.removesuffix(".new").endswith(".json") and is_recipe_name(recipe_of(path))
    return has_its_name and not path.is_symlink() and path.is_file() and begins_as_deployment_record(path)


def recipe_of(path: Path) -> str:
    """Return the recipe to which `path`, in `kept/`, belongs: NAME for NAME, NAME.json and NAME.json.new."""
    return path.name.removesuffix(".new").removesuffix(".json")


def _unrecorded(folder: Path, recorded: Sequence[Canonical] | None) -> Iterator[Path]:
    """Yield the paths in `folder`, a recipe's `canonicals/NAME`, that belong to no recorded snapshot.

    `recorded` are the recipe's recorded generations. If it is None, nothing of the recipe is recorded: then yield the
    folder itself.
    """
    if recorded is None:
        yield folder
        return
    files = {str(canonical.generation): canonical.seal.files for canonical in recorded}
    for path in _entries(folder):
        if path.name not in files:
            yield path
        else:
            yield from (file for file in _entries(path) if file.name not in files[path.name])


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
