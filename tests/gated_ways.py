"""Passes and trials by hand of a recipe whose promotions depend on ways, and what they left."""

from attrs import evolve

from desired.model import TierName
from desired.releases import Signature
from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.cli.trial_command import Asked, _ready, _run
from reconciler.core.report import Report, Row
from reconciler.show.documents import command_documents
from state.records import KnownTag
from tests.ways_world import WaysWorld

GOOD = Signature(signer="ada (ABCD)")


def passed(notes: WaysWorld) -> tuple[Report, Row]:
    """Run a pass. Return its report, and the row of the recipe."""
    report = notes.world.run().report
    [row] = report.rows
    return report, row


def version(notes: WaysWorld) -> str:
    return notes.world.records().canonicals["notes"].version


def reds(notes: WaysWorld) -> list[str]:
    return list(notes.world.records().memories["notes"].reds)


def ways_in_ledger(notes: WaysWorld) -> list[tuple[str, str]]:
    lines = notes.world.host().registry.lines(kind="way")
    return [(str(line.entry.body["way"]), str(line.entry.body["answer"])) for line in lines]


def remember(notes: WaysWorld, known: dict[str, str]) -> None:
    """Let these be the tags that are remembered, each with its commit, as if a person had accepted that."""
    registry = notes.world.host().registry
    memory = notes.world.records().memories["notes"]
    tags = {tag: KnownTag(commit, notes.world.now) for tag, commit in known.items()}
    registry.remember([evolve(memory, known=tags)], [])


def by_hand(notes: WaysWorld, ref: str | None = None) -> command_documents.Tested:
    """Test a release by hand, with all tiers and the gates."""
    context = CommandContext(Options(), notes.world.fleet, notes.world.state, ("notes",))
    asked = Asked(ref, frozenset(TierName), ())
    with _ready(notes.world.host(), context, "notes", asked) as ready:
        return _run(ready, asked)


def trials(notes: WaysWorld) -> int:
    return len(notes.world.host().registry.lines(kind="trial"))
