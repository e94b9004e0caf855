"""Runs a trial: the cold test of one recipe at one commit, tier by tier."""

from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime

from attrs import evolve

from desired.model import TierName
from reconciler.core.tier_results import (
    Skip,
    TierResult,
    Trial,
    Verdict,
    failed_late,
    first_failure,
    without_unproved_backup,
    without_unproved_upgrade,
)
from reconciler.deploy.app_set import app_set_digest
from reconciler.deploy.slot import append_log_line
from reconciler.deploy.slot_lifetime import backup_of
from reconciler.errors import InfrastructureError, NeededAppError, RecipeError, TimedOutError, in_one_line
from reconciler.ports.host import Host
from reconciler.trial.tiers import run_tier
from reconciler.trial.trial_request import TrialRequest
from reconciler.trial.trial_run import TrialRun
from reconciler.trial.upgrade_tier import SlowHostError
from state.folder.durable import remove_tree
from state.state_errors import StateError


def run_trial(host: Host, request: TrialRequest) -> Trial:
    """Run the tiers of a trial in order. Return the trial with their results.

    If something timed out, run all tiers once more, and return that second trial. But if other trials can be running at
    the same time, return the first: the pass then repeats the whole trial later, alone.
    """
    first = _with_remark_on_company(_run_tiers(host, request), request)
    if not first.timed_out or request.has_company:
        return first
    host.progress.step(request.recipe.name, "timed out: running all tiers once more, alone", first.seconds)
    bad = first_failure(first.tiers)
    slow = f"a first run timed out: {bad.reason if bad else ''}"
    request = evolve(request, earlier_peak=first.peak)
    second = _with_remark_on_company(_run_tiers(host, request, is_retry=True), request)
    return evolve(second, findings=(*second.findings, f"{slow}; the second run decides: {_cause_of_slowness(second)}"))


def _with_remark_on_company(trial: Trial, request: TrialRequest) -> Trial:
    """Return the trial, with one more remark if an earlier trial of the release failed while other trials ran."""
    if not request.failed_in_company:
        return trial
    remark = f"a first try failed beside other recipes: {request.failed_in_company}; this one ran alone, and decides"
    return evolve(trial, findings=(*trial.findings, remark))


def _cause_of_slowness(second: Trial) -> str:
    """Return why the first run timed out, judged by how the second run went.

    The text is "slow host", "slow recipe" or "the base does not come up".
    """
    bad = first_failure(second.tiers)
    if bad is not None:
        return "slow recipe" if bad.verdict is Verdict.FAIL else "slow host"
    if any(tier.skip is Skip.BASE_BROKEN for tier in second.tiers):
        return "the base does not come up"
    return "slow recipe" if second.timed_out else "slow host"


def _run_tiers(host: Host, request: TrialRequest, *, is_retry: bool = False) -> Trial:
    """Run the tiers in order until one fails. Then stop and remove what they deployed. Return the trial.

    `is_retry` is True if an earlier run timed out, so that this run decides.
    """
    started_at, started = host.clock.now(), host.clock.monotonic()
    unchanged = _fleet_is_unchanged(request)
    # A backup from an earlier run would prove nothing about this one.
    remove_tree(backup_of(request.folder))
    results: list[TierResult] = []
    with ExitStack() as stack:
        run = TrialRun(host, request, stack, is_retry)
        run.meter.begin()
        for name in TierName:
            results.append(_result_of_tier(run, name))
            if first_failure(results) is not None:
                break
    trial = _trial(run, results, started_at)
    _log_remaining_results(run, trial.tiers)
    unchanged = _fleet_is_unchanged(request) and unchanged
    return evolve(trial, peak=run.meter.peak, tests_unchanged=unchanged, seconds=host.clock.monotonic() - started)


def _fleet_is_unchanged(request: TrialRequest) -> bool:
    """Return whether the fleet folders of the app set are as they were when the trial was requested."""
    try:
        return app_set_digest(request.app_set) == request.files
    except OSError:
        return False


