"""The text of `reconcile status` on one recipe: a card of its canonical, with the evidence for it."""

from collections.abc import Iterator
from datetime import datetime

from reconciler.core.holds import HoldStatus, ended_text, hold_text, rollback_text
from reconciler.core.last_pass import LastWholePass
from reconciler.core.sizes import size
from reconciler.show.quantities import age, duration, moment, short
from reconciler.show.text.pass_age import status_lines
from reconciler.show.text.screen import Cell, Screen, Style, align, paint
from reconciler.show.text.status import Recorded
from state.records import Evidence, Place, Red, TierRecord


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
