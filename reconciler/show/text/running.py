"""The text on the pass that runs: lines for a screen that is drawn again and again, and a line for each change."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.core.events import Event
from reconciler.core.plan import Action
from reconciler.show.escape import escape
from reconciler.show.labels import ACTION_WORDS
from reconciler.show.quantities import duration, moment
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint
from state.pass_progress import CurrentWork, PassProgress, PlannedWork, SeenPass

MOST_NAMED: Final = 6
"""How many of the steps that are left are named."""

_MINUTE: Final = 60


@frozen
class RunningNow:
    """What was seen of passes. `seen` is the pass that wrote the progress file, None if there is no such file.

    `holder` is who holds the pass lock, "" for nobody. It is "" too if the pass is seen alive. Other commands hold the
    lock as well, and a pass holds it for a moment before it writes its file.
    """

    seen: SeenPass | None
    holder: str = ""

    @property
    def alive(self) -> PassProgress | None:
        """Return the pass that runs; None if none is seen."""
        return self.seen.progress if self.seen is not None and self.seen.is_alive is True else None


def running_lines(running: RunningNow, now: datetime, screen: Screen) -> list[str]:
    """Return the lines on the pass that runs: what it does now, what is left, and what is done.

    If none runs, return one line that says so.
    """
    progress = running.alive
    if progress is None:
        return [paint(idle_text(running), Style.FAINT, screen)]
    title = f"pass {progress.pass_id} ({progress.trigger}) runs since {moment(progress.began_at)}"
    lines = [paint(f"{title}, {elapsed(progress.began_at, now)}", Style.STRONG, screen)]
    if progress.now:
        titles = ["NOW", "RELEASE", "DOING", "FOR", "IN ALL", "LAST TIME"]
        lines += align(titles, [_cells(progress, each, now) for each in progress.now], screen)
    return [*lines, *(paint(line, Style.FAINT, screen) for line in _rest(progress))]


def idle_text(running: RunningNow) -> str:
    """Return the sentence for when no pass is seen to run: whether one died, and who holds the lock."""
    texts = ["no pass is seen to run" if running.holder or _is_hidden(running) else "no pass runs"]
    if running.seen is not None:
        left = running.seen.progress
        at = "; ".join(_doing(left, each) for each in left.now)
        how = "may still run: its process cannot be seen from here" if _is_hidden(running) else "died"
        texts.append(f"the one that began on {moment(left.began_at)} {how}{f' ({at})' if at else ''}")
    if running.holder:
        texts.append(f"the pass lock is held by {running.holder}")
    return "; ".join(texts)


def _is_hidden(running: RunningNow) -> bool:
    return running.seen is not None and running.seen.is_alive is None


def running_line(progress: PassProgress, now: datetime) -> str:
    """Return the line of `reconcile status` on a pass that runs: since when, and what it does now."""
    doing = "; ".join(_doing(progress, each) for each in progress.now) or _phase(progress)
    return f"a pass runs since {moment(progress.began_at)}, {elapsed(progress.began_at, now)}: {doing}"


def _cells(progress: PassProgress, work: CurrentWork, now: datetime) -> list[Cell]:
    version, doing = release_and_step(progress, work)
    return [
        Cell(work.recipe, Style.STRONG),
        Cell(version or NOTHING),
        Cell(doing, Style.DOING),
        Cell(elapsed(work.since, now)),
        Cell(elapsed(work.began_at, now)),
        Cell(duration(work.last_seconds) if work.last_seconds is not None else NOTHING),
    ]


def release_and_step(progress: PassProgress, work: CurrentWork) -> tuple[str, str]:
    """Return the version that is tried, "" for none, and what is done for it now, such as the name of a tier."""
    planned = progress.work_of(work.recipe)
    version = planned.version if planned is not None else ""
    return version, work.doing.removeprefix(f"{version}: ") if version else work.doing


def _doing(progress: PassProgress, work: CurrentWork) -> str:
    return " ".join(filter(None, (work.recipe, *release_and_step(progress, work))))


def _rest(progress: PassProgress) -> Iterator[str]:
    """Yield the lines on what is left and on what is done."""
    if progress.planned is None or not progress.now:
        yield _phase(progress)
    if progress.left:
        known = [work.last_seconds for work in progress.left if work.last_seconds is not None]
        took = f"; together {duration(sum(known))} last time" if len(known) > 1 else ""
        yield f"left: {_named([_planned(work) for work in progress.left])}{took}"
    if progress.over_budget:
        yield f"over budget, left to a later pass: {_named(progress.over_budget)}"
    if progress.planned:
        results = [f"{each.recipe} {each.result}" for each in reversed(progress.done)]
        told = f": {_named(results)}" if results else ""
        yield f"done: {len(progress.done)} of {len(progress.planned)}{told}"


def _phase(progress: PassProgress) -> str:
    """Return a text on what a pass does while it works on no step of its plan."""
    if progress.planned is None:
        return "it asks upstreams and updates mirrors; the plan is not made yet"
    if not progress.planned:
        return "nothing is to be done; it looks once more at what is there"
    return "it is between two steps" if progress.left else "it looks once more at what is there"


def _planned(work: PlannedWork) -> str:
    """Return one planned step as text: recipe, version, and how long the recipe's last trial took.

    If no release is tried, return recipe and action.
    """
    if not work.version:
        return f"{work.recipe} ({ACTION_WORDS[Action(work.action)]})"
    last = f"last time {duration(work.last_seconds)}" if work.last_seconds is not None else "no time known"
    return f"{work.recipe} {work.version} ({last})"


def elapsed(since: datetime, now: datetime) -> str:
    """Return the time from `since` to `now` in whole seconds, as in "9 s" or "3 min 20 s"."""
    seconds = max(int((now - since).total_seconds()), 0)
    return f"{seconds} s" if seconds < _MINUTE else duration(seconds)


def _named(texts: Sequence[str]) -> str:
    more = f", and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return f"{', '.join(texts[:MOST_NAMED])}{more}"


# ---- a line for each change ----


def over_pass(before: RunningNow | None, after: RunningNow) -> PassProgress | None:
    """Return the pass that ran in `before` and no longer runs in `after`; None if there is none."""
    earlier = before.alive if before is not None else None
    is_over = earlier is not None and (after.alive is None or after.alive.pass_id != earlier.pass_id)
    return earlier if is_over else None


def change_lines(before: RunningNow | None, after: RunningNow, end: Event | None, now: datetime) -> list[str]:
    """Return a line, with the time `now`, for each thing that changed from `before` to `after`.

    `before` is None at the first look: then all counts as new. If the pass of `before` is over, `end` is its last event
    in the ledger; None if it is not over, or if it died.
    """
    return [f"{moment(now)}  {escape(text)}" for text in _changes(before, after, end)]


def _changes(before: RunningNow | None, after: RunningNow, end: Event | None) -> Iterator[str]:
    over = over_pass(before, after)
    if over is not None:
        yield from _end(over, end)
    later = after.alive
    if later is None:
        if before is None or over is not None or idle_text(before) != idle_text(after):
            yield idle_text(after)
        return
    earlier = before.alive if before is not None and over is None else None
    if earlier is None:
        yield f"pass {later.pass_id} ({later.trigger}) runs since {moment(later.began_at)}"
    yield from _progress_changes(earlier, later)


def _end(over: PassProgress, end: Event | None) -> Iterator[str]:
    """Yield the results of the pass `over` that were not seen while it ran, and how it ended.

    `end` is its last event in the ledger, None if it recorded none.
    """
    results = end.body.get("results") if end is not None else None
    seen = {each.recipe for each in over.done}
    if isinstance(results, Mapping):
        yield from (f"{recipe}: {result}" for recipe, result in results.items() if recipe not in seen)
    yield f"pass {over.pass_id} is over: {end.text if end is not None else 'it recorded no end'}"


def _progress_changes(earlier: PassProgress | None, later: PassProgress) -> Iterator[str]:
    """Yield a text for each change within a pass: the plan, each result, and each step that began.

    `earlier` is None if the pass was not seen before.
    """
    if later.planned is not None and (earlier is None or earlier.planned is None):
        steps = [_planned(work) for work in later.planned]
        yield f"planned: {_named(steps)}" if steps else "planned: nothing is to be done"
    known = set(earlier.done) if earlier is not None else set()
    for ended in later.done:
        if ended not in known:
            yield f"{ended.recipe}: {ended.result}"
    running = set(earlier.now) if earlier is not None else set()
    for work in later.now:
        if work not in running:
            last = f" (last time {duration(work.last_seconds)})" if work.last_seconds is not None else ""
            yield f"{_doing(later, work)}{last}"
