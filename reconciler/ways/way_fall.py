"""The fall: the release is killed while it first starts on older data, as by a power cut, and started again."""

from collections.abc import Iterator
from contextlib import contextmanager

from attrs import frozen

from reconciler.core.way_cases import DataSource, Kill, Moment, WayCase
from reconciler.core.way_kinds import WayAnswer, kind_of_fall
from reconciler.core.ways import WayResult
from reconciler.deploy.app_set import AppSpec
from reconciler.deploy.deploying import deploy_app
from reconciler.deploy.slot import Slot
from reconciler.errors import CanonError, RecipeError, TimedOutError, killed_error
from reconciler.ways.cases import deploy_newer_needs, deploy_older, result_of, tried_case, twice_if_late
from reconciler.ways.older_data import OlderReleaseError
from reconciler.ways.way_run import WayRun

_TRIES = 3


@frozen
class _Start:
    """A start of the release. `seconds`: until it was ready. `killed_after`: when it was killed; None if it was not.

    Both count from when its first process was seen.
    """

    seconds: float
    killed_after: float | None


def try_fall(run: WayRun) -> WayResult:
    """Kill the release at each `Moment` of its first start on older data, and start it again.

    Return NO if it does not come up with all its data after one, with a case for each. Return SKIP if there is no older
    data, or if the release does not come up over it without being killed. How long a start takes is measured first.
    """
    source = run.subject.older.fall
    if source is None:
        return run.result(WayAnswer.SKIP, "there is no older release on whose data it could start")
    moments = [WayCase(source, WayAnswer.SKIP, moment=moment) for moment in Moment]
    try:
        start = twice_if_late(run, lambda each: _undisturbed(each, source))
    except OlderReleaseError as broken:
        return result_of(run, tuple(_skipped(case, broken) for case in moments))
    return result_of(run, tuple(_tried(run, case, start) for case in moments))


def _skipped(case: WayCase, broken: OlderReleaseError) -> WayCase:
    return WayCase(case.source, WayAnswer.SKIP, reason=broken.message, moment=case.moment)


def _tried(run: WayRun, case: WayCase, start: float) -> WayCase:
    return tried_case(run, case, lambda each: _fall(each, case, start))


@contextmanager
def _stopped_older(run: WayRun, source: DataSource) -> Iterator[tuple[Slot, bool]]:
    """Deploy the older release in a new slot, let it write, and stop it. Yield the slot, and whether writes are proved.

    Raise the errors of `deploy_older`, and KilledError if the older release has to be killed.
    """
    with run.slot("way-fall") as slot:
        proves_writes = deploy_older(run, slot, source)
        own = run.own_app(slot)
        slot.ready.pop(own.recipe.name, None)
        if killed := own.driver.stop(own.app).killed:
            raise killed_error(own.recipe.name, killed, run.host.commands.pressure())
        deploy_newer_needs(run, slot)
        yield slot, proves_writes


def _undisturbed(run: WayRun, source: DataSource) -> float:
    """Return how many seconds the first start on the older data takes if it is not killed."""
    with _stopped_older(run, source) as (slot, _):
        try:
            start = _start(run, slot, None)
            run.check(slot)
        except TimedOutError:
            raise
        except RecipeError as failed:
            raise OlderReleaseError(f"it fails over {source} without being killed: {failed.message}") from failed
        return start.seconds


def _start(run: WayRun, slot: Slot, kill_after: float | None) -> _Start:
    """Start the release in `slot`, and kill it `kill_after` seconds after its first process is seen; None: do not.

    Afterwards nothing of it runs if it was killed. Raise the errors of `deploy_app` if it fails without being killed.
    """
    own, clock = run.own_app(slot), run.host.clock.monotonic
    called = clock()
    with own.driver.watch_start(own.app, kill_after) as seen:
        try:
            deploy_app(slot, AppSpec(run.subject.recipe, run.subject.release))
        except CanonError as failed:
            if seen.killed is None:
                raise
            slot.log_line(f"{run.subject.release.version} was killed: {failed.message}")
    began = called if seen.began is None else seen.began
    if seen.killed is not None:
        slot.ready.pop(own.recipe.name, None)
        own.driver.kill(own.app)
        return _Start(seen.killed - began, seen.killed - began)
    return _Start(clock() - began, None)


def _fall(run: WayRun, case: WayCase, start: float) -> WayCase:
    """Kill the release at the moment of `case`, and start it again. `start` is how long its start takes, in seconds.

    If it is ready before that moment, begin anew with the shorter time; return SKIP if that happens again and again.
    """
    assert case.moment is not None  # noqa: S101  a fall has moments
    for _ in range(_TRIES):
        with _stopped_older(run, case.source) as (slot, proves_writes):
            begun = _start(run, slot, case.moment.of(start))
            if begun.killed_after is not None:
                return _after_kill(run, slot, case, Kill(begun.killed_after, start), proves_writes=proves_writes)
        start = min(start, begun.seconds)
    return WayCase(case.source, WayAnswer.SKIP, reason="it was ready before it could be killed", moment=case.moment)


def _after_kill(run: WayRun, slot: Slot, case: WayCase, kill: Kill, *, proves_writes: bool) -> WayCase:
    """Start the killed release again, and once more if it does not come up. Return what is then there of the data.

    Raise TimedOutError if it does not come up in time, or cannot be checked in time: that shows no damage.
    """
    release, starts = run.subject.release, 1
    first = tried = run.require_in_time(run.attempt(slot, release))
    if not tried.comes_up:
        tried, starts = run.require_in_time(run.attempt(slot, release)), 2
    kind = kind_of_fall(comes_up=tried.comes_up, passes=tried.passes, starts=starts)
    reason = tried.words or first.words or run.limits(proves_writes, case.source.version)
    answer = WayAnswer.YES if kind is None else WayAnswer.NO
    return WayCase(case.source, answer, kind, reason, proves_writes, case.moment, kill)
