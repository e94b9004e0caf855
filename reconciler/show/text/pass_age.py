"""Shows how old the last pass over the whole fleet is, as a line of text and as JSON."""

from collections.abc import Mapping

from reconciler.core.last_pass import LastWholePass
from reconciler.show.quantities import age, duration, moment, rfc3339
from reconciler.show.text.screen import Screen, Style, paint

_REMEDY = "see: systemctl list-timers reconcile.timer"


def stale_notes(last: LastWholePass) -> tuple[str, ...]:
    """Return one note if the last pass over the whole fleet is older than `[fleet] stale` allows; else ()."""
    if not last.is_stale or last.stale_after is None:
        return ()
    limit = f"[fleet] stale is {duration(last.stale_after.total_seconds())}; {_REMEDY}"
    if last.finished_at is None:
        return (f"no pass over the whole fleet is recorded, {limit}",)
    return (f"the last whole pass ended on {moment(last.finished_at)}, {age(last.finished_at, last.now)} ago, {limit}",)


def whole_pass_text(last: LastWholePass) -> str:
    """Return, in one line, when the last pass over the whole fleet ended, and the limit `[fleet] stale` for its age."""
    if last.is_stale:
        return "; ".join(stale_notes(last))
    ended = f"the last whole pass ended on {moment(last.finished_at)}" if last.finished_at is not None else ""
    limit = duration(last.stale_after.total_seconds()) if last.stale_after is not None else "not declared"
    return "; ".join(filter(None, (ended, f"[fleet] stale is {limit}")))


def last_pass_lines(last: LastWholePass | None, screen: Screen) -> list[str]:
    """Return one line on how old the last pass over the whole fleet is.

    Return [] in three cases:

    * `last` is None: the caller wants no such line.
    * `last` has no time: no pass over the whole fleet is recorded.
    * The pass is too old: then a note of `stale_notes` says so instead.
    """
    if last is None or last.finished_at is None or last.is_stale:
        return []
    line = f"last whole pass: {moment(last.finished_at)}, {age(last.finished_at, last.now)} ago"
    return [paint(line, Style.FAINT, screen)]


def status_lines(last: LastWholePass | None, screen: Screen) -> list[str]:
    """Return a list with one line on the age of the last pass over the whole fleet.

    * The pass is not too old: the line says how old it is.
    * The pass is too old, or the fleet sets a limit and no such pass is recorded: the line is a note which says so.
    * `last` is None, or no such pass is recorded and the fleet sets no limit: the list is empty.
    """
    notes = stale_notes(last) if last is not None else ()
    return [paint(f"note: {note}", Style.WARN, screen) for note in notes] + last_pass_lines(last, screen)


def last_pass_part(last: LastWholePass) -> Mapping[str, object]:
    """Return the value of the key "last_whole_pass" of a JSON document.

    It says when the last pass over the whole fleet ended, its age, the limit for this age, and whether the age exceeds
    the limit. Ages are in seconds. A value that is not known or not declared is null.
    """
    return {
        "finished_at": rfc3339(last.finished_at) if last.finished_at is not None else None,
        "age_seconds": int(last.age.total_seconds()) if last.age is not None else None,
        "stale_after_seconds": int(last.stale_after.total_seconds()) if last.stale_after is not None else None,
        "stale": last.is_stale,
    }
