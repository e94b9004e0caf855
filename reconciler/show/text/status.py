"""The text of `reconcile status`: a table of all canonicals, or a card of one with its evidence."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Final

from attrs import evolve, frozen

from desired.model import Fleet
from reconciler.core.holds import HoldStatus, ended_text, hold_text, recorded_decisions, rollback_text
from reconciler.core.last_pass import LastWholePass
from reconciler.core.observation import CanonicalStatus, State
from reconciler.core.peaks import peak_of
from reconciler.show.quantities import age, count_of, duration, moment, short, size
from reconciler.show.text.pass_age import status_lines
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint
from state.ledger_line import LedgerLine
from state.records import Canonical, Evidence, Memory, Place, Records, Red, TierRecord

if TYPE_CHECKING:  # the table of all recipes shows no ways
    from reconciler.core.ways import RecordedWay

_NO_STATUS: Final = CanonicalStatus(State.NONE)


@frozen
class Recorded:
    """What is recorded of one recipe, as `reconcile status` shows it.

    * `declared`: False for an orphan. `canonical`: None if none is recorded.
    * `exception`: why the recipe is not enrolled; "" if it is enrolled.
    * `status`: whether the canonical is intact, damaged, down or unknown, and why.
    * `memory`: what is remembered of the recipe, such as its reds.
    * `decisions`: the hold and the rollback that a person decided; None for neither.
    * `ways`: the newest result of each way of the canonical's release.
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
    from reconciler.core.way_records import recorded_ways
    from reconciler.core.ways import ways_of

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


# ---- one recipe ----


def render_card(row: Recorded, screen: Screen, now: datetime, last: LastWholePass | None = None) -> str:
    """Return the text of `reconcile status` on one recipe: everything that is recorded of it, one fact a line.

    Ages are counted back from `now`. `last` is the last pass over the whole fleet; None to leave it out.
    """
    from reconciler.show.text.ways import recorded_way_rows

    facts = [
        *_canonical_facts(row, now),
        *(_evidence_facts(row.recipe, row.canonical.evidence) if row.canonical else ()),
    ]
    facts += [("red", _red_text(row.recipe, red)) for red in row.memory.reds.values()]
    ways = [fact for each in row.ways for fact in recorded_way_rows(each)]
    facts += [(label if label.startswith(" ") else f"way: {label}", text) for label, text, _ in ways]
    passes = status_lines(last, screen)
    title = f"{row.recipe}  {row.canonical.version if row.canonical else 'no canonical'}"
    dangers = {text for _, text, style in ways if style is Style.BAD}
    lines = [
        [Cell(label, Style.FAINT), Cell(text, Style.BAD if text in dangers else Style.PLAIN)] for label, text in facts
    ]
    card = [paint(title, Style.STRONG, screen), *align(["", ""], lines, screen)[1:]]
    return "\n".join([*card, *(["", *passes] if passes else [])]) + "\n"


def _canonical_facts(row: Recorded, now: datetime) -> Iterator[tuple[str, str]]:
    """Yield each fact about a recipe's state and about its canonical, as a label and a text."""
    from reconciler.show.labels import STATES

    reason = f"; {row.status.reason}" if row.status.reason else ""
    yield "state", f"{row.status.state}: {STATES[row.status.state]}{reason}"
    if row.status.last_up is not None:
        yield "last up", f"{moment(row.status.last_up)}, {age(row.status.last_up, now)} ago"
    if not row.declared:
        yield "declared", f"no longer; if it is to go: reconcile forget {row.recipe} --reason …"
    if row.exception:
        yield "excepted", row.exception
    if row.decisions is not None:
        yield from _decision_facts(row.decisions)
    have = row.canonical
    if have is None:
        return
    yield "commit", have.commit
    copied = f", a copy of generation {have.copy_of}" if have.copy_of is not None else ""
    yield "generation", f"{have.generation}{copied}"
    yield "lineage", " → ".join(have.lineage)
    yield "promoted", f"{moment(have.promoted_at)}, {age(have.promoted_at, now)} ago"
    seal = have.seal
    yield "data", f"{size(seal.bytes)}, {size(seal.packed)} packed, {seal.entries} files and folders"
    yield "manifest", seal.manifest


def _decision_facts(decisions: HoldStatus) -> Iterator[tuple[str, str]]:
    """Yield each decision of a person about a recipe (hold, ended hold, rollback), as a label and a text."""
    if decisions.hold is not None:
        yield "held", hold_text(decisions.hold)
    if decisions.ended is not None:
        yield "was held", f"{ended_text(decisions.ended)}; the next pass tries its releases again"
    if decisions.rollback is not None:
        yield "rolled back", rollback_text(decisions.rollback)


def _evidence_facts(recipe: str, evidence: Evidence) -> Iterator[tuple[str, str]]:
    """Yield each fact about the trial that proved a canonical, as a label and a text."""
    yield "", ""
    took = (evidence.finished_at - evidence.started_at).total_seconds()
    yield "trial", f"{evidence.trial}, level {evidence.level}, {duration(took)}, in pass {evidence.pass_id}"
    yield "base", f"{evidence.base.version or 'none'}: {evidence.base.why}"
    yield from ((tier.name, _tier_text(tier)) for tier in evidence.tiers)
    yield from (("finding", finding) for finding in evidence.findings)
    yield from _place_facts(evidence.place)
    yield "tests", evidence.tests
    yield "canon", evidence.canon
    yield "fleet", evidence.fleet
    yield "log", f"{evidence.log} (reconcile logs {recipe} {evidence.trial})"


def _place_facts(place: Place) -> Iterator[tuple[str, str]]:
    """Yield each fact about the place where a trial ran, as a label and a text."""
    yield "", ""
    yield "trigger", place.trigger
    yield "place", f"{place.unit or 'no unit'}, user {place.user}, {place.digest}"
    yield "PATH", place.path
    yield "variables", ", ".join(place.variables) or "none"
    tools = ", ".join(f"{tool} {version or 'absent'}" for tool, version in place.tools.items())
    yield "tools", f"{tools or 'none required'}; {place.versions_digest}"


def _tier_text(tier: TierRecord) -> str:
    reason = f": {tier.reason}" if tier.reason else ""
    return f"{tier.verdict}, {duration(tier.seconds)}{reason}"


def _red_text(recipe: str, red: Red) -> str:
    """Return a line on a red release: version, commit, time, reason, and the command that shows its logs."""
    where = f"{red.version} ({short(red.circumstances.commit)}) on {moment(red.at)}"
    return f"{where}: {red.reason} (reconcile logs {recipe} {red.trial})"
