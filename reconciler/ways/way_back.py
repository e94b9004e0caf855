"""The way back: the older release is deployed over data that the newer one has migrated and written to."""

from attrs import evolve

from desired.model import Release
from reconciler.core.ways import BackFacts, WayAnswer, WayKind, WayResult, kind_of_back
from reconciler.errors import KilledError, RecipeError
from reconciler.ways.way_run import RiseAttempt, WayRun


def try_back(run: WayRun) -> WayResult:
    """Deploy the older release over a copy of the sealed data to which the newer release has written more.

    Return YES if the older one comes up and its data.check passes; else NO, with what became of the data. Return SKIP
    if there is no older release. Raise RecipeError if the newer release does not come up with its own data, and
    KilledError if one of both does not stop in time.
    """
    base = run.subject.base
    if base is None:
        return run.result(WayAnswer.SKIP, "there is no older release")
    with run.slot("way-back") as slot:
        run.deploy_sealed(slot)
        proves_writes = run.write(slot)
        tried = run.attempt(slot, base)
        is_whole_after = not tried.passes and run.attempt(slot, run.subject.release).passes
    facts = BackFacts(tried.comes_up, tried.passes, is_whole_after)
    if kind_of_back(facts) is WayKind.DAMAGES and tried.comes_up:
        facts = evolve(facts, keeps_older=_keeps_older(run, base))
    kind = kind_of_back(facts)
    answer = WayAnswer.YES if kind is None else WayAnswer.NO
    return evolve(run.result(answer, _reason(run, tried, proves_writes), kind), proves_writes=proves_writes)


def _keeps_older(run: WayRun, base: Release) -> bool:
    """Whether the older release comes up over a new copy of the sealed data, and its data.check passes.

    The newer release has migrated this data, and has written nothing more to it.
    """
    with run.slot("way-back-control") as slot:
        try:
            run.deploy_sealed(slot, base)
            run.check(slot)
        except KilledError:
            raise
        except RecipeError as failed:
            slot.log_line(f"{base.version} over data to which nothing more was written: {failed.message}")
            return False
    return True


def _reason(run: WayRun, tried: RiseAttempt, proves_writes: bool) -> str:  # noqa: FBT001  a fact of the run
    """Return why the older release failed, in its own words.

    If it did not fail, return what the answer does not cover.
    """
    return run.limits(proves_writes) if tried.passes else tried.words
