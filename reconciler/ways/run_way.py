"""Runs one way of a release, and returns its result whatever happens."""

from collections.abc import Callable, Mapping
from typing import Final

from attrs import evolve

from desired.model import WayName
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.way_repeats import result_of_both
from reconciler.core.ways import WayResult, way_text
from reconciler.deploy.slot import append_log_line
from reconciler.errors import CanonError, TimedOutError, in_one_line
from reconciler.ports.host import Host
from reconciler.ways.way_back import try_back
from reconciler.ways.way_fall import try_fall
from reconciler.ways.way_leap import try_leap
from reconciler.ways.way_run import WayRun, WaySubject
from reconciler.ways.way_stop import try_stop
from state.state_errors import StateError

_WAYS: Final[Mapping[WayName, Callable[[WayRun], WayResult]]] = {
    WayName.BACK: try_back,
    WayName.STOP: try_stop,
    WayName.LEAP: try_leap,
    WayName.FALL: try_fall,
}


def run_way(host: Host, subject: WaySubject, way: WayName) -> WayResult:
    """Try the way `way` of a release, with copies of its sealed data. Return the result. Raise no error.

    If something took too long, try the way once more, and let `result_of_both` choose one of the two results. Besides
    the answers of the way itself, there are two:

    * SKIP: the recipe declares no data.check.
    * ERROR: the release does not come up with its own data, this host is to blame, or the second run took too long to
      tell what became of the data.
    """
    host.progress.step(subject.recipe.name, f"{subject.release.version}: {way}")
    (subject.logs / f"way-{way}.log").unlink(missing_ok=True)
    started = host.clock.monotonic()
    run = WayRun(host, subject, way)
    result = _tried(run)
    if run.timed_out:
        result = result_of_both(result, _tried(WayRun(host, subject, way, number=2)))
    append_log_line(run.log, f"{way} {way_text(result)}")
    return evolve(result, seconds=host.clock.monotonic() - started)


def _tried(run: WayRun) -> WayResult:
    if run.subject.recipe.data.check is None:
        return run.result(WayAnswer.SKIP, "no [data] check is declared that could prove anything")
    try:
        return _WAYS[run.way](run)
    except (CanonError, StateError, OSError) as failed:
        run.timed_out = run.timed_out or isinstance(failed, TimedOutError)
        return run.result(WayAnswer.ERROR, in_one_line(failed))
