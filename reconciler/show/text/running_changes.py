"""The text of `reconcile status --watch` without a terminal: a line for each change of the pass that runs."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from attrs import evolve

from reconciler.core.events import Event
from reconciler.show.escape import escape
from reconciler.show.quantities import duration, moment
from reconciler.show.text.running import RunningNow, doing_text, idle_text, named, planned_text
from state.pass_progress import PassProgress


def gone_pass(before: RunningNow | None, after: RunningNow) -> PassProgress | None:
    """Return the pass that was seen to run in `before`, and is not seen to run in `after`; None if there is none.

    If no pass was seen to run in `before`, the pass in its field `unseen` counts, which was seen to run still earlier.

    * `before`: what was seen earlier; None if nothing was.
    * `after`: what was seen later.
    """
    earlier = _earlier(before)
    is_gone = earlier is not None and (after.alive is None or after.alive.pass_id != earlier.pass_id)
    return earlier if is_gone else None


def with_unseen(before: RunningNow | None, after: RunningNow, end: Event | None) -> RunningNow:
    """Return `after`. If the pass in `before` is out of sight, the field `unseen` of the result is that pass.

    A pass is out of sight if it is not seen to run any more, but is not known to be over.

    * `before`: what was seen earlier; None if nothing was.
    * `after`: what was seen later.
    * `end`: the event with which the pass in `before` recorded its end in the ledger; None if it recorded no end.
    """
    gone = gone_pass(before, after)
    return evolve(after, unseen=gone) if gone is not None and not _is_over(gone, after, end) else after


def _earlier(before: RunningNow | None) -> PassProgress | None:
    return (before.alive or before.unseen) if before is not None else None


def _is_over(gone: PassProgress, after: RunningNow, end: Event | None) -> bool:
    """Return whether the pass `gone`, which is not seen to run any more, is over.

    * `after`: what was seen after the pass was gone.
    * `end`: the event with which the pass recorded its end in the ledger; None if it recorded no end.

    The pass is over in one of these cases:

    * The pass recorded its end in the ledger.
    * The progress file was written by a process that is known to be dead, or by another pass.
    * There is no progress file, and nobody holds the pass lock. A missing file alone proves nothing: a pass that cannot
      write to the file removes it.
    """
    if end is not None:
        return True
    if after.seen is None:
        return not after.holder
    return after.seen.is_alive is not None or after.seen.progress.pass_id != gone.pass_id


def change_lines(before: RunningNow | None, after: RunningNow, end: Event | None, now: datetime) -> list[str]:
    """Return a line for each change of the running pass from `before` to `after`.

    * `before`: what was seen earlier; None if nothing was. Then everything counts as new.
    * `after`: what was seen later.
    * `end`: the event with which the pass in `before` recorded its end in the ledger; None if this pass still runs, or
      died without recording its end.
    * `now`: the time with which each line begins.
    """
    return [f"{moment(now)}  {escape(text)}" for text in _changes(before, after, end)]


def _changes(before: RunningNow | None, after: RunningNow, end: Event | None) -> Iterator[str]:
    gone, earlier = gone_pass(before, after), _earlier(before)
    if gone is not None and not _is_over(gone, after, end):
        if before is None or before.alive is not None or idle_text(before) != idle_text(after):
            yield _unseen(gone, after)
        return
    if gone is not None:
        yield from _end(gone, end)
    later = after.alive
    if later is None:
        if before is None or gone is not None or idle_text(before) != idle_text(after):
            yield idle_text(after)
        return
    if before is None or before.alive is None or gone is not None:
        yield f"pass {later.pass_id} ({later.trigger}) runs since {moment(later.began_at)}"
    yield from _progress_changes(earlier if gone is None else None, later)


def _unseen(gone: PassProgress, after: RunningNow) -> str:
    """Return a text on the pass `gone`, which is no longer seen to run, but is not known to be over.

    `after` is what was seen later: the text says why the pass is perhaps out of sight, and who holds the pass lock.
    """
    why = "its process cannot be seen from here" if after.hidden is not None else "perhaps it cannot write what it does"
    held = f"; the pass lock is held by {after.holder}" if after.holder else ""
    return f"pass {gone.pass_id} is no longer seen; {why}{held}"


def _end(over: PassProgress, end: Event | None) -> Iterator[str]:
    """Yield texts on a pass that is over: first the results that were not seen while it ran, then how it ended.

    `end` is the event with which the pass recorded its end in the ledger; None if it recorded no end.
    """
    results = end.body.get("results") if end is not None else None
    seen = {each.recipe for each in over.done}
    if isinstance(results, Mapping):
        yield from (f"{recipe}: {result}" for recipe, result in results.items() if recipe not in seen)
    yield f"pass {over.pass_id} is over: {end.text if end is not None else 'it recorded no end'}"


def _progress_changes(earlier: PassProgress | None, later: PassProgress) -> Iterator[str]:
    """Yield a text for each change within a pass, from `earlier` to `later`: the plan, new results, and new steps.

    `earlier` is None if the pass was not seen before: then everything counts as new.
    """
    if later.planned is not None and (earlier is None or earlier.planned is None):
        steps = [planned_text(work) for work in later.planned]
        yield f"planned: {named(steps)}" if steps else "planned: nothing is to be done"
    known = set(earlier.done) if earlier is not None else set()
    for ended in later.done:
        if ended not in known:
            yield f"{ended.recipe}: {ended.result}"
    running = set(earlier.now) if earlier is not None else set()
    for work in later.now:
        if work not in running:
            last = f" (last time {duration(work.last_seconds)})" if work.last_seconds is not None else ""
            yield f"{doing_text(later, work)}{last}"
