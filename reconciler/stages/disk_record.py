"""What the record of a pass says of the disk."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from attrs import asdict

from reconciler.core.peaks import peak_of
from reconciler.errors import CanonError
from reconciler.ports.disk import Disk
from reconciler.ports.host import Host
from state.records import Records


def disk_record(host: Host, names: Iterable[str], records: Records) -> Mapping[str, object] | None:
    """Return what the ledger keeps of the disk; None if it cannot be measured.

    "free" is the number of free bytes on the disk with the state folder: a pass in which nothing moves does not ask the
    engine about its own disk. "recipes" has by recipe, for those in `names`, the bytes of its stored
    generations and the largest use of the disk that was measured in its last trials, None if there is none.
    """
    with suppress(CanonError, OSError):
        if host.disk is not None:
            by_recipe = {name: _of_recipe(host, host.disk, name, records) for name in names}
            return {"free": host.disk.free_of_state(), "recipes": by_recipe}
    return None


def _of_recipe(host: Host, disk: Disk, name: str, records: Records) -> Mapping[str, object]:
    peak = peak_of(records.memories[name]) if name in records.memories else None
    stored = disk.size(host.state.generations(name))
    return {"generations": stored, "peak": asdict(peak) if peak is not None else None}
