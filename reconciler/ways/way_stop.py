"""How a release stops: first by SIGTERM with its grace time, then by a kill without any."""

from attrs import evolve

from reconciler.core.way_kinds import StopFacts, WayAnswer, kind_of_stop
from reconciler.core.ways import WayResult, stop_text
from reconciler.deploy.slot import Slot
from reconciler.ways.way_run import RiseAttempt, WayRun


def try_stop(run: WayRun) -> WayResult:
    """Try the stop: stop the release by SIGTERM, deploy it again, kill it by SIGKILL, and deploy it once more.

    * YES: the release ends in time after SIGTERM, and comes up with its data after the stop and after the kill.
    * NO: one of these fails. If it fails before the kill by SIGKILL, the kill is left out.

    Raise RecipeError if the release does not come up with its own data at the very start. Raise TimedOutError if a
    later deployment or a check of its data takes too long.
    """
    with run.slot("way-stop") as slot:
        run.deploy_sealed(slot)
        proves_writes = run.write(slot)
        facts = _stop(run, slot)
        # A busy host may have kept it from ending in time.
        run.timed_out = run.timed_out or bool(facts.killed)
        after = run.require_in_time(run.attempt(slot, run.subject.release))
        is_after_kill = after.passes and not facts.killed
        if is_after_kill:
            proves_writes = run.write(slot)
            _kill(run, slot)
            after = run.require_in_time(run.attempt(slot, run.subject.release))
    kind = kind_of_stop(facts, rises=after.passes, is_after_kill=is_after_kill)
    answer = WayAnswer.YES if kind is None else WayAnswer.NO
    told = _reason(facts, after, "after a kill" if is_after_kill else "after a stop")
    result = run.result(answer, "; ".join(filter(None, (told, run.limits(proves_writes)))), kind)
    return evolve(result, stop=facts, proves_writes=proves_writes)


def _stop(run: WayRun, slot: Slot) -> StopFacts:
    """Stop the release by SIGTERM. Return how the release ended.

    The returned value has the time that the stop took, the grace time, the exit codes, and what had to be killed. On a
    Swarm, the time of the stop includes what Swarm itself takes.
    """
    own = run.own_app(slot)
    slot.ready.pop(own.recipe.name, None)
    started = run.host.clock.monotonic()
    removal = own.driver.stop(own.app)
    seconds = run.host.clock.monotonic() - started
    slot.note_removal(own.recipe.name, removal)
    grace = removal.grace.total_seconds() if removal.grace is not None else None
    return StopFacts(seconds, grace, (*removal.killed, *removal.without_data), removal.exit_codes)


def _kill(run: WayRun, slot: Slot) -> None:
    own = run.own_app(slot)
    slot.ready.pop(own.recipe.name, None)
    own.driver.kill(own.app)


def _reason(facts: StopFacts, after: RiseAttempt, what: str) -> str:
    killed = f"; killed: {', '.join(facts.killed)}" if facts.killed else ""
    risen = f"comes up again {what}" if after.passes else f"{what}: {after.words}"
    return f"{stop_text(facts)}{killed}; {risen}"
