"""Makes an older generation the canonical again: proves that it deploys, copies its snapshot, and commits.

The copy gets a number of its own, so that each number stands for one snapshot forever. An interrupted rollback is
undone like a promotion: what was not recorded is deleted.
"""

from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen

from desired.model import Fleet
from desired.releases import Release
from reconciler.core.holds import newest_left
from reconciler.core.observation import State
from reconciler.deploy.app_set import AppSet, snapshot_app_set
from reconciler.errors import CanonError, InfrastructureError
from reconciler.ports.host import Host
from reconciler.promotion.generations import snapshot_status, stored_generations
from reconciler.promotion.intents import HOST_FAULTS, intent_entry, new_intent, undo, undone_if_interrupted
from reconciler.promotion.rollback_target import StoredGenerations
from reconciler.promotion.snapshot_check import check_again_if_late, check_snapshot
from state.decisions import Rollback
from state.folder.logs import trial_id
from state.records import Canonical, Intent, Memory, Records
from state.registry.rows import record_digest


@frozen
class RollbackRequest:
    """A rollback to carry out.

    * `have`: the present canonical.
    * `target`: the older generation to which the record goes back.
    * `who`: the person who decided the rollback.
    * `reason`: why that person decided it.
    * `folder`: the recipe's locked working folder.
    """

    fleet: Fleet
    have: Canonical
    target: Canonical
    who: str
    reason: str
    folder: Path


def stored_of(host: Host, name: str, records: Records) -> StoredGenerations:
    """Return the stored generations of the recipe `name`, which has a canonical, with each snapshot's status."""
    memory = records.memories.get(name, Memory(name))
    stored = stored_generations(host, name)
    statuses = {each.generation: snapshot_status(host.snapshots, host.state, each, memory) for each in stored}
    return StoredGenerations(stored, statuses)


def roll_back(host: Host, request: RollbackRequest) -> Canonical:
    """Make the generation `request.target` the canonical again. Return the new canonical as it was recorded.

    Upstream is not asked. Raise RecipeError if the target cannot be deployed, or fails the recipe's present data.check.
    Raise one of HOST_FAULTS if this host is to blame. After these errors, the canonical is unchanged. Raise
    InfrastructureError if the new canonical was recorded, but cannot be found afterwards or is damaged.
    """
    target = request.target
    intent = new_intent(host, target.recipe, Release(target.version, target.commit), copy_of=target.generation)
    try:
        with undone_if_interrupted(host, intent):
            _carry_out(host, request, intent)
    except (CanonError, *HOST_FAULTS) as failed:
        undo(host, intent, str(failed))
        raise
    return _read_back(host, intent)


def _carry_out(host: Host, request: RollbackRequest, intent: Intent) -> None:
    """Record the intent, deploy the target, copy its snapshot, and record the copy as the canonical.

    Raise RecipeError if the recipe is to blame for a failure, one of HOST_FAULTS if this host is. After an error, the
    caller must undo the intent.
    """
    host.registry.begin(intent, [intent_entry(host, "intent", intent, {})])
    _check_target(host, request)
    copy = request.folder / "copy"
    seal = host.snapshots.copy(_folder(host, request.target), copy, request.target.seal)
    now, number = host.clock.now(), intent.generation
    canonical = evolve(request.target, generation=number, promoted_at=now, seal=seal, copy_of=intent.copy_of)
    canonical = evolve(canonical, seal=host.snapshots.move(copy, _folder(host, canonical), seal))
    decision = _decision(host, request)
    body = {**_body(request, decision), "record": record_digest(canonical)}
    entry = intent_entry(host, "rolled-back", intent, body)
    host.registry.roll_back(canonical, intent, decision, [entry])


def _folder(host: Host, canonical: Canonical) -> Path:
    return host.state.canonical(canonical.recipe, canonical.generation)


def _check_target(host: Host, request: RollbackRequest) -> None:
    """Deploy the target from its snapshot in a new slot, to prove that it can be deployed, and remove the slot.

    If that takes too long, do it once more. If the recipe is to blame for a failure, raise RecipeError. If this host is
    to blame, raise InfrastructureError.
    """
    target, recipes = request.target, request.fleet.recipes
    host.progress.step(target.recipe, f"{target.version}: checking that generation {target.generation} comes up")
    canonicals = host.registry.read().canonicals
    log = host.state.trial_log(target.recipe, trial_id(host.clock.now())) / "promote.log"

    def unpack(into: Path) -> AppSet:
        return snapshot_app_set(host, target, recipes, into, canonicals)

    def check() -> None:
        check_snapshot(host, recipes[target.recipe], request.folder, log, unpack)

    check_again_if_late(host, target.recipe, check, lambda remark: host.progress.done(target.recipe, remark))


def _decision(host: Host, request: RollbackRequest) -> Rollback:
    """Return the record of the rollback: who decided it, why, when, and between which releases. Record nothing.

    `left` in the returned record is the newest release that was given up, by this rollback or by an earlier one.
    """
    name, now = request.have.recipe, host.clock.now()
    given_up = request.have.version
    left = newest_left(host.registry.read().rollbacks.get(name), given_up)
    return Rollback(name, request.reason, request.who, now, request.target.version, left, given_up)


def _body(request: RollbackRequest, decision: Rollback) -> Mapping[str, object]:
    """Return the fields of the rollback's entry in the ledger that do not come from the intent.

    `decision` is the record of the rollback.
    """
    return {
        "who": request.who,
        "reason": request.reason,
        "from": request.have.generation,
        "from_version": decision.from_version,
        "left": decision.left,
        "lineage": list(request.target.lineage),
    }


def _read_back(host: Host, intent: Intent) -> Canonical:
    """Return the recipe's canonical as it is recorded now.

    Raise InfrastructureError if it is not the generation that the intent names, or if its snapshot is not intact.
    """
    records, name = host.registry.read(), intent.recipe
    have = records.canonicals.get(name)
    if have is None or (have.generation, have.commit) != (intent.generation, intent.commit):
        raise InfrastructureError(f"{name}: the registry, read again, does not have the rollback")
    status = snapshot_status(host.snapshots, host.state, have, records.memories.get(name, Memory(name)))
    if status.state is not State.INTACT:
        raise InfrastructureError(f"{name}: rolled back, but its snapshot is {status.state}: {status.reason}")
    return have
