"""The steps that ways with several cases share: they deploy older data, and try each case."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from attrs import evolve

from reconciler.core.way_cases import DataSource, WayCase, answer_of, gravest_kind
from reconciler.core.way_kinds import WayAnswer
from reconciler.core.way_repeats import result_of_both
from reconciler.core.ways import WayResult
from reconciler.deploy.deploying import deploy_app_set, deploy_needed
from reconciler.deploy.slot import DeployedApp, Slot
from reconciler.errors import CanonError, RecipeError, TimedOutError, in_one_line
from reconciler.ways.older_data import OlderReleaseError, without_source
from reconciler.ways.way_run import WayRun
from state.state_errors import StateError

Result = TypeVar("Result")


def twice_if_late(run: WayRun, action: Callable[[WayRun], Result]) -> Result:
    """Call `action` with a new run of the same way, and return the result.

    If something took too long in the first call, call `action` once more, with a second run, and return the second
    result. An error of a call is raised, but not a TimedOutError of the first call.
    """
    first = WayRun(run.host, run.subject, run.way)
    try:
        result = action(first)
        if not first.timed_out:
            return result
    except TimedOutError as late:
        first.host.progress.step(first.subject.recipe.name, f"{first.way}, once more: {late.message}")
    return action(WayRun(run.host, run.subject, run.way, number=2))


def tried_case(run: WayRun, case: WayCase, try_case: Callable[[WayRun], WayCase]) -> WayCase:
    """Try one case of a way by calling `try_case`. Return the case with its answer, reason and duration.

    `case` says over which data the release is tried. If something took too long, call `try_case` once more, and let
    `result_of_both` choose one of the two results. Besides the answers of `try_case`, there are two:

    * SKIP: the older release does not work by itself.
    * ERROR: this host is to blame, or something took too long the second time too.
    """
    host, subject = run.host, run.subject
    host.progress.step(subject.recipe.name, f"{subject.release.version}: {run.way} over {case.source}")
    started = host.clock.monotonic()
    first = WayRun(host, subject, run.way)
    done = _tried_once(first, case, try_case)
    if first.timed_out:
        host.progress.step(subject.recipe.name, f"{run.way}, once more: {done.reason}")
        done = result_of_both(done, _tried_once(WayRun(host, subject, run.way, number=2), case, try_case))
    return evolve(done, seconds=host.clock.monotonic() - started)


def _tried_once(run: WayRun, case: WayCase, try_case: Callable[[WayRun], WayCase]) -> WayCase:
    """Try a case once by calling `try_case`. Return the case with its answer.

    If `try_case` raises OlderReleaseError, the older release does not work by itself: the answer is SKIP. After any
    other error, the answer is ERROR. If something took too long, `run.timed_out` is True afterwards.
    """
    try:
        return try_case(run)
    except OlderReleaseError as broken:
        return evolve(case, answer=WayAnswer.SKIP, reason=in_one_line(broken))
    except (CanonError, StateError, OSError) as failed:
        run.timed_out = run.timed_out or isinstance(failed, TimedOutError)
        return evolve(case, answer=WayAnswer.ERROR, reason=in_one_line(failed))


def result_of(run: WayRun, cases: tuple[WayCase, ...]) -> WayResult:
    """Return the result of a way from the results of its cases: the gravest answer, and all cases."""
    tried = [case for case in cases if case.answer in {WayAnswer.YES, WayAnswer.NO}]
    proves_writes = bool(tried) and all(case.proves_writes for case in tried)
    return evolve(run.result(answer_of(cases), kind=gravest_kind(cases)), cases=cases, proves_writes=proves_writes)


def deploy_older(run: WayRun, slot: Slot, source: DataSource) -> bool:
    """Deploy an older release over the data that `source` names, and let the older release write more data.

    If `source` names a release without a stored generation, the release is installed fresh, and data.mark writes the
    first data. Return whether the recipe's data.check can see the data that the older release wrote last.

    Raise OlderReleaseError if the older release does not work by itself, TimedOutError if a step takes too long.
    """
    older = run.subject.older
    try:
        deploy_app_set(slot, older.app_set(source, slot.folder / "source"))
        if source.generation is None:
            run.mark(slot)
        return run.write(slot)
    except TimedOutError:
        raise
    except RecipeError as broken:
        words = ": ".join((broken.message, *broken.tail[-1:]))
        why = f"{source.version} does not work by itself, which says nothing of {run.subject.release.version}: {words}"
        raise OlderReleaseError(why) from broken


def deploy_newer_needs(run: WayRun, slot: Slot) -> Sequence[DeployedApp]:
    """Deploy the apps that the release under test needs, each over its data in the slot. Return the deployed apps.

    `run.subject.older.needed` returns these apps, each with the release to deploy. An app that has this release in the
    slot already is left as it is, and is not returned. Raise NeededAppError if an app fails.
    """
    changed = []
    for spec in without_source(run.subject.older.needed()):
        have = slot.apps.get(spec.recipe.name)
        if have is None or have.release != spec.release:
            deploy_needed(slot, spec, run.subject.recipe)
            changed.append(slot.apps[spec.recipe.name])
    return changed
