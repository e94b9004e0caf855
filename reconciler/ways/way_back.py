"""The way back: the older release is deployed over data that the newer one has migrated and written to."""

from attrs import evolve

from reconciler.core.way_kinds import BackFacts, WayAnswer, kind_of_back
from reconciler.core.ways import WayResult
from reconciler.deploy.slot import Slot
from reconciler.ways.way_run import RiseAttempt, WayRun


def try_back(run: WayRun) -> WayResult:
    """Try the way back: deploy the newer release with a copy of its data, and then the older release over that copy.

    Before the older release is deployed, the newer one writes more data. The answer is one of these:

    * YES: the older release comes up, and the recipe's data.check passes.
    * NO: the older release or its data.check fails. Then the newer release is deployed again, to see what is left of
      the data.
    * SKIP: there is no older release.

    Raise RecipeError if the newer release does not come up with its own data. Raise KilledError if one of the two
    releases does not stop in time. Raise TimedOutError if too little was seen in time to tell what became of the data.
    """
    base = run.subject.base
    if base is None:
        return run.result(WayAnswer.SKIP, run.subject.no_base)
    with run.slot("way-back") as slot:
        run.deploy_sealed(slot)
        proves_writes = run.write(slot)
        tried = run.attempt(slot, base)
        facts = BackFacts(tried.comes_up, tried.passes) if tried.passes else _facts_after(run, slot, tried)
    kind = kind_of_back(facts)
    answer = WayAnswer.YES if kind is None else WayAnswer.NO
    return evolve(run.result(answer, _reason(run, tried, proves_writes), kind), proves_writes=proves_writes)


def _facts_after(run: WayRun, slot: Slot, tried: RiseAttempt) -> BackFacts:
    """Deploy the newer release again, over the data in `slot` that the older release failed on.

    Return what was seen of both releases. The older release is not deployed here: `tried` says how it failed.

    For the newer release, data.check first looks for all data. If some is missing, data.check runs again without the
    variable MARK_ID: it then looks only for the data from before the newer release wrote more.

    Raise TimedOutError if a data.check took too long, also that of the older release, or if the newer release did not
    come up in time.
    """
    if tried.comes_up:
        run.require_in_time(tried)
    newer = run.subject.release
    after = whole = run.require_in_time(run.attempt(slot, newer))
    if not whole.passes and whole.comes_up and slot.mark_id:
        slot.mark_id = ""
        after = run.require_in_time(run.attempt(slot, newer, is_up=True))
    return BackFacts(tried.comes_up, tried.passes, whole.passes, after.comes_up, after.passes)


def _reason(run: WayRun, tried: RiseAttempt, proves_writes: bool) -> str:  # noqa: FBT001  a fact of the run
    """Return the reason for the answer of the way back. `tried` is what came of deploying the older release.

    * If the older release and its data.check passed, return what the answer does not prove; "" if it proves everything.
    * If the older release or its data.check failed, return why.

    `proves_writes` is True if data.check can see what the newer release wrote.
    """
    return run.limits(proves_writes) if tried.passes else tried.words
