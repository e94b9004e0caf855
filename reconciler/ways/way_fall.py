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
from reconciler.errors import CanonError, KilledError, RecipeError, TimedOutError, killed_error
from reconciler.ways.cases import deploy_newer_needs, deploy_older, result_of, tried_case, twice_if_late
from reconciler.ways.older_data import OlderReleaseError
from reconciler.ways.way_run import RiseAttempt, WayRun

_TRIES = 3


@frozen
class _Start:
    """One start of the release under test. Both times are in seconds from when the start's first process was seen.

    * `seconds`: how long the start took. A start ends when Canon last finds the release not ready, or with an earlier
      kill.
    * `killed_after`: when the release was killed; None if it was not killed, or if it became ready before the kill.
    """

    seconds: float
    killed_after: float | None


def try_fall(run: WayRun) -> WayResult:
    """Try the fall: kill the release during its first start on older data, and start it again.

    First, a start without a kill is timed. Then there is a case for each `Moment` at which a start can be killed.

    * NO: in a case, the release does not come up with all its data when it is first started after the kill.
    * SKIP: there is no older data, the older release does not work by itself, or the release fails even without a kill.
    * Any other answer is the gravest answer of the cases.
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
    """Deploy the older release of `source` in a new slot, let it write data, and stop it.

    Then deploy the apps that the release under test needs. Yield two values: the slot, and whether data.check can see
    what the older release wrote. Raise OlderReleaseError if the older release does not work by itself. Raise
    TimedOutError if a step takes too long. Raise KilledError if the older release does not stop in time.
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
    """Start the release on the data of `source` without killing it. Return how many seconds that start took.

    Raise OlderReleaseError if the release fails, because then a kill would prove nothing.
    """
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
    """Start the release in `slot`, and kill it `kill_after` seconds after its first process is seen.

    If `kill_after` is None, do not kill the release. Return how the start went. `killed_after` in the result is a
    number if the release was killed before Canon found it ready; else None.

    After a kill, nothing of the release runs any more. If the release fails without being killed, raise RecipeError, or
    InfrastructureError if this host is to blame.
    """
    own, clock = run.own_app(slot), run.host.clock.monotonic
    called, was_ready = clock(), False
    with own.driver.watch_start(own.app, kill_after) as seen:
        try:
            deploy_app(slot, AppSpec(run.subject.recipe, run.subject.release))
            was_ready = True
        except CanonError as failed:
            if seen.killed is None:
                raise
            slot.log_line(f"{run.subject.release.version} was killed: {failed.message}")
    began = called if seen.began is None else seen.began
    ready = slot.ready.pop(own.recipe.name, None) if seen.killed is not None else slot.ready.get(own.recipe.name)
    if seen.killed is not None:
        own.driver.kill(own.app)
        if not was_ready:
            return _Start(seen.killed - began, seen.killed - began)
    unready_at = ready.unready_at if ready is not None else None
    until = unready_at if unready_at is not None and unready_at > began else clock()
    return _Start(until - began, None)


def _fall(run: WayRun, case: WayCase, start: float) -> WayCase:
    """Kill the release at the moment of its start that `case` names, and start it again. Return `case` with the answer.

    `start` is how many seconds a start without a kill takes. The kill comes after a part of this time. If the release
    is ready before the kill, try again in a new slot; if this start was shorter than `start`, its time then counts.
    After three such tries, the answer is SKIP.
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
    """Start the killed release again, and a second time if it does not come up. Return the case with its answer.

    * YES: the release comes up with all its data at the first start after the kill.
    * NO: it lacks data then, or it needs a second start, even if the second start takes too long.

    Raise TimedOutError if the first start after the kill, or its data.check, takes too long: that shows no damage.

    `kill` says when the release was killed. `proves_writes` is True if data.check can see what the older release wrote.
    """
    first = tried = run.require_in_time(run.attempt(slot, run.subject.release))
    reason, starts = first.words or run.limits(proves_writes, case.source.version), 1
    if not first.comes_up:
        tried, starts = _second_start(run, slot), 2
        reason = f"{first.words}; at the second start: {tried.words or 'it comes up'}"
    kind = kind_of_fall(comes_up=tried.comes_up, passes=tried.passes, starts=starts, is_late=tried.timed_out)
    answer = WayAnswer.YES if kind is None else WayAnswer.NO
    return WayCase(case.source, answer, kind, reason, proves_writes, case.moment, kill)


def _second_start(run: WayRun, slot: Slot) -> RiseAttempt:
    """Start the release a second time after the kill, and run data.check. Return what came of the second start.

    The first start after the kill has failed. Its processes are stopped before the second start. If a process has to be
    killed, because it does not stop in time, return a failed attempt in which `timed_out` is True.
    """
    try:
        return run.attempt(slot, run.subject.release)
    except KilledError as killed:
        run.timed_out = True
        return RiseAttempt(comes_up=False, passes=False, words=killed.message, timed_out=True)
