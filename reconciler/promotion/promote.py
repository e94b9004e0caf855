"""Makes a tested candidate the canonical: record an intent, deploy it once more, commit in one transaction."""

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from desired.model import Fleet, Recipe, Unobservable
from reconciler.core.gate import Condition, ConditionStatus, gate, refusals
from reconciler.core.outcome import Attempt
from reconciler.core.tier_results import Candidate, Trial
from reconciler.deploy.app_health import check_up
from reconciler.deploy.app_set import AppSet, app_set_digest, app_set_from_snapshot
from reconciler.deploy.deploying import deploy_app_set
from reconciler.deploy.recipe_commands import run_command
from reconciler.deploy.slot_lifetime import close_slot, open_slot
from reconciler.errors import InfrastructureError, InterruptedPassError, RecipeError
from reconciler.ports.host import Host
from reconciler.ports.repositories import TagQuery, Unchanged
from reconciler.promotion.evidence import evidence_of
from state.records import Answer, Canonical, Intent, LedgerEntry, Seal
from state.snapshots.snapshots import generations_present
from state.state_errors import StateError

HOST_FAULTS = (InfrastructureError, StateError, sqlite3.Error, OSError)


@frozen
class Promotion:
    """A promotion to carry out.

    `app_set` is the trial's. `answer` is upstream's answer before the trial. `files` is the digest of the fleet folders
    with which the release was tested. `folder` is the recipe's locked working folder.
    """

    fleet: Fleet
    recipe: Recipe
    trial: Trial
    app_set: AppSet
    answer: Answer
    files: str
    folder: Path


class _RefusedError(Exception):
    """A condition of the gate is not met after upstream was asked again."""

    def __init__(self, conditions: tuple[Condition, ...]) -> None:
        super().__init__("refused")
        self.conditions = conditions


def promote(host: Host, promotion: Promotion) -> Attempt:
    """Promote the candidate if the gate allows it. The caller must read back whether it was recorded."""
    trial = promotion.trial
    conditions = gate(promotion.fleet, promotion.recipe, trial, None, host.place)
    against = tuple(each for each in refusals(conditions) if each.status is ConditionStatus.FAIL)
    if against or trial.candidate is None:
        return Attempt(trial, conditions, against)
    intent = _intent(host, trial)
    try:
        return _carry_out(host, promotion, trial.candidate, intent)
    except InterruptedPassError as stop:
        # If this fails, the signal is still raised: the next pass finds the intent and closes it.
        with suppress(Exception):
            _undo(host, intent, stop.message)
        raise
    except _RefusedError as refused:
        _undo(host, intent, "refused by the gate")
        return Attempt(trial, refused.conditions, refusals(refused.conditions))
    except RecipeError as broken:
        _undo(host, intent, broken.message)
        return Attempt(trial, conditions, promotion_error=f"the candidate does not rise: {broken.message}")
    except HOST_FAULTS as broken:
        _undo(host, intent, str(broken))
        return Attempt(trial, conditions, promotion_error=str(broken), host_fault=True)


def _intent(host: Host, trial: Trial) -> Intent:
    generation = next_generation(host, trial.recipe)
    op = f"{host.pass_id}:{trial.recipe}:{trial.release.version}"
    return Intent(op, trial.recipe, trial.release.version, trial.release.commit, generation, host.clock.now())


def next_generation(host: Host, recipe: str) -> int:
    """Return a number higher than every generation that was ever recorded or is in the folder."""
    recorded = host.registry.read().generations.get(recipe, 0)
    return max([*generations_present(host.state.generations(recipe)), recorded]) + 1


def _carry_out(host: Host, promotion: Promotion, candidate: Candidate, intent: Intent) -> Attempt:
    host.progress.step(intent.recipe, f"{intent.version}: promoting")
    host.registry.begin(intent, [_entry(host, "intent", intent, {})])
    _check_that_it_deploys(host, promotion, candidate)
    asked_again = ask_again(host, promotion.recipe, promotion.answer)
    conditions = gate(promotion.fleet, promotion.recipe, promotion.trial, asked_again, host.place)
    if refusals(conditions):
        raise _RefusedError(conditions)
    seal = _move_in(host, candidate, intent)
    canonical = _canonical(host, promotion.trial, candidate, intent, seal)
    host.registry.commit(canonical, intent, [_entry(host, "promoted", intent, {"lineage": list(candidate.lineage)})])
    return Attempt(promotion.trial, conditions)


