"""Tries ways of the candidate of a trial, before the recipe's working folder is removed."""

from collections.abc import Iterable, Iterator

from desired.model import WayName
from desired.releases import Release
from reconciler.core.tier_results import Trial, is_green
from reconciler.core.ways import WayResult
from reconciler.deploy.app_set import app_set_from_snapshot
from reconciler.ports.host import Host
from reconciler.trial.trial_request import TrialRequest
from reconciler.ways.older_data import OlderData
from reconciler.ways.run_way import run_way
from reconciler.ways.way_run import WaySubject


def try_ways_of_candidate(  # noqa: PLR0913, PLR0917  all that the ways depend on
    host: Host,
    request: TrialRequest,
    trial: Trial,
    asked: Iterable[WayName],
    base: Release | None,
    older: OlderData | None = None,
    no_base: str = "there is no older release",
) -> Iterator[WayResult]:
    """Try the ways `asked` with the release and the data of a trial. Yield each result as soon as it is there.

    If a tier of the trial failed or was not reached, or if the trial saved no data, yield nothing.

    * `host`: has the drivers of the trial. The caller holds the lock of the working folder.
    * `base`: the older release to go back to; None if there is none that may be deployed: `no_base` says why.
    * `older`: the data of older releases; None if no way is asked for that needs it.
    """
    candidate = trial.candidate
    if candidate is None or not is_green(trial.tiers):
        return
    subject = WaySubject(
        recipe=request.recipe,
        release=request.release,
        base=base,
        no_base=no_base,
        tests=request.tests,
        folder=request.folder,
        logs=host.state.trial_log(request.recipe.name, request.id),
        logs_name=trial.log,
        unpack=lambda into: app_set_from_snapshot(host, candidate.folder, candidate.seal, request.app_set, into),
        older=older or OlderData(),
    )
    for way in asked:
        yield run_way(host, subject, way)
