"""Draws the timeline of a recipe: when releases were first seen, what was tried, and which release was canonical."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.core.activity import PastTrial
from reconciler.core.events import Event
from reconciler.show.quantities import moment
from state.records import KnownTag

_MARKS: Final[Mapping[str, str]] = {
    "promoted": "dot",
    "repaired": "dot",
    "red": "cross",
    "infrastructure": "square",
    "green-not-promoted": "square",
}
# How many canonicals the text names.
_NAMED: Final = 5
_DECISIONS: Final = frozenset({"accepted", "held", "resumed", "rolled-back", "forgotten", "abandoned"})


@frozen
class Mark:
    """A small sign in a lane of a recipe's timeline, for one thing that happened.

    * `x`: where the sign is, in percent of the timeline's width.
    * `shape`: the id of the SVG symbol to draw. The style sheet chooses the colour by it.
    * `title`: in words what the sign stands for.
    """

    x: str
    shape: str
    title: str


@frozen
class Band:
    """A band in a recipe's timeline: the time during which one release was the canonical.

    * `x`, `width`: where the band begins and how wide it is, in percent of the timeline's width.
    * `title`: in words what the band shows.
    * `is_last`: True if the recipe has no later event that made or removed a canonical.
    """

    x: str
    width: str
    version: str
    title: str
    is_last: bool


@frozen
class Timeline:
    """The lanes of the timeline of one recipe.

    * `releases`: the lane with a sign for each time at which releases were first seen.
    * `trials`: the lane with a sign for each trial.
    * `decisions`: the lane with a sign for each decision, such as a hold or a rollback.
    * `bands`: the lane of canonicals.
    * `first`, `last`: the times at the left and at the right end of the timeline.
    * `text`: the whole past of the recipe in one sentence.
    * `earlier`: how many signs and bands are not drawn, because they are too old.
    """

    releases: tuple[Mark, ...]
    trials: tuple[Mark, ...]
    decisions: tuple[Mark, ...]
    bands: tuple[Band, ...]
    first: datetime
    last: datetime
    text: str
    earlier: int


def timeline_of(
    known: Mapping[str, KnownTag], trials: Sequence[PastTrial], events: Sequence[Event], now: datetime, most: int
) -> Timeline | None:
    """Return the timeline of one recipe up to the time `now`; None if nothing is known of the recipe.

    * `known`: the recipe's release tags, each with the time when it was first seen.
    * `trials`, `events`: the recipe's trials and its events in the ledger, the oldest first.
    * `most`: how many signs or bands are drawn in each lane at most. The latest are drawn.
    """
    all_made = [event for event in events if event.kind in {"promoted", "rolled-back", "forgotten"}]
    all_decided, all_seen = [each for each in events if each.kind in _DECISIONS], _first_seen(known)
    earlier = sum(max(len(lane) - most, 0) for lane in (trials, all_decided, all_seen, all_made))
    text = _text(known, trials, all_made)
    trials, decided, seen, made = trials[-most:], all_decided[-most:], all_seen[-most:], all_made[-most:]
    times = [
        *(when for when, _ in seen),
        *(trial.ended_at for trial in trials),
        *(each.at for each in (*decided, *made)),
    ]
    if not times:
        return None
    axis = _Axis(min(times), max([now, *times]))
    return Timeline(
        releases=tuple(Mark(axis.at(when), "ring", _seen_title(when, tags)) for when, tags in seen),
        trials=tuple(_trial_mark(trial, axis) for trial in trials),
        decisions=tuple(Mark(axis.at(each.at), "flag", _decision_title(each)) for each in decided),
        bands=tuple(_bands(made, axis)),
        first=axis.first,
        last=axis.last,
        text=text,
        earlier=earlier,
    )


@frozen
class _Axis:
    """Turns a time between `first` and `last` into a place between 1 and 99 percent of the timeline's width."""

    first: datetime
    last: datetime

    def place(self, when: datetime) -> float:
        span = (self.last - self.first).total_seconds()
        return 1 + 98 * (when - self.first).total_seconds() / span if span > 0 else 99.0

    def at(self, when: datetime) -> str:
        return f"{self.place(when):.4g}%"


def _first_seen(known: Mapping[str, KnownTag]) -> list[tuple[datetime, list[str]]]:
    """Return pairs, the oldest first: a time at which releases were first seen, and the tags that were new then."""
    by_time: dict[datetime, list[str]] = {}
    for tag, each in sorted(known.items(), key=lambda item: item[1].first_seen):
        by_time.setdefault(each.first_seen, []).append(tag)
    return list(by_time.items())


def _seen_title(when: datetime, tags: Sequence[str]) -> str:
    named = ", ".join(tags[-3:])
    return f"{moment(when)[:16]}: {named} first seen" + (f", with {len(tags) - 3} more" if len(tags) > 3 else "")  # noqa: PLR2004  the number that it names


def _trial_mark(trial: PastTrial, axis: _Axis) -> Mark:
    title = f"{moment(trial.ended_at)[:16]}: {trial.version} {trial.result}, level {trial.level}"
    return Mark(axis.at(trial.ended_at), _MARKS.get(trial.result, "ring"), title)


def _decision_title(event: Event) -> str:
    return f"{moment(event.at)[:16]}: {event.what} {event.version}".rstrip()


def _bands(made: Sequence[Event], axis: _Axis) -> Iterable[Band]:
    """Yield a band for each canonical in a recipe's past. `axis` turns times into places.

    `made` are the events that made or removed a canonical (promoted, rolled back, forgotten), the oldest first. A band
    ends where the next event in `made` is. If no event follows, the band ends where the timeline ends.
    """
    ends = [*(event.at for event in made[1:]), axis.last]
    for event, until in zip(made, ends, strict=False):
        if event.kind != "forgotten":
            begin = axis.place(event.at)
            width = max(axis.place(until) - begin, 0.5)
            title = f"{event.version} canonical since {moment(event.at)[:16]}"
            yield Band(f"{begin:.4g}%", f"{width:.4g}%", event.version, title, event is made[-1])


def _text(known: Mapping[str, KnownTag], trials: Sequence[PastTrial], made: Sequence[Event]) -> str:
    """Return a sentence on a recipe's past, for people who cannot see the timeline. It counts what is not drawn too."""
    red = sum(trial.result == "red" for trial in trials)
    versions = [event.version for event in made if event.kind != "forgotten"]
    cut = f" (the last {_NAMED} of {len(versions)})" if len(versions) > _NAMED else ""
    canonical = f"canonical were {', '.join(versions[-_NAMED:])}{cut}" if versions else "nothing was canonical yet"
    return f"{len(known)} releases seen, {len(trials)} trials, {red} of them red; {canonical}."
