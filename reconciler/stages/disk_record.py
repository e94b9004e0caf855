"""Makes the part of a pass's record that is about the disk."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from attrs import asdict

from reconciler.core.peaks import peak_of
from reconciler.errors import CanonError
from reconciler.ports.disk import Disk
from reconciler.ports.host import Host
from state.records import Records


def disk_record(host: Host, names: Iterable[str], records: Records) -> Mapping[str, object] | None:
    """Return what the ledger keeps of the disk after a pass; None if the disk cannot be measured.

    * "free": the free bytes on the disk of the state folder. The engine's disk is not measured, because a pass in which
      nothing changes should not need the engine.
    * "recipes": for each recipe in `names`, the bytes of its stored generations, and the most that one of its last
      trials took of the disk (None if that was never measured).
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
