"""Shows how old the last pass over the whole fleet is, as a line of text and as JSON."""

from collections.abc import Mapping
from datetime import datetime

from reconciler.core.last_pass import LastWholePass
from reconciler.show.quantities import age, duration, moment, rfc3339
from reconciler.show.text.screen import Screen, Style, paint

_REMEDY = "see: systemctl list-timers reconcile.timer"
_AHEAD = "which is in the future: check the clock (timedatectl)"
_REMEDY_AHEAD = "once the clock is right, the next whole pass ends this"


def stale_notes(last: LastWholePass) -> tuple[str, ...]:
    """Return one note if the last pass over the whole fleet is older than `[fleet] stale` allows; else ().

    Return a note too if that pass ended in the future, or if none is recorded, and `[fleet] stale` is declared.
    """
    if not last.is_stale or last.stale_after is None:
        return ()
    limit = f"[fleet] stale is {duration(last.stale_after.total_seconds())}"
    if last.finished_at is None:
        return (f"no pass over the whole fleet is recorded, {limit}; {_REMEDY}",)
    remedy = _REMEDY_AHEAD if last.is_ahead else _REMEDY
    return (f"the last whole pass ended on {_ended_text(last.finished_at, last.now)}, {limit}; {remedy}",)


def _ended_text(then: datetime, now: datetime) -> str:
    """Return when a pass ended, and how long ago that was, or that it is in the future."""
    return f"{moment(then)}, {_AHEAD if then > now else f'{age(then, now)} ago'}"


def whole_pass_text(last: LastWholePass) -> str:
    """Return, in one line, when the last pass over the whole fleet ended, and the limit `[fleet] stale` for its age."""
    if last.is_stale:
        return "; ".join(stale_notes(last))
    ended = f"the last whole pass ended on {moment(last.finished_at)}" if last.finished_at is not None else ""
    ended += f", {_AHEAD}" if last.is_ahead else ""
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
    line = f"last whole pass: {_ended_text(last.finished_at, last.now)}"
    return [paint(line, Style.WARN if last.is_ahead else Style.FAINT, screen)]


def status_lines(last: LastWholePass | None, screen: Screen) -> list[str]:
    """Return a list with one line on the age of the last pass over the whole fleet.

    * The pass is not too old: the line says how old it is.
    * The pass is too old, or the fleet sets a limit and no such pass is recorded: the line is a note which says so.
    * No such pass is recorded and the fleet sets no limit, or its age is not to be shown (`last` is None): the list is
      empty.
    """
    notes = stale_notes(last) if last is not None else ()
    return [paint(f"note: {note}", Style.WARN, screen) for note in notes] + last_pass_lines(last, screen)


def last_pass_part(last: LastWholePass) -> Mapping[str, object]:
    """Return the value of the key "last_whole_pass" of a JSON document.

    It says when the last pass over the whole fleet ended, its age, the limit for this age, and whether the age exceeds
    the limit. Ages are in seconds, negative if the pass ended in the future. A value that is not known or not declared
    is null.
    """
    return {
        "finished_at": rfc3339(last.finished_at) if last.finished_at is not None else None,
        "age_seconds": int(last.age.total_seconds()) if last.age is not None else None,
        "stale_after_seconds": int(last.stale_after.total_seconds()) if last.stale_after is not None else None,
        "stale": last.is_stale,
    }
