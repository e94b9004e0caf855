"""`reconcile hold` and `reconcile resume`: keep the releases of a recipe from being tried, and let them be tried again.

Both work while a pass runs: the pass reads the hold again before it tries a recipe, and when it promotes one.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime

from attrs import frozen

from desired.model import Fleet
from reconciler.cli.command_context import load_context, prepare_state, require_declared
from reconciler.cli.composition import private_files
from reconciler.cli.decisions import author, require_reason
from reconciler.cli.missing_state import print_missing_state
from reconciler.cli.options import Options, print_line
from reconciler.core.holds import came_from, ended_text
from reconciler.errors import UsageError
from reconciler.stages.observe import require_readable_record
from state.decisions import Hold, Rollback
from state.records import LedgerEntry, Records
from state.registry.registry import SqliteRegistry


@frozen
class HoldRequest:
    """The options of `reconcile hold`.

    * `reason`: why the recipe is put on hold.
    * `until`: the day when the hold ends, such as "2027-03-01"; None for no end.
    """

    reason: str
    until: str | None = None


def hold(options: Options, name: str, request: HoldRequest) -> int:
    """Put the recipe `name` on hold, in place of an earlier hold. Return 0, or 1 if stdout cannot be written.

    The hold is recorded in the registry and the ledger. Raise UsageError if the recipe is not declared, or if the
    reason or the day is not valid. Raise CanonError if the recipe's record cannot be read.
    """
    context = load_context(options)
    require_declared(context, name)
    require_reason(request.reason)
    print_missing_state(context.state)
    now = datetime.now(UTC)
    held = Hold(name, request.reason, author(), now, _end(request.until, now.date()))
    body = {"reason": held.reason, "who": held.who, "until": str(held.until) if held.until else None}
    with private_files():
        prepare_state(context)
        registry = SqliteRegistry(context.state.database)
        require_readable_record(name, registry.read())
        registry.set_hold(held, [LedgerEntry(now, "held", name, body)])
    return print_line(options, "hold", f"{name}: on hold {_end_text(held)}; nothing is tried or promoted")


def _end(text: str | None, today: date) -> date | None:
    """Return the day that `text` means; None if `text` is None. Raise UsageError if it is no day after `today`."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as wrong:
        raise UsageError(f"--until {text} is no day", "name one such as 2027-03-01") from wrong
    if day <= today:
        raise UsageError(f"--until {text} is not after today, {today} in UTC", "name the day when the hold ends")
    return day


def _end_text(held: Hold) -> str:
    return f"until {held.until}, 00:00 UTC" if held.until else f"until: reconcile resume {held.recipe}"


def resume(options: Options, name: str, reason: str) -> int:
    """End the hold and the rollback of the recipe `name`. Return 0, or 1 if stdout cannot be written.

    The ledger records `reason`, which may be "". Raise UsageError if the recipe is neither on hold nor rolled back.
    """
    context = load_context(options)
    print_missing_state(context.state)
    registry = SqliteRegistry(context.state.database)
    records = registry.read()
    ended = _decisions(records, name)
    if not ended:
        require_declared(context, name)
        require_readable_record(name, records)
        raise UsageError(f"{name} is neither on hold nor rolled back", f"see: reconcile status {name}")
    now = datetime.now(UTC)
    said = "; ".join(_ended_text(decision, now.date()) for decision in ended)
    body = {"reason": reason, "who": author(), "said": said}
    with private_files():
        registry.end_decisions(ended, [LedgerEntry(now, "resumed", name, body)])
    return print_line(options, "resume", f"{name}: resumed: {said}; {_what_follows(context.fleet, name)}")


def _what_follows(fleet: Fleet, name: str) -> str:
    """Return what the next pass does about the releases of a recipe that nobody holds back any more."""
    recipe = fleet.recipes.get(name)
    if recipe is None:
        return "nothing is tried: it is not declared"
    if not recipe.enrolled:
        return f"nothing is tried: it is not enrolled ({recipe.exception})"
    return "the next pass tries what waits"


def _decisions(records: Records, name: str) -> Sequence[Hold | Rollback]:
    """Return the recorded hold of the recipe `name`, and then its recorded rollback; [] if it has neither."""
    found = (records.holds.get(name), records.rollbacks.get(name))
    return [decision for decision in found if decision is not None]


def _ended_text(decision: Hold | Rollback, today: date) -> str:
    """Return a sentence on a hold or rollback that a person ends now: whose it was, and why.

    If `decision` is a hold that is over already on the day `today`, the sentence says that it has ended.
    """
    if isinstance(decision, Rollback):
        return f"it was {came_from(decision)} by {decision.who} ({decision.reason})"
    if decision.is_over(today):
        return ended_text(decision)
    return f"it was on hold by {decision.who} ({decision.reason})"
