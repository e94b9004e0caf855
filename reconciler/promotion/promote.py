"""Makes a tested candidate the canonical: records an intent, deploys the candidate again, and commits."""

from pathlib import Path

from attrs import evolve, frozen

from desired.model import Fleet, Recipe
from desired.releases import Unobservable
from reconciler.core.gate import Condition, early_refusals, gate, refusals, unheld
from reconciler.core.outcome import Attempt
from reconciler.core.tier_results import Candidate, Trial
from reconciler.deploy.app_set import AppSet, app_set_digest, app_set_from_snapshot
from reconciler.errors import InfrastructureError, RecipeError
from reconciler.ports.host import Host
from reconciler.ports.repositories import TagQuery, Unchanged
from reconciler.promotion.evidence import attestation, evidence_of
from reconciler.promotion.intents import HOST_FAULTS, intent_entry, new_intent, undo, undone_if_interrupted
from reconciler.promotion.snapshot_check import check_again_if_late, check_snapshot
from state.records import Answer, Canonical, Intent, Seal
from state.registry.rows import record_digest
from state.state_errors import OnHoldError


@frozen
class Promotion:
    """A promotion to carry out.

    * `app_set`: the app set of the trial.
    * `answer`: what upstream answered before the trial.
    * `files`: the digest of the fleet folders with which the release was tested.
    * `folder`: the recipe's locked working folder.
    * `has_company`: True if other trials can be running at the same time. Then nothing is tried twice here: the pass
      repeats the whole step later, alone.
    """

    fleet: Fleet
    recipe: Recipe
    trial: Trial
    app_set: AppSet
    answer: Answer
    files: str
    folder: Path
    has_company: bool = False


class _RefusedError(Exception):
    """The gate refuses a promotion after the candidate was deployed once more and upstream was asked again.

    `conditions` are all conditions of the gate, also those that are met.
    """

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        super().__init__("refused")
        self.conditions = conditions


def promote(host: Host, promotion: Promotion) -> Attempt:
    """Promote the candidate of a trial if the gate allows it. Return the attempt, with the conditions of the gate.

    The returned trial has a remark more if the candidate had to be deployed twice, because the first try took too long.
    Errors of the recipe and of this host are not raised: they are in the returned value. The caller must read from the
    registry whether the canonical was recorded.
    """
    trial = promotion.trial
    conditions = gate(promotion.fleet, promotion.recipe, trial, None, host.place)
    failed = early_refusals(conditions)
    if failed or trial.candidate is None:
        return Attempt(trial, conditions, failed)
    remarks: list[str] = []
    attempt = _promote(host, promotion, trial.candidate, conditions, remarks)
    return evolve(attempt, trial=_with_remarks(trial, remarks))


def _promote(
    host: Host, promotion: Promotion, candidate: Candidate, conditions: tuple[Condition, ...], remarks: list[str]
) -> Attempt:
    """Promote the candidate, or undo what was begun. Return the attempt. Errors become part of it.

    `conditions` are those of the gate so far. Remarks on the deployment of the candidate are added to `remarks`.
    """
    trial = promotion.trial
    intent = new_intent(host, trial.recipe, trial.release)
    try:
        with undone_if_interrupted(host, intent):
            return _carry_out(host, promotion, candidate, intent, remarks)
    except _RefusedError as refused:
        undo(host, intent, "refused by the gate")
        return Attempt(trial, refused.conditions, refusals(refused.conditions))
    except OnHoldError as held:
        undo(host, intent, held.message)
        conditions += unheld(host.registry.read().holds.get(trial.recipe))
        return Attempt(trial, conditions, refusals(conditions))
    except RecipeError as broken:
        undo(host, intent, broken.message)
        return Attempt(trial, conditions, promotion_error=f"the candidate does not come up: {broken.message}")
    except HOST_FAULTS as broken:
        undo(host, intent, str(broken))
        return Attempt(trial, conditions, promotion_error=str(broken), host_fault=True)


def _with_remarks(trial: Trial, remarks: list[str]) -> Trial:
    return evolve(trial, findings=(*trial.findings, *remarks))


