"""What is really there, told from the files alone and without any code that decides."""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from state.folder.folder import StateFolder
from state.records import Canonical, Damaged, Memory
from state.registry.registry import SqliteRegistry
from state.snapshots.snapshots import SealedSnapshots
from tests.world_ports import AppContents


def snapshot_contents(state: StateFolder, canonical: Canonical) -> AppContents | str:
    """The data in a canonical's snapshot, unpacked anew; words where that is impossible or it is another's."""
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
    """Whether a recorded snapshot is there as sealed, and nobody found that it does not rise."""
    found = (memory.damage, *memory.older_damage)
    if any(each is not None and each.generation == canonical.generation for each in found):
        return False
    return (
        SealedSnapshots().find_damage(state.canonical(canonical.recipe, canonical.generation), canonical.seal) is None
    )


def false_claims(state: StateFolder, canonical: Canonical) -> list[str]:
    """How a record says more than its snapshot proves."""
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
    """What no pass may leave behind: apps, slots, open intents, folders that no record names, a broken ledger."""
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


def entries_below(folder: Path, *, times: bool = True) -> Mapping[str, str]:
    """Every entry below a folder with its kind, content and, if asked, times; equal only if nothing was touched."""
    return {str(path.relative_to(folder)): _facts(path, times=times) for path in sorted(folder.rglob("*"))}


def _facts(path: Path, *, times: bool) -> str:
    look = path.lstat()
    content = sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    when = (look.st_mtime_ns, look.st_ctime_ns, look.st_ino) if times else ()
    return f"{look.st_mode:o} {content} {when}"
