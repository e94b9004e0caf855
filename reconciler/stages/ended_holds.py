"""Deletes holds whose last day has passed, and rollbacks that ended because a newer release was promoted."""

from collections.abc import Mapping

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
    today = host.clock.now().date()
    held, left = records.holds.items(), records.rollbacks.items()
    holds = [hold for name, hold in held if name in recipes and hold.is_over(today)]
    rollbacks = [rollback for name, rollback in left if name in recipes and _is_left(name, records)]
    notes = [_end_rollback(host, rollback) for rollback in rollbacks]
    return (*(_end_hold(host, hold, recipes[hold.recipe]) for hold in holds), *filter(None, notes))


def _is_left(name: str, records: Records) -> bool:
    """Return whether the rollback of recipe `name` has ended: its canonical is newer than the release given up."""
    have = records.canonicals.get(name)
    return have is not None and ends_rollback(records.rollbacks[name], have.version)


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
