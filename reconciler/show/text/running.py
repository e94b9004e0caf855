"""The text on the pass that runs: lines for `status --watch`, and one line for `status`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.show.quantities import duration, moment
from reconciler.show.text.screen import NOTHING, Cell, Screen, Style, align, paint
from state.pass_progress import CurrentWork, PassProgress, PlannedWork, SeenPass

MOST_NAMED: Final = 6
"""How many of the steps that are left are named."""

_MINUTE: Final = 60


@frozen
class RunningNow:
    """What was seen of the pass that runs.

    * `seen`: the pass that wrote the progress file; None if there is no such file.
    * `holder`: who holds the pass lock, unless it is the pass in `seen`; "" for nobody. The holder may be another
      command, or a pass that has not written its progress file yet.
    * `unseen`: a pass that was seen to run before, is not seen any more, and is not known to be over; None for none.
    """

    seen: SeenPass | None
    holder: str = ""
    unseen: PassProgress | None = None

    @property
    def alive(self) -> PassProgress | None:
        """Return the pass that runs; None if none is seen to run."""
        return self.seen.progress if self.seen is not None and self.seen.is_alive is True else None

    @property
    def hidden(self) -> PassProgress | None:
        """Return the pass of which it is not known whether it runs, since its process cannot be seen; None for none."""
        return self.seen.progress if self.seen is not None and self.seen.is_alive is None else None


def running_lines(running: RunningNow, now: datetime, screen: Screen) -> list[str]:
    """Return lines on the pass that runs: what the pass does now, what is left to do, and what is done.

    If no pass is seen to run, return one line that says so.
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
    """Return a text for when no pass is seen to run. The text also says if a pass died, and who holds the pass lock."""
    texts = ["no pass is seen to run" if running.holder or running.hidden is not None else "no pass runs"]
    if running.seen is not None:
        left = running.seen.progress
        at = "; ".join(doing_text(left, each) for each in left.now)
        how = "may still run: its process cannot be seen from here" if running.hidden is not None else "died"
        texts.append(f"the one that began on {moment(left.began_at)} {how}{f' ({at})' if at else ''}")
    if running.holder:
        texts.append(f"the pass lock is held by {running.holder}")
    return "; ".join(texts)


def status_line(running: RunningNow, now: datetime) -> str:
    """Return the line of `reconcile status` on passes; "" if no pass runs and nobody holds the pass lock.

    * If a pass is seen to run, the line says what the pass does.
    * If a pass may still run, but its process cannot be seen, the line says so.
    * If only the pass lock is held, the line says who holds the lock.
    """
    if running.alive is not None:
        return running_line(running.alive, now)
    return idle_text(running) if running.holder or running.hidden is not None else ""


def running_line(progress: PassProgress, now: datetime) -> str:
    """Return one line on a running pass: "a pass runs since 2026-11-24 10:38:41 UTC, 9 s: notes 1.2.0 install"."""
    doing = "; ".join(doing_text(progress, each) for each in progress.now) or _phase(progress)
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
    """Return two texts: the version that is tried for a recipe, and what is done now, such as the name of a tier.

    The version is "" if no release is tried. `work` is what the pass `progress` does for the recipe.
    """
    planned = progress.work_of(work.recipe)
    version = planned.version if planned is not None else ""
    return version, work.doing.removeprefix(f"{version}: ") if version else work.doing


def doing_text(progress: PassProgress, work: CurrentWork) -> str:
    """Return what is done for a recipe now as one text: recipe, version and step, such as "notes 1.2.0 install"."""
    return " ".join(filter(None, (work.recipe, *release_and_step(progress, work))))


def _rest(progress: PassProgress) -> Iterator[str]:
    """Yield lines on a pass: the steps left to do, the recipes left to a later pass, and what is done."""
    if progress.planned is None or not progress.now:
        yield _phase(progress)
    if progress.left:
        known = [work.last_seconds for work in progress.left if work.last_seconds is not None]
        took = f"; together {duration(sum(known))} last time" if len(known) > 1 else ""
        yield f"left: {named([planned_text(work) for work in progress.left])}{took}"
    if progress.over_budget:
        yield f"over budget, left to a later pass: {named(progress.over_budget)}"
    if progress.planned:
        results = [f"{each.recipe} {each.result}" for each in reversed(progress.done)]
        told = f": {named(results)}" if results else ""
        yield f"done: {len(progress.done)} of {len(progress.planned)}{told}"


def _phase(progress: PassProgress) -> str:
    """Return a text on what a pass does while it works on no step, such as "it is between two steps"."""
    if progress.planned is None:
        return "it asks upstreams and updates mirrors; the plan is not made yet"
    if not progress.planned:
        return "nothing is to be done; it looks once more at what is there"
    return "it is between two steps" if progress.left else "it looks once more at what is there"


def planned_text(work: PlannedWork) -> str:
    """Return one planned step as text, such as "notes 1.2.0 (last time 3 min 20 s)", or "notes (repair)".

    The text has the recipe, the version, and how long the recipe's last trial took. If the step tries no release, the
    text has the recipe and the action.
    """
    if not work.version:
        # `status` looks for a running pass too, and starts sooner without the plan.
        from reconciler.core.plan import Action
        from reconciler.show.labels import ACTION_WORDS

        return f"{work.recipe} ({ACTION_WORDS[Action(work.action)]})"
    last = f"last time {duration(work.last_seconds)}" if work.last_seconds is not None else "no time known"
    return f"{work.recipe} {work.version} ({last})"


def elapsed(since: datetime, now: datetime) -> str:
    """Return the time from `since` to `now` in whole seconds, such as "9 s" or "3 min 20 s"."""
    seconds = max(int((now - since).total_seconds()), 0)
    return f"{seconds} s" if seconds < _MINUTE else duration(seconds)


def named(texts: Sequence[str]) -> str:
    """Return one text that names the first 6 of `texts` and says how many more there are: "a, b, and 4 more"."""
    more = f", and {len(texts) - MOST_NAMED} more" if len(texts) > MOST_NAMED else ""
    return f"{', '.join(texts[:MOST_NAMED])}{more}"
