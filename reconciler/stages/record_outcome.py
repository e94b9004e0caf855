"""Records what came of a trial, and deletes old snapshots and logs of its recipe."""

from collections.abc import Iterator

from attrs import evolve

from reconciler.core.observation import Observation
from reconciler.core.outcome import Outcome, Result
from reconciler.core.tier_results import Trial
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from reconciler.promotion.evidence import remembered, trial_entry
from reconciler.promotion.generations import prune, stored_generations
from state.folder.logs import prune_logs
from state.records import Memory

KEPT_LOGS = 20


def record_outcome(host: Host, observation: Observation, outcome: Outcome, trial: Trial) -> Outcome:
    """Record the verdict of a trial in the registry and the ledger. Then delete old snapshots and logs of the recipe.

    Return the outcome, with a remark for each part that failed.
    """
    memory = remembered(host, observation.memory, outcome)
    try:
        host.registry.remember([memory], [trial_entry(host, trial, outcome.result)])
    except Exception as failed:  # noqa: BLE001  the failure is reported and the pass goes on
        outcome = _unrecorded(outcome, reason_of(failed))
    keep = observation.recipe.canonical.generations
    outcome = evolve(outcome, remarks=(*outcome.remarks, *_prune(host, outcome, keep, memory, trial.id)))
    host.progress.done(outcome.step.recipe, f"{outcome.result}: {outcome.reason}")
    return outcome


def _unrecorded(outcome: Outcome, why: str) -> Outcome:
    """Return the outcome of a step whose trial could not be recorded, with the reason `why`.

    If the step promoted the release or repaired the canonical, the result stays. Otherwise it becomes INFRASTRUCTURE.
    """
    message = f"the trial could not be recorded: {why}"
    if outcome.result in {Result.PROMOTED, Result.REPAIRED}:
        return evolve(outcome, remarks=(*outcome.remarks, message))
    reason = f"{message}; it was {outcome.result}: {outcome.reason}"
    return evolve(outcome, result=Result.INFRASTRUCTURE, reason=reason)


def _prune(host: Host, outcome: Outcome, keep: int, memory: Memory, trial: str) -> Iterator[str]:
    """Delete old snapshots and logs of the recipe. Yield why something cannot be deleted; the next pass tries again.

    * `keep`: how many intact generations stay. Damaged generations do not count.
    * `memory`: what passes remember of the recipe, such as which generations are damaged.
    * `trial`: the id of the trial whose log stays in any case.
    """
    name = outcome.step.recipe
    try:
        if outcome.result in {Result.PROMOTED, Result.REPAIRED} and outcome.have is not None:
            tuple(prune(host, name, keep, memory))
    except Exception as failed:  # noqa: BLE001  the failure is reported and the pass goes on
        yield f"its older snapshots cannot be removed now: {reason_of(failed)}"
    try:
        # The evidence of each stored generation names its log.
        stored = [each.evidence.trial for each in stored_generations(host, name)]
        prune_logs(host.state.trial_logs(name), KEPT_LOGS, (trial, *stored))
    except Exception as failed:  # noqa: BLE001  the failure is reported and the pass goes on
        yield f"its older logs cannot be removed now: {reason_of(failed)}"
