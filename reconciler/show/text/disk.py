"""What `reconcile status` says of the disk, as a line and as a part of its JSON document."""

from collections.abc import Iterable, Mapping

from attrs import asdict, frozen

from reconciler.core.peaks import peak_of
from reconciler.show.quantities import size
from reconciler.show.text.status import Recorded


@frozen
class DiskStatus:
    """Bytes: `total` of all files of the state folder, `generations` of the snapshots in it, `free` on its disk.

    `budget` is what the fleet declares as `[budget] disk`, None if it declares nothing.
    """

    total: int
    generations: int
    free: int
    budget: int | None

    @property
    def share(self) -> float:
        """The share of the generations in the total, from 0 to 1."""
        return self.generations / self.total if self.total else 0.0


def disk_line(disk: DiskStatus) -> str:
    """Return one line: what the state folder takes, the share of the snapshots in it, the free space, the budget."""
    budget = f", [budget] disk is {size(disk.budget)}" if disk.budget is not None else ""
    taken = f"{size(disk.total)} in the state folder, {100 * disk.share:.0f} % of it generations"
    return f"disk: {taken}; {size(disk.free)} free{budget}"


def disk_part(disk: DiskStatus, rows: Iterable[Recorded]) -> Mapping[str, object]:
    """Return the entry "disk" of a JSON document: the values of `disk`, and those of each recipe in `rows`.

    Sizes are in bytes, the share of the generations is from 0 to 1.
    """
    recipes = {row.recipe: _recipe_part(row) for row in rows}
    return {**asdict(disk), "share": round(disk.share, 3), "recipes": recipes}


def _recipe_part(row: Recorded) -> Mapping[str, object]:
    """Return the bytes of a recipe's generations, and what its trials took at most, by kind and in all.

    A value that was not measured is None.
    """
    peak = peak_of(row.memory)
    return {"generations": row.stored, "peak": {**asdict(peak), "total": peak.total} if peak is not None else None}
