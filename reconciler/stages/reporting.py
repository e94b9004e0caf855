"""Makes the parts of a report of a pass or a dry run: its rows, the run, the expected recipes, notes on records."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from reconciler.core.expected_recipes import ExpectedRecipes
from reconciler.core.gate import Condition, gate, unheld
from reconciler.core.outcome import Outcome
from reconciler.core.plan import Step
from reconciler.core.report import Row, Run
from reconciler.core.ways import WayResult
from reconciler.ports.host import Host
from reconciler.ports.repositories import PushResult
from reconciler.stages.observe import Observations, unreadable_record_message
from reconciler.stages.planning import RunRequest
from reconciler.stages.push import push_state
from state.records import Records


@frozen
class PassResults:
    """What a pass did.

    * `outcomes`: the outcomes of the steps that were carried out, by recipe.
    * `ways`: the results of the ways of canonicals, by recipe.
    * `pushed`: what came of each push to the forge, by recipe.
    * `before`: the records from before the pass.
    """

    outcomes: Mapping[str, Outcome]
    ways: Mapping[str, Sequence[WayResult]]
    pushed: Mapping[str, PushResult]
    before: Records


def pass_row(host: Host, request: RunRequest, step: Step, results: PassResults) -> Row:
    """Return the row of a recipe in the report of a pass. `step` is what is still to be done after the pass."""
    name, outcome = step.recipe, results.outcomes.get(step.recipe)
    return Row(
        step,
        gate_of(host, request, step, outcome),
        outcome,
        results.before.canonicals.get(name),
        push=push_state(results.pushed.get(name)),
        ways=(*gating_results(outcome), *results.ways.get(name, ())),
    )


def gating_results(outcome: Outcome | None) -> Sequence[WayResult]:
    """Return the results of the ways on which the promotion in `outcome` depended; () if there were none."""
    trial = outcome.attempt.trial if outcome is not None else None
    return trial.ways.results if trial is not None else ()


def gate_of(host: Host, request: RunRequest, step: Step, outcome: Outcome | None) -> tuple[Condition, ...]:
    """Return the conditions of the gate: those in `outcome`; if it has none, as before a trial. () for an orphan."""
    if outcome is not None and outcome.attempt.gate:
        return outcome.attempt.gate
    recipe = request.fleet.recipes.get(step.recipe)
    hold = step.hold.hold if step.hold is not None else None
    return (*gate(request.fleet, recipe, None, None, host.place), *unheld(hold)) if recipe is not None else ()


def run_of(host: Host, request: RunRequest, started_at: datetime) -> Run:
    return Run(request.command, host.pass_id, started_at, host.clock.now(), host.place, host.canon, host.fleet)


def expected_recipes(request: RunRequest, records: Records, observed: Observations) -> ExpectedRecipes:
    """Return the recipes that the report must contain. Orphans are among them only if the whole fleet is selected."""
    declared = request.fleet.recipes
    selected = {name: declared[name].enrolled for name in request.names}
    orphans = records.canonicals.keys() - declared.keys() if selected.keys() == declared.keys() else ()
    return ExpectedRecipes(len(declared), selected, len(observed.observations), orphans)


def unreadable_notes(records: Records, declared: Collection[str]) -> tuple[str, ...]:
    """Return a note for each unreadable record of a recipe that is not declared, since such a recipe has no row."""
    return tuple(
        f"{name}: {unreadable_record_message(name, records)}" for name in records.unreadable if name not in declared
    )