def _carry_out(host: Host, promotion: Promotion, candidate: Candidate, intent: Intent, remarks: list[str]) -> Attempt:
    """Record the intent, deploy the candidate again, ask upstream again, and record the new canonical.

    Return the attempt, with the conditions of the gate. Remarks on the deployment are added to `remarks`, and recorded
    with the canonical. Raise _RefusedError if the gate refuses. Raise OnHoldError if the recipe was put on hold
    meanwhile. Raise RecipeError if the recipe is to blame for a failure, one of HOST_FAULTS if this host is. After an
    error, the caller must undo the intent.
    """
    host.progress.step(intent.recipe, f"{intent.version}: promoting")
    host.registry.begin(intent, [intent_entry(host, "intent", intent, {})])
    _check_candidate(host, promotion, candidate, remarks)
    asked_again = ask_again(host, promotion.recipe, promotion.answer)
    conditions = gate(promotion.fleet, promotion.recipe, promotion.trial, asked_again, host.place)
    if refusals(conditions):
        raise _RefusedError(conditions)
    seal = _move_in(host, candidate, intent)
    canonical = _canonical(host, _with_remarks(promotion.trial, remarks), candidate, intent, seal)
    # With the digest of the record, the ledger's hashes cover the record too.
    more = {"lineage": list(candidate.lineage), "record": record_digest(canonical)}
    entries = [intent_entry(host, "promoted", intent, more), *attestation(host, canonical, promotion.recipe.upstream)]
    host.registry.commit(canonical, intent, entries)
    return Attempt(promotion.trial, conditions)


def _check_candidate(host: Host, promotion: Promotion, candidate: Candidate, remarks: list[str]) -> None:
    """Deploy the candidate from its snapshot in a new slot, to prove that it can be deployed, and remove the slot.

    If that takes too long, do it once more, and add a remark on that to `remarks`. With other trials beside it, do it
    only once.

    If the recipe is to blame for a failure, raise RecipeError. If this host is to blame, or if the fleet's files have
    changed since the trial, raise InfrastructureError.
    """
    recipe, app_set = promotion.recipe, promotion.app_set
    log = host.state.trial_log(recipe.name, promotion.trial.id) / "promote.log"

    def unpack(into: Path) -> AppSet:
        return app_set_from_snapshot(host, candidate.folder, candidate.seal, app_set, into)

    def check() -> None:
        check_snapshot(host, recipe, promotion.folder, log, unpack)

    if promotion.has_company:
        check()
    else:
        check_again_if_late(host, recipe.name, check, remarks.append)
    if app_set_digest(app_set) != promotion.files:
        raise InfrastructureError("the fleet's files changed during its promotion", "the next pass tries it again")


def ask_again(host: Host, recipe: Recipe, last: Answer) -> Answer | Unobservable:
    """Ask upstream for the tags of the recipe again. Return the answer.

    `last` is the earlier answer, which is returned if nothing has changed. Return Unobservable, with the reason, if
    upstream cannot be asked.
    """
    reply = host.upstream.ask([TagQuery(recipe, last.digest)]).get(recipe.name)
    if reply is None:
        return Unobservable("no answer")
    return last if isinstance(reply, Unchanged) else reply


def _move_in(host: Host, candidate: Candidate, intent: Intent) -> Seal:
    """Move the snapshot of the candidate to the folder of its new generation. Return the seal of the moved snapshot.

    The returned seal is the candidate's, but with the times that the snapshot's files have after the move.
    Raise InfrastructureError if the snapshot is not intact after the move.
    """
    folder = host.state.canonical(intent.recipe, intent.generation)
    seal = host.snapshots.move(candidate.folder, folder, candidate.seal)
    damaged = host.snapshots.find_damage(folder, seal)
    if damaged is not None or seal.manifest != candidate.seal.manifest:
        reason = damaged.reason if damaged is not None else "it is another snapshot"
        raise InfrastructureError(f"the candidate is not intact after its move to {folder.name}: {reason}")
    return seal


def _canonical(host: Host, trial: Trial, candidate: Candidate, intent: Intent, seal: Seal) -> Canonical:
    """Return the canonical to record: the tested release, promoted now, with the generation that the intent names.

    `candidate` has the lineage. `seal` is the seal of the snapshot in the folder of its generation.
    """
    return Canonical(
        recipe=trial.recipe,
        version=trial.release.version,
        commit=trial.release.commit,
        generation=intent.generation,
        lineage=candidate.lineage,
        promoted_at=host.clock.now(),
        evidence=evidence_of(host, trial),
        seal=seal,
    )
