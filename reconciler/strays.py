"""What lies in the state folder and is none of ours: neither a slot, nor a snapshot that a record tells of."""

from collections.abc import Iterator
from pathlib import Path

from desired.values import is_recipe_name
from state.folder import StateFolder, is_empty, is_slot
from state.kept import begins_as_upkeep
from state.model import Records


def strays(state: StateFolder, records: Records) -> tuple[Path, ...]:
    """Entries of `work/`, `kept/` and `canonicals/` that no pass made, or whose record is gone."""
    in_work = (path for path in _entries(state.work) if not (may_be_slot(path) and is_slot(path)))
    in_kept = (path for path in _entries(state.kept) if not (is_kept_slot(path) or is_account(path)))
    return (*in_work, *in_kept, *_unrecorded(state, records))


def may_be_slot(path: Path) -> bool:
    """Whether an entry of `work/` or `kept/` has the form of a slot: a folder, no link to one, with a recipe's name."""
    return path.is_dir() and not path.is_symlink() and is_recipe_name(path.name)


def is_kept_slot(path: Path) -> bool:
    """Whether a folder in `kept/` was made for a deployment: its account lies beside it, or nothing lies in it."""
    return may_be_slot(path) and (is_account(path.with_name(f"{path.name}.json")) or is_empty(path))


def is_account(path: Path) -> bool:
    """Whether an entry of `kept/` is the account of a recipe's deployment, whole or not yet."""
    named = path.name.removesuffix(".new").endswith(".json") and is_recipe_name(owner(path))
    return named and not path.is_symlink() and path.is_file() and begins_as_upkeep(path)


def owner(path: Path) -> str:
    """Whose an entry of `kept/` is."""
    return path.name.removesuffix(".new").removesuffix(".json")


def _unrecorded(state: StateFolder, records: Records) -> Iterator[Path]:
    """What lies among the snapshots and is none, or is newer than the record: that of a registry from a backup."""
    for path in _entries(state.canonicals):
        have = records.canonicals.get(path.name)
        if have is None:
            yield path
        else:
            recorded = {str(generation) for generation in range(1, have.generation + 1)}
            yield from (each for each in _entries(path) if each.name not in recorded)


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []
