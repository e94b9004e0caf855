"""What `reconcile status` shows of the disk, as a line of text and as JSON."""

from collections.abc import Iterable, Mapping

from attrs import asdict, frozen

from reconciler.core.peaks import peak_of
from reconciler.core.sizes import size
from reconciler.show.text.status import Recorded


@frozen
class DiskStatus:
    """How much of the disk the state folder takes. All numbers are in bytes.

    * `total`: what all files in the state folder take.
    * `generations`: what the snapshots of generations take, which are part of `total`.
    * `free`: what is free on the disk of the state folder.
    * `budget`: the declared `[budget] disk`; None if none is declared.
    """

    total: int
    generations: int
    free: int
    budget: int | None

    @property
    def share(self) -> float:
        """Return the share of the state folder's size that generations take, from 0 to 1."""
        return self.generations / self.total if self.total else 0.0


def disk_line(disk: DiskStatus) -> str:
    """Return a line such as "disk: 3.0 GiB in the state folder, 80 % of it generations; 9.0 GiB free".

    If a budget is declared, the end of the line names the budget.
    """
    budget = f", [budget] disk is {size(disk.budget)}" if disk.budget is not None else ""
    taken = f"{size(disk.total)} in the state folder, {100 * disk.share:.0f} % of it generations"
    return f"disk: {taken}; {size(disk.free)} free{budget}"


def disk_part(disk: DiskStatus, rows: Iterable[Recorded]) -> Mapping[str, object]:
    """Return the value of the key "disk" of a JSON document, with an entry for each recipe in `rows`.

    Sizes are in bytes. The key "share" of the value has the share of the state folder's size that generations take,
    from 0 to 1.
    """
    recipes = {row.recipe: _recipe_part(row) for row in rows}
    return {**asdict(disk), "share": round(disk.share, 3), "recipes": recipes}


def _recipe_part(row: Recorded) -> Mapping[str, object]:
    """Return how many bytes a recipe's generations take, and the most that one of its trials took, as JSON data.

    A value that was not measured is None.
    """
    peak = peak_of(row.memory)
    return {"generations": row.stored, "peak": {**asdict(peak), "total": peak.total} if peak is not None else None}
