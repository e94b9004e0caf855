"""What the page shows of trials: a bar with the time of each tier. Also how much of the disk snapshots take."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from attrs import frozen

from desired.model import TierName
from reconciler.core.activity import PastTrial, TierTime
from reconciler.show.page.page_facts import PageActivity, PageFacts
from reconciler.show.page.tones import FAINT, RESULT_TONES
from reconciler.show.quantities import duration
from state.records import Canonical

MOST_TRIALS: Final = 60


@frozen
class BarPart:
    """One part of a bar that shows the time of a trial: the time of one tier.

    * `x`, `width`: where the part begins and how wide it is, in percent of a whole bar.
    * `css`: the CSS class that gives the part its colour.
    * `title`: in words what the part stands for.
    """

    x: str
    width: str
    css: str
    title: str


@frozen
class TrialOnPage:
    """One trial on the page, with a bar for the time of its tiers.

    * `tone`: the word by which the style sheet chooses the colour of the trial's result.
    * `bar`: the parts of the bar, one for each tier that took any time.
    * `before`: the trial of the same recipe before this one; None if there was none.
    """

    trial: PastTrial
    tone: str
    bar: tuple[BarPart, ...]
    before: PastTrial | None


@frozen
class SnapshotSizes:
    """How much of the disk all canonicals take, in bytes.

    * `packed`: the size of their snapshots, which are compressed.
    * `unpacked`: the size of the data in these snapshots.
    * `largest`: the canonicals with the largest snapshots, the largest first.
    * `free`: what is free on the disk of the state folder; None if unknown.
    """

    packed: int
    unpacked: int
    largest: tuple[Canonical, ...]
    free: int | None


def trials_on_page(activity: PageActivity) -> tuple[TrialOnPage, ...]:
    """Return what the page shows of the last 60 trials, the latest first. The longest of these has a bar of 100 %."""
    shown = activity.trials[-MOST_TRIALS:]
    longest = max((trial.seconds for trial in shown), default=0.0)
    before = dict(_with_trial_before(activity.trials_by_recipe))
    made = (
        TrialOnPage(
            trial, RESULT_TONES.get(trial.result, FAINT), tuple(_parts(trial.tiers, longest)), before.get(id(trial))
        )
        for trial in shown
    )
    return tuple(reversed(tuple(made)))


def _with_trial_before(by_recipe: Mapping[str, Sequence[PastTrial]]) -> Iterator[tuple[int, PastTrial]]:
    """Yield pairs, one for each trial: Python's `id()` of the trial, and the trial of the same recipe before it.

    `by_recipe` has the trials of each recipe, the oldest first. The first trial of a recipe gives no pair.
    """
    for trials in by_recipe.values():
        yield from ((id(trial), before) for before, trial in pairwise(trials))


def _parts(tiers: Iterable[TierTime], longest: float) -> Iterator[BarPart]:
    """Yield the parts of a trial's bar, one for each tier that took any time.

    `longest` is how many seconds a whole bar stands for.
    """
    begin = 0.0
    names = list(TierName)
    for tier in tiers:
        share = 100 * tier.seconds / longest if longest > 0 else 0.0
        number = names.index(TierName(tier.name)) if tier.name in names else len(names)
        if share > 0:
            title = f"{tier.name}: {tier.verdict}, {duration(tier.seconds)}"
            yield BarPart(f"{begin:.4g}%", f"{share:.4g}%", f"t{number}", title)
        begin += share


def snapshot_sizes(facts: PageFacts, most: int = 5) -> SnapshotSizes:
    """Return how much of the disk all canonicals take, and the `most` canonicals with the largest snapshots."""
    canonicals = sorted(facts.records.canonicals.values(), key=lambda each: (-each.seal.packed, each.recipe))
    return SnapshotSizes(
        packed=sum(each.seal.packed for each in canonicals),
        unpacked=sum(each.seal.bytes for each in canonicals),
        largest=tuple(canonicals[:most]),
        free=facts.free,
    )
