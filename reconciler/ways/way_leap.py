"""The leap: the release is deployed over the data of each older release, even of one that is several releases older."""

from reconciler.core.way_cases import DataSource, WayCase
from reconciler.core.way_kinds import LeapFacts, WayAnswer, is_danger, kind_of_leap
from reconciler.core.ways import WayResult
from reconciler.deploy.slot import Slot
from reconciler.ways.cases import deploy_newer_needs, deploy_older, result_of, tried_case
from reconciler.ways.way_run import RiseAttempt, WayRun

NOTHING_OLDER = "no older generation is kept, and [upgrade] also names no release"


def try_leap(run: WayRun) -> WayResult:
    """Try the leap: deploy the release over the data of each older release, in a slot of its own.

    Return the result, with a case for each older release. The answer is NO if the answer of one case is NO. The answer
    is SKIP if there is no older release.
    """
    sources = run.subject.older.leaps
    if not sources:
        return run.result(WayAnswer.SKIP, NOTHING_OLDER)
    return result_of(run, tuple(_tried(run, source) for source in sources))


def _tried(run: WayRun, source: DataSource) -> WayCase:
    case = WayCase(source, WayAnswer.SKIP, reason=run.subject.older.unusable.get(source, ""))
    return tried_case(run, case, lambda each: _leap(each, source)) if source.commit else case


def _leap(run: WayRun, source: DataSource) -> WayCase:
    """Deploy the release over the data of the older release that `source` names. Return the case with its answer.

    If the release or its data.check fails, the older release is deployed again, to see what is left of the data.

    * YES: the release comes up, and data.check passes.
    * NO: the release or its data.check fails.
    * SKIP: in place of NO, if the needed apps alone may have changed the data: the older release fails when it is
      deployed again, and also fails beside the newer needed apps without the release under test.

    Raise OlderReleaseError if the older release does not work by itself. Raise KilledError if one of the two releases
    does not stop in time. Raise TimedOutError if too little was seen in time to tell what became of the data.
    """
    with run.slot("way-leap") as slot:
        proves_writes = deploy_older(run, slot, source)
        newer_needs = deploy_newer_needs(run, slot)
        tried = run.attempt(slot, run.subject.release)
        facts = LeapFacts(tried.comes_up, tried.passes) if tried.passes else _facts_after(run, slot, tried, source)
    kind = kind_of_leap(facts)
    reason = tried.words or run.limits(proves_writes, source.version)
    if newer_needs and is_danger(kind) and (fails := _why_without_release(run, source)):
        return WayCase(source, WayAnswer.SKIP, reason=f"{fails}, so nothing shows what became of its data: {reason}")
    return WayCase(source, WayAnswer.YES if kind is None else WayAnswer.NO, kind, reason, proves_writes)


def _why_without_release(run: WayRun, source: DataSource) -> str:
    """Find out whether the older release of `source` fails beside the needed apps, without the release under test.

    In a slot of its own, deploy the older release, then the apps that the release under test needs, and then the older
    release again. Return why the older release fails the second time; "" if it does not fail.

    Raise OlderReleaseError if the older release fails the first time. Raise TimedOutError if a deployment or a check
    takes too long.
    """
    with run.slot("way-leap") as slot:
        deploy_older(run, slot, source)
        beside = ", ".join(f"{each.recipe.name} {each.release.version}" for each in deploy_newer_needs(run, slot))
        older = run.require_in_time(run.attempt(slot, source.release))
    return "" if older.passes else f"{source.version} also fails beside {beside} alone ({older.words})"


def _facts_after(run: WayRun, slot: Slot, tried: RiseAttempt, source: DataSource) -> LeapFacts:
    """Deploy the older release of `source` again, over the data in `slot` that the newer release failed on.

    Return what was seen of both releases: whether each came up, and whether data.check passed. The newer release is not
    deployed here: `tried` says how it failed. Raise TimedOutError if the data.check of a release took too long, or if
    the older release did not come up in time.
    """
    if tried.comes_up:
        run.require_in_time(tried)
    after = run.require_in_time(run.attempt(slot, source.release))
    return LeapFacts(tried.comes_up, tried.passes, rises_after=after.comes_up, is_whole_after=after.passes)
