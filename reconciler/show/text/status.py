"""What `reconcile status` shows of recipes, and its text on all of them: a table. See `status_card` for one recipe."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from desired.model import Fleet
from reconciler.core.holds import HoldStatus, recorded_decisions
from reconciler.core.last_pass import LastWholePass
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.peaks import peak_of
from reconciler.core.sizes import size
from reconciler.show.quantities import age, count_of, moment, short
from reconciler.show.text.pass_age import status_lines
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint
from state.ledger_line import LedgerLine
from state.records import Canonical, Memory, Records, Red

if TYPE_CHECKING:  # the table of all recipes shows no ways
    from reconciler.core.ways import RecordedWay

_NO_STATUS: Final = CanonicalStatus(State.NONE)


@frozen
class Recorded:
    """What is recorded of one recipe, as `reconcile status` shows it.

    * `declared`: False for an orphan.
    * `canonical`: None if the recipe has no canonical.
    * `exception`: why the recipe is not enrolled; "" if it is enrolled.
    * `status`: whether the canonical is intact, damaged, down or unknown, and why.
    * `memory`: what is remembered of the recipe, such as its reds.
    * `decisions`: the hold and the rollback that a person decided; None for neither.
    * `ways`: what is known of the ways of the canonical's release.
    * `stored`: how many bytes the recipe's generations take on the disk; None if this was not measured.
    """

    recipe: str
    declared: bool
    exception: str
    canonical: Canonical | None
    status: CanonicalStatus
    memory: Memory
    decisions: HoldStatus | None = None
    ways: "tuple[RecordedWay, ...]" = ()
    stored: int | None = None

    @property
    def is_held(self) -> bool:
        """Return whether the recipe is enrolled, and on hold or rolled back."""
        decisions = self.decisions
        return not self.exception and decisions is not None and bool(decisions.hold or decisions.rollback)


def with_ways(row: Recorded, lines: Sequence[LedgerLine]) -> Recorded:
    """Return `row` with `ways` set to the results in `lines` (of the ledger); `row` itself if it has no canonical."""
    from reconciler.core.known_ways import ways_of
    from reconciler.core.way_records import recorded_ways

    have = row.canonical
    if have is None:
        return row
    return evolve(row, ways=ways_of(recorded_ways(lines, row.recipe), have.version, have.commit))


def recorded(
    fleet: Fleet, records: Records, statuses: Mapping[str, CanonicalStatus], today: date, only: Collection[str] = ()
) -> tuple[Recorded, ...]:
    """Return what is recorded of all declared recipes and orphans, sorted by name.

    `statuses` has the status of each canonical, by recipe. `today` is the day in UTC, by which a hold may have ended.
    If `only` is not empty, return only the recipes that it names.
    """
    names = sorted({*fleet.recipes, *records.canonicals, *records.unreadable})
    return tuple(_recorded(name, fleet, records, statuses, today) for name in names if not only or name in only)


def _recorded(
    name: str, fleet: Fleet, records: Records, statuses: Mapping[str, CanonicalStatus], today: date
) -> Recorded:
    """Return what is recorded of the recipe `name`."""
    recipe = fleet.recipes.get(name)
    return Recorded(
        recipe=name,
        declared=recipe is not None,
        exception=(recipe.exception or "not enrolled") if recipe is not None and not recipe.enrolled else "",
        canonical=records.canonicals.get(name),
        status=statuses.get(name, _NO_STATUS),
        memory=records.memories.get(name, Memory(name)),
        decisions=recorded_decisions(records, name, today),
    )


def render_status(
    rows: Sequence[Recorded], screen: Screen, now: datetime, *, wide: bool = False, last: LastWholePass | None = None
) -> str:
    """Return a table with a line for each recipe, a line on the last pass over the whole fleet, and the summary line.

    Ages are counted back from `now`. `wide` adds columns. `last` is None to leave out the line on the last pass.
    """
    header = ["RECIPE", "HAVE", "STATE", "GENERATION", "LEVEL", "PROMOTED", "SIZE", "LINEAGE", "NOTE"]
    more = ["TRIAL", "TRIGGER", "PACKED", "STORED", "PEAK"] if wide else []
    header[-1:-1] = more
    lines = [_cells(row, now, wide=wide) for row in rows]
    closing = paint(status_line(rows), Style.STRONG, screen)
    passes = status_lines(last, screen)
    return "\n".join([*align(header, lines, screen), "", *passes, closing]) + "\n"


def status_line(rows: Sequence[Recorded]) -> str:
    """Return the summary line: how many recipes have a canonical, in which states, and how many are orphaned."""
    states = [row.status.state for row in rows if row.canonical is not None]
    counts = ", ".join(f"{states.count(state)} {state}" for state in State if state is not State.NONE)
    orphaned = sum(not row.declared for row in rows)
    have = f"{len(states)} with a canonical ({counts})"
    return f"{count_of(len(rows), 'recipe')}: {have}, {len(rows) - len(states)} without; {orphaned} orphaned"


def _cells(row: Recorded, now: datetime, *, wide: bool) -> list[Cell]:
    """Return the cells of one recipe, in the order of the columns of `reconcile status`."""
    have = row.canonical
    name = Cell(row.recipe, Style.STRONG)
    state = Cell(row.status.state, Style.PLAIN if row.status.state in {State.NONE, State.INTACT} else Style.BAD)
    note = Cell("; ".join(notes_of_recorded(row)), Style.WARN)
    if have is None:
        return [name, Cell(NOTHING), state, *[Cell(NOTHING)] * (8 if wide else 5), *_disk_cells(row, wide=wide), note]
    version = f"{have.version}@{short(have.commit)}" if wide else have.version
    facts = [str(have.generation), have.evidence.level, f"{age(have.promoted_at, now)} ago", size(have.seal.bytes)]
    more = [have.evidence.trial, have.evidence.place.trigger, size(have.seal.packed)] if wide else []
    lineage = " → ".join(have.lineage)
    return [name, Cell(version), state, *map(Cell, [*facts, lineage, *more]), *_disk_cells(row, wide=wide), note]


def _disk_cells(row: Recorded, *, wide: bool) -> list[Cell]:
    """Return two cells: what a recipe's generations take on the disk, and the most that one of its trials took.

    A cell is "-" if this was not measured. Return an empty list if the table is not `wide`.
    """
    peak = peak_of(row.memory)
    counts = (row.stored, peak.total if peak is not None else None)
    return [Cell(size(count) if count is not None else NOTHING) for count in counts] if wide else []


def notes_of_recorded(row: Recorded) -> Iterator[str]:
    """Yield notes on one recipe: what a person must decide or has decided, what is damaged or down, what is red."""
    if not row.declared:
        yield f"orphaned; if it is to go: reconcile forget {row.recipe} --reason …"
    if row.exception:
        yield f"excepted: {row.exception}"
    if row.decisions is not None:
        yield str(row.decisions)
    if row.status.reason:
        yield row.status.reason
    if row.status.last_up is not None:
        yield f"last seen up on {moment(row.status.last_up)}"
    for red in row.memory.reds.values():
        yield f"{red.version} {_red_words(red)} on {moment(red.at)}"


def _red_words(red: Red) -> str:
    from reconciler.core.step_reasons import red_words  # what a plan is made of, which other tables do not need

    return red_words(red)
