"""Proves that a pass would do nothing: plans twice, tries nothing, and certifies the result in the ledger."""

import hashlib
import json
from collections.abc import Mapping

from reconciler.core.basis import Basis, basis_of, moved_parts, unseen, unsettled
from reconciler.core.plan import Plan
from reconciler.core.proof import Proof
from reconciler.ports.host import Host
from reconciler.stages.observe import observe
from reconciler.stages.pending_clean_up import pending_clean_up
from reconciler.stages.planning import RunRequest, context_for, plan_for
from reconciler.stages.push import due_pushes, due_text
from reconciler.stages.ways_to_try import ways_to_try
from state.records import LedgerEntry, Records


def prove(host: Host, request: RunRequest) -> Proof:
    """Plan twice, and ask upstreams each time, the team's forge once. Return what a pass would do.

    The caller holds the pass lock. If a pass would do nothing, append an entry to the ledger that certifies this.
    """
    records = host.registry.read()
    first, basis = _plan(host, request, records)
    again, basis_again = _plan(host, request, host.registry.read())
    left, pushes = pending_clean_up(host, request, records), due_pushes(host, request.names)
    proof = Proof(
        digest=_digest(basis_again),
        recipes=sum(recipe.enrolled for name, recipe in request.fleet.recipes.items() if name in request.names),
        unsettled={**{name: due_text(each) for name, each in pushes.items() if each.refs}, **first[0], **again[0]},
        unseen={**{name: each.unknown for name, each in pushes.items() if each.unknown}, **first[1], **again[1]},
        moved=moved_parts(basis, basis_again),
        left=left.texts,
        unknown=left.unknown,
    )
    if proof.exit_code == 0:
        host.registry.append([_certificate(host, request, proof)])
    return proof


def _plan(
    host: Host, request: RunRequest, records: Records
) -> tuple[tuple[Mapping[str, str], Mapping[str, str]], Basis]:
    """Observe and plan once. Return three values, the first two as a pair.

    * a text for each recipe for which a pass would do something, by recipe.
    * the reason for each recipe for which it is not known what a pass would do, by recipe.
    * the digests of everything on which the plan depends.
    """
    observed = observe(host, request.fleet, request.names, records)
    plan: Plan = plan_for(host, request, observed)
    basis = basis_of(plan, observed.observations, context_for(host, request), request.fleet)
    due, unknown = ways_to_try(host, observed.observations, records, ())
    ways = {each.recipe.name: f"its ways would be tried: {', '.join(each.ways)}" for each in due}
    hidden = {**unknown, **unseen(plan, observed.observations)}
    return ({**ways, **unsettled(plan, observed.observations)}, hidden), basis


def _certificate(host: Host, request: RunRequest, proof: Proof) -> LedgerEntry:
    whole = set(request.names) == set(request.fleet.recipes)
    body = {
        "pass": host.pass_id,
        "trigger": host.place.trigger,
        "place": host.place.digest,
        "canon": host.canon,
        "fleet": host.fleet,
        "plan": proof.digest,
        "recipes": proof.recipes,
        "selected": None if whole else sorted(request.names),
        "said": f"a pass would do nothing: {proof.recipes} enrolled, planned twice",
    }
    return LedgerEntry(host.clock.now(), "proved", "", body)


def _digest(basis: Basis) -> str:
    return "sha256:" + hashlib.sha256(json.dumps(basis, sort_keys=True).encode()).hexdigest()