def _trial(run: TrialRun, results: Sequence[TierResult], started_at: datetime) -> Trial:
    """Return the trial with the results of its tiers, and with the effects of the run. The trial ends now.

    The caller must set `tests_unchanged`, `seconds` and `peak` of the trial afterwards: they are not known here.
    """
    request, effects = run.request, run.effects
    return Trial(
        id=request.id,
        recipe=request.recipe.name,
        release=request.release,
        by_pass=request.by_pass,
        tiers=without_unproved_upgrade(without_unproved_backup(results), checks_data=effects.check_proves_data),
        base=request.base,
        slots_were_empty=effects.slots_were_empty,
        altered=tuple(effects.altered),
        tests=request.tests,
        tests_unchanged=False,
        started_at=started_at,
        finished_at=run.host.clock.now(),
        seconds=0.0,
        log=f"logs/{request.recipe.name}/{request.id}",
        findings=tuple(dict.fromkeys(effects.findings)),
        candidate=effects.candidate,
        timed_out=effects.timed_out or effects.check_is_late,
        damage=effects.damage,
        tail=effects.tail,
        checks_data=effects.check_proves_data,
        is_check_slow=effects.check_proves_data and failed_late(effects.check_failed_after, effects.check_passed_after),
    )


def _result_of_tier(run: TrialRun, name: TierName) -> TierResult:
    """Run the tier `name`. Return its result, with the time it took. Write a failure to the tier's log at once."""
    started = run.host.clock.monotonic()
    run.host.progress.step(run.request.recipe.name, f"{run.request.release.version}: {name}")
    result = evolve(_judge(run, name), seconds=run.host.clock.monotonic() - started)
    if first_failure([result]) is not None:
        _log(run, name, f"{result.verdict}: {result.reason}")
    return result


def _judge(run: TrialRun, name: TierName) -> TierResult:
    """Run the tier `name`. Return its result: PASS, or SKIP, FAIL or ERROR with the reason.

    An error of the tier is not raised, but becomes the result: FAIL if the recipe is to blame, ERROR if this host is.
    If the tier failed because something took too long, `run.effects.timed_out` is True afterwards.
    """
    try:
        skipped = run_tier(run, name)
    except RecipeError as error:
        return TierResult(name, Verdict.FAIL, _reason_of_failure(run, error))
    except (InfrastructureError, StateError, OSError) as error:
        slow_need = isinstance(error, NeededAppError) and error.timed_out
        run.effects.timed_out = slow_need or isinstance(error, SlowHostError)
        return TierResult(name, Verdict.ERROR, in_one_line(error))
    if skipped is not None:
        return TierResult(name, Verdict.SKIP, skipped.reason, skip=skipped.skip)
    return TierResult(name, Verdict.PASS)


def _reason_of_failure(run: TrialRun, error: RecipeError) -> str:
    """Return the reason of a failed tier: the text of `error` in one line. For a timeout, add how busy this host is.

    Record the last log lines of the app, and whether the error was a timeout, in the effects of the run.
    """
    run.effects.tail = error.tail
    if isinstance(error, TimedOutError):
        run.effects.timed_out = True
        return f"{error.message} (host: {error.pressure or run.host.commands.pressure()})"
    return in_one_line(error)


def _log_remaining_results(run: TrialRun, tiers: Sequence[TierResult]) -> None:
    """Write a line to the log of each tier that passed, was skipped or was not reached.

    `tiers` are the results of the tiers that were reached. The log of a tier that failed has its line already.
    """
    for tier in tiers:
        if first_failure([tier]) is None:
            _log(run, tier.name, str(tier.verdict) if tier.skip is None else f"skip: {tier.skip}: {tier.reason}")
    for name in list(TierName)[len(tiers) :]:
        _log(run, name, "not reached")


def _log(run: TrialRun, name: TierName, message: str) -> None:
    """Append a line to the log of the tier `name`. If that fails, the line is lost, and no error is raised."""
    append_log_line(run.log_path(name), f"{name} {message}")
