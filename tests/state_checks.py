"""Checks a state folder from its files alone, without the code that decides."""

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from state.folder.folder import StateFolder
from state.records import Canonical, Damaged, Memory
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from tests.world_driver import AppContents


def snapshot_contents(state: StateFolder, canonical: Canonical) -> AppContents | str:
    """Unpack a canonical's snapshot and return its data, or a text that says why that is not possible."""
    with TemporaryDirectory() as folder:
        into = Path(folder) / "unpacked"
        about = SealedSnapshots().unpack(state.canonical(canonical.recipe, canonical.generation), canonical.seal, into)
        if isinstance(about, Damaged):
            return about.reason
        if (about["recipe"], about["version"], about["commit"]) != (
            canonical.recipe,
            canonical.version,
            canonical.commit,
        ):
            return f"it is a snapshot of {about['recipe']} {about['version']}"
        if not (into / canonical.recipe / "secrets" / "key").is_file():
            return "the secret is lost"
        return cast("AppContents", json.loads((into / canonical.recipe / "data" / "data.json").read_text()))


def is_intact(state: StateFolder, canonical: Canonical, memory: Memory) -> bool:
    """Whether a recorded snapshot is unchanged on disk and no damage of it is recorded."""
    found = (memory.damage, *memory.older_damage)
    if any(each is not None and each.generation == canonical.generation for each in found):
        return False
    return (
        SealedSnapshots().find_damage(state.canonical(canonical.recipe, canonical.generation), canonical.seal) is None
    )


def false_claims(state: StateFolder, canonical: Canonical) -> list[str]:
    """Return what a record claims and its snapshot does not prove. Empty if all of it is proved."""
    contents = snapshot_contents(state, canonical)
    if isinstance(contents, str):
        return [contents]
    wrong = {
        "the marked data is lost": not contents["mark"],
        f"the data lived through {contents['lived']}": tuple(contents["lived"]) != canonical.lineage,
        "the lineage does not end with the version": canonical.lineage[-1:] != (canonical.version,),
    }
    return [words for words, is_so in wrong.items() if is_so]


def leftovers(state: StateFolder, running: Iterable[Path], generations: int = 2) -> list[str]:
    """Return what a pass must not leave: apps, slots, open intents, unrecorded folders. Checks the ledger too."""
    SqliteRegistry(state.database).verify()
    records = SqliteRegistry(state.database).read()
    left = [f"{folder} runs" for folder in running]
    left += [f"{path} lies there" for path in state.work.iterdir()]
    left += [f"{intent.op} is open" for intent in records.intents]
    for folder in state.canonicals.iterdir():
        memory = records.memories.get(folder.name, Memory(folder.name))
        named: set[str] = set()
        intact = 0
        for each in SqliteRegistry(state.database).generations(folder.name):
            named |= {str(each.generation)} if intact < generations else set()
            intact += is_intact(state, each, memory)
        left += [f"{folder.name}/{path.name} lies there" for path in folder.iterdir() if path.name not in named]
    return left
