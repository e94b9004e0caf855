"""Deletes holds whose last day has passed, and rollbacks that ended because a newer release was promoted."""

from collections.abc import Collection, Mapping
from datetime import date

from desired.model import Recipe
from reconciler.core.holds import ended_text, ends_rollback
from reconciler.errors import reason_of
from reconciler.ports.host import Host
from state.decisions import Hold, Rollback
from state.records import LedgerEntry, Records


def end_passed_holds(host: Host, recipes: Mapping[str, Recipe], records: Records) -> tuple[str, ...]:
    """Delete the ended holds and the ended rollbacks of the selected recipes `recipes`, by name. Return notes.

    A rollback has ended if the canonical is newer than the newest release that was given up.

    * Each ended hold gets a note: that it has ended, or why it cannot be deleted.
    * An ended rollback gets a note only if it cannot be deleted.
    """
    ended = ended_decisions(recipes, records, host.clock.now().date())
    return tuple(filter(None, (_end(host, decision, recipes[decision.recipe]) for decision in ended)))


def ended_decisions(names: Collection[str], records: Records, today: date) -> tuple[Hold | Rollback, ...]:
    """Return the recorded holds and rollbacks of the recipes `names` that have ended. `today` is the day in UTC."""
    holds = [hold for name, hold in records.holds.items() if name in names and hold.is_over(today)]
    rollbacks = [rollback for name, rollback in records.rollbacks.items() if name in names and _is_left(name, records)]
    return (*holds, *rollbacks)


def _is_left(name: str, records: Records) -> bool:
    """Return whether the rollback of recipe `name` has ended: its canonical is newer than the release given up."""
    have = records.canonicals.get(name)
    return have is not None and ends_rollback(records.rollbacks[name], have.version)


def _end(host: Host, decision: Hold | Rollback, recipe: Recipe) -> str:
    return _end_hold(host, decision, recipe) if isinstance(decision, Hold) else _end_rollback(host, decision)


def _end_hold(host: Host, hold: Hold, recipe: Recipe) -> str:
    """Delete a hold that has ended. Return a note that says so, or why the hold cannot be deleted."""
    failed = _try_to_end(host, hold, "hold-ended", {"until": str(hold.until), "reason": hold.reason, "who": hold.who})
    goes_on = "its releases are tried again" if recipe.enrolled else f"it is not enrolled ({recipe.exception})"
    return f"{hold.recipe}: {ended_text(hold)}; {failed or goes_on}"


def _end_rollback(host: Host, rollback: Rollback) -> str:
    """Delete a rollback that has ended. Return a note if that fails; else ""."""
    failed = _try_to_end(host, rollback, "rollback-ended", {"left": rollback.left})
    return failed and f"{rollback.recipe}: its rollback to {rollback.version} has ended; {failed}"


def _try_to_end(host: Host, decision: Hold | Rollback, kind: str, body: dict[str, object]) -> str:
    """Delete a decision that has ended, and append an entry to the ledger. Return ""; if this failed, the reason.

    `kind` and `body` are the entry's kind and data. After a failure, the next pass tries again. Until then the decision
    is still recorded, but has no effect.
    """
    entry = LedgerEntry(host.clock.now(), kind, decision.recipe, {**body, "pass": host.pass_id})
    try:
        host.registry.end_decisions([decision], [entry])
    except Exception as failed:  # noqa: BLE001  a note reports it; the pass goes on
        return f"this could not be recorded: {reason_of(failed)}"
    return ""