def _check_that_it_deploys(host: Host, promotion: Promotion, candidate: Candidate) -> None:
    """Deploy the candidate in a new slot, check its data, and remove the slot. Raises if any of that fails."""
    log = host.state.trial_log(promotion.recipe.name, promotion.trial.id) / "promote.log"
    with open_slot(host, promotion.folder, "raised", log) as slot:
        app_set = app_set_from_snapshot(
            host, candidate.folder, candidate.seal, promotion.app_set, slot.folder / "source"
        )
        deploy_app_set(slot, app_set)
        if promotion.recipe.data.check is not None:
            run_command(slot, slot.apps[promotion.recipe.name], promotion.recipe.data.check, "data.check")
        check_up(slot)
        closing = close_slot(slot)
    if closing.remaining:
        raise InfrastructureError(f"the slot of the raised candidate would not go: {closing.remaining[0]}")
    if closing.altered:
        raise RecipeError(f"raised from it, {closing.altered[0]} of the checkout was changed")
    if app_set_digest(promotion.app_set) != promotion.files:
        raise InfrastructureError(
            "the fleet's files were changed while it was promoted", "the next pass tries it again"
        )


def ask_again(host: Host, recipe: Recipe, before: Answer) -> Answer | Unobservable:
    """Return what upstream answers now; `before` if nothing has changed."""
    reply = host.upstream.ask([TagQuery(recipe, before.digest)]).get(recipe.name)
    if reply is None:
        return Unobservable("no answer")
    return before if isinstance(reply, Unchanged) else reply


def _move_in(host: Host, candidate: Candidate, intent: Intent) -> Seal:
    """Move the candidate to its generation's folder, and check that it is there before anything is recorded."""
    folder = host.state.canonical(intent.recipe, intent.generation)
    seal = host.snapshots.move(candidate.folder, folder, candidate.seal)
    damaged = host.snapshots.find_damage(folder, seal)
    if damaged is not None or seal.manifest != candidate.seal.manifest:
        reason = damaged.reason if damaged is not None else "it is another snapshot"
        raise InfrastructureError(f"the candidate did not arrive in {folder.name}: {reason}")
    return seal


def _canonical(host: Host, trial: Trial, candidate: Candidate, intent: Intent, seal: Seal) -> Canonical:
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


def _undo(host: Host, intent: Intent, why: str) -> None:
    """Close an intent; if that fails, the next pass does it."""
    try:
        close_intent(host, intent, why)
    except HOST_FAULTS as failed:
        host.progress.done(intent.recipe, f"going back is left to the next pass: {failed}")


def close_intent(host: Host, intent: Intent, why: str) -> None:
    """Close the intent of a promotion that was not recorded: delete its snapshot, and add a ledger entry."""
    delete_unrecorded(host, intent)
    abandon(host, intent, why)


def delete_unrecorded(host: Host, intent: Intent) -> None:
    """Delete the snapshot that was moved in for an open intent, unless it is recorded."""
    have = host.registry.read().canonicals.get(intent.recipe)
    if have is None or have.generation != intent.generation:
        host.snapshots.delete(host.state.canonical(intent.recipe, intent.generation))


def abandon(host: Host, intent: Intent, why: str) -> None:
    """Close an intent, with the reason in the ledger. Its snapshot stays."""
    host.registry.abandon(intent, [_entry(host, "abandoned", intent, {"why": why})])


def _entry(host: Host, kind: str, intent: Intent, more: Mapping[str, object]) -> LedgerEntry:
    body = {"op": intent.op, "version": intent.version, "commit": intent.commit, "generation": intent.generation}
    return LedgerEntry(host.clock.now(), kind, intent.recipe, {**body, **more})
