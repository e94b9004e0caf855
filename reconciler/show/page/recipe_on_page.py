"""What the page shows of one recipe: a row in the table, and a section that explains it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from attrs import frozen

from reconciler.core.data_history import data_history
from reconciler.core.events import Event, history_of
from reconciler.core.explanation import Explanation, Freshness
from reconciler.core.gate import Condition, ConditionStatus
from reconciler.core.report import Row, bucket_of
from reconciler.show.labels import BUCKETS
from reconciler.show.page.lineage_picture import LineagePicture, lineage_picture
from reconciler.show.page.page_facts import PageActivity, PageFacts
from reconciler.show.page.timeline import Timeline, timeline_of
from reconciler.show.page.tones import BUCKET_TONES
from reconciler.show.page.ways_on_page import WayOnPage, ways_on_page
from reconciler.show.text.columns import wanted_version
from reconciler.show.text.failed_steps import notes_of

MOST_TAGS: Final = 10


@frozen
class PictureLimits:
    """How much of the past of one recipe the page shows at most.

    * `marks`: how many signs in each lane of the timeline.
    * `nodes`: how many releases in the picture of the recipe's data.
    * `events`: how many of the recipe's latest events.
    * `ways`: how many results of ways.
    """

    marks: int
    nodes: int
    events: int
    ways: int


def limits_for(recipes: int) -> PictureLimits:
    """Return the limits for a page with this number of recipes. With them, a page with 300 recipes is below 2 MB."""
    share = 1200 // max(recipes, 1)
    marks, nodes, events = (max(min(share, most), least) for most, least in ((40, 4), (14, 4), (20, 4)))
    return PictureLimits(marks, nodes, events, ways=max(min(share // 2, 8), 2))


@frozen
class RecipeOnPage:
    """One recipe on the page.

    * `number`: the recipe's number on the page, which makes the HTML ids of its elements unique.
    * `row`: the recipe's row in the report.
    * `explained`: the explanation of the recipe.
    * `standing`: the name of the bucket in which the recipe is counted.
    * `tone`: the word by which the style sheet chooses the colour of the bucket.
    * `want`: the wanted version; "?" if unknown, "-" if none is wanted.
    * `notes`: notes on the recipe that have no effect on its result.
    * `timeline`: the picture of the recipe's past; None if nothing is known of the past.
    * `lineage`: the picture of the recipe's data; None if there is no data yet.
    * `history`: the latest events of the recipe, in the order in which they happened.
    * `earlier`: how many events came before those in `history`.
    * `ways`: results of the ways of the canonical. Results in which data may be lost come first.
    * `last_seen`: when upstream was last seen, if the last whole pass did not see upstream; None in any other case.
    """

    number: int
    row: Row
    explained: Explanation
    standing: str
    tone: str
    want: str
    notes: tuple[str, ...]
    timeline: Timeline | None
    lineage: LineagePicture | None
    history: Sequence[Event]
    earlier: int
    ways: Sequence[WayOnPage]
    last_seen: datetime | None

    @property
    def name(self) -> str:
        return self.row.recipe

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Return the conditions for a trial of this recipe, and after them the gate's conditions for its promotion."""
        return (*self.explained.policies, *self.explained.conditions)

    @property
    def conditions_met(self) -> int:
        return sum(each.status is ConditionStatus.PASS for each in self.conditions)


def recipes_on_page(facts: PageFacts, activity: PageActivity) -> tuple[RecipeOnPage, ...]:
    """Return what the page shows of every recipe in the report, in the same order.

    Raise KeyError if `facts` has no explanation for one of the recipes.
    """
    explained = {each.recipe: each for each in facts.explained}
    past = _Past(facts, activity, limits_for(len(facts.report.rows)))
    return tuple(past.recipe(number, row, explained[row.recipe]) for number, row in enumerate(facts.report.rows))


@frozen
class _Past:
    """Makes what the page shows of a recipe: from the recipe's row in the report, its explanation, and its past.

    * `facts`: all that the page is made of.
    * `activity`: what Canon did, by the ledger.
    * `limits`: how much of the past is shown at most.
    """

    facts: PageFacts
    activity: PageActivity
    limits: PictureLimits

    def recipe(self, number: int, row: Row, explained: Explanation) -> RecipeOnPage:
        name, bucket = row.recipe, bucket_of(row)
        events = self.activity.events.get(name, ())
        looked_back = [event for event in history_of(events) if event.kind != "evidence"]
        return RecipeOnPage(
            number=number,
            row=row,
            explained=explained,
            standing=BUCKETS[bucket],
            tone=BUCKET_TONES[bucket],
            want=wanted_version(row),
            notes=tuple(notes_of(row)),
            timeline=self._timeline(name, events),
            lineage=lineage_picture(data_history(events), self.limits.nodes),
            history=looked_back[-self.limits.events :],
            earlier=max(len(looked_back) - self.limits.events, 0),
            ways=ways_on_page(explained.ways, self.limits.ways),
            last_seen=_seen_before(explained.freshness, self.facts.last.finished_at),
        )

    def _timeline(self, name: str, events: Sequence[Event]) -> Timeline | None:
        memory, trials = self.facts.records.memories.get(name), self.activity.trials_by_recipe.get(name, ())
        known = memory.known if memory is not None else {}
        return timeline_of(known, trials, events, self.facts.now, self.limits.marks)


def _seen_before(freshness: Freshness, last: datetime | None) -> datetime | None:
    """Return when a recipe's upstream was last seen, if that was before the last whole pass ended.

    Return None if upstream was seen later, was asked just now, or was never seen. Return None also if `last` is None.

    * `freshness`: how old the facts about upstream are.
    * `last`: when the last whole pass ended; None if no such pass is recorded.
    """
    seen = freshness.seen_at
    return seen if seen is not None and last is not None and not freshness.asked and seen < last else None
