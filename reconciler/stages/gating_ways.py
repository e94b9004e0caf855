"""Tries the ways on which a promotion depends, after a green trial. Records the results in the ledger."""

from attrs import evolve

from desired.model import Fleet, WayName
from desired.releases import Release
from reconciler.core.gate import early_refusals, gate, is_about_way, way_condition_name
from reconciler.core.observation import Observation, tags_to_mirror
from reconciler.core.step_reasons import gating_older
from reconciler.core.tier_results import Trial
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.ways import GatingWays, WayResult, older_release
from reconciler.deploy.app_set import app_set_digest
from reconciler.ports.host import Host
from reconciler.stages.older_data import older_data_of_candidate
from reconciler.stages.signatures import refused_signature
from reconciler.stages.ways_of_candidate import try_ways_of_candidate
from reconciler.stages.ways_of_canonicals import record_way
from reconciler.trial.trial_request import TrialRequest


def why_unprovable(host: Host, observation: Observation, release: Release) -> str:
    """Return why the way back from `release` cannot be proved; "" if it can, or if no promotion depends on it.

    The way back cannot be proved if the recipe needs signatures, and the older release to which it leads is unsigned.
    Raise InfrastructureError if a signature cannot be checked.
    """
    older = gating_older(observation, release)
    if older is None:
        return ""
    fault = refused_signature(host, observation, older)
    return f"way-back cannot be proved: {older.version}, to which it leads, is unsigned: {fault}" if fault else ""


def try_gating_ways(host: Host, fleet: Fleet, observation: Observation, request: TrialRequest, trial: Trial) -> Trial:
    """Try the ways on which the recipe's promotion depends. Return the trial with their results in its field `ways`.

    Each way gets a copy of the data of the tested release. No way is tried if another condition of the gate prevents
    the promotion anyway. `host` has the drivers of the trial. The caller holds the lock of the working folder.

    Every result is recorded in the ledger. But if other trials ran at the same time, only the answer YES is recorded:
    after any other answer, the step is repeated alone. If the recipe's tests have changed since they were observed,
    every result becomes an ERROR.
    """
    older = older_release(trial.release, trial.base.release, tags_to_mirror(observation))
    trial = evolve(trial, ways=GatingWays(nothing_older=older is None))
    refused = early_refusals(gate(fleet, request.recipe, trial, None, host.place))
    if not all(is_about_way(each) for each in refused):
        return trial
    asked = [way for way in WayName if way_condition_name(way) in {each.name for each in refused}]
    data = older_data_of_candidate(host, fleet, observation, request, asked)
    results = tuple(try_ways_of_candidate(host, request, trial, asked, older, data))
    if results and app_set_digest(request.app_set) != request.files:
        results = tuple(_not_counted(each) for each in results)
    for result in results:
        if result.answer is WayAnswer.YES or not request.has_company:
            record_way(host, result)
    return evolve(trial, ways=evolve(trial.ways, results=results))


def _not_counted(result: WayResult) -> WayResult:
    reason = "its tests changed while it was tried: the next pass tries it with the new ones"
    return evolve(result, answer=WayAnswer.ERROR, kind=None, cases=(), reason=reason)
