"""A world in memory in which everything happened that the page of `reconcile report` shows, and pages made of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from attrs import evolve

from reconciler.cli.command_context import CommandContext
from reconciler.cli.options import Options
from reconciler.cli.report_command import collect
from reconciler.core.plan import Step
from reconciler.show.page.page_facts import PageFacts
from tests.rolled_back import go_back
from tests.world import Behaviour, World


def storied_world(root: Path) -> World:
    """Make ten passes: promotions, a red, a rollback, timeouts, a moved tag, damage, a lost upstream."""
    world = World.promoted(root, "calendar", "forum", "ledger", "notes", "wiki")
    world.declare("archive", enrolled=False, exception="it is being replaced")
    world.declare("empty")
    _pass(world, notes="1.1.0")
    _pass(world, notes=("1.2.0", Behaviour(breaks_lived=True)), wiki="1.2.0", forum="1.2.0")
    go_back(world, "wiki")
    _pass(world, wiki="1.3.0", calendar=("1.1.0", Behaviour(slow_in=2)), notes="1.2.1")
    _pass(world, calendar=("1.2.0", Behaviour(slow=True)))
    _pass(world)
    world.tag("forum", "1.2.0")
    _pass(world, wiki=("1.4.0", Behaviour(breaks_lived=True)), notes="1.3.0")
    world.tag("notes", "1.4.0")
    world.origins["calendar"].down = "forge.example: connection refused"
    (world.state.canonical("ledger", 1) / "manifest.json").write_bytes(b"not what was sealed")
    return world


def storied_page(root: Path) -> PageFacts:
    return facts_of(storied_world(root))


def facts_of(world: World, *names: str, ask: bool = True) -> PageFacts:
    """Collect what the page shows of a world, as the command does; without `ask`, as it does with --offline."""
    context = CommandContext(Options(), world.fleet, world.state, names or tuple(world.fleet.recipes))
    return collect(context, world.host(), ask=ask)


def _pass(world: World, **released: str | tuple[str, Behaviour]) -> None:
    """Publish these releases, and run a pass a week after the one before."""
    for name, release in released.items():
        world.tag(name, *([release] if isinstance(release, str) else release))
    world.now += timedelta(days=7)
    world.run()


def fleet_of(facts: PageFacts, copies: int) -> PageFacts:
    """Return facts with as many copies of every recipe, each with its whole history under a name of its own."""
    return renamed(facts, [{name: f"{name}-{number:03}" for name in names_in(facts)} for number in range(copies)])


def names_in(facts: PageFacts) -> tuple[str, ...]:
    return tuple(row.recipe for row in facts.report.rows)


def renamed(facts: PageFacts, names: Sequence[Mapping[str, str]]) -> PageFacts:
    """Return facts in which every recipe occurs once for each mapping in `names`, under the name that this gives it."""
    report, records = facts.report, facts.records
    rows = tuple(evolve(row, step=_step(row.step, new[row.recipe])) for new in names for row in report.rows)
    memories = {new[name]: evolve(each, recipe=new[name]) for new in names for name, each in records.memories.items()}
    return evolve(
        facts,
        report=evolve(report, rows=rows),
        explained=[
            evolve(each, recipe=new[each.recipe], step=_step(each.step, new[each.recipe]))
            for new in names
            for each in facts.explained
        ],
        events=[
            evolve(event, recipe=new.get(event.recipe, ""))
            for event in facts.events
            for new in (names if event.recipe else names[:1])
        ],
        records=evolve(records, memories=memories),
    )


def _step(step: Step, name: str) -> Step:
    return evolve(step, finding=evolve(step.finding, recipe=name))
