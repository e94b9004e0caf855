"""All that the page of `reconcile report` shows, as it was read and observed."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import frozen

from desired.model import Fleet
from reconciler.core.activity import PastPass, PastTrial, past_passes, past_trials
from reconciler.core.events import Event, by_recipe
from reconciler.core.explanation import Explanation
from reconciler.core.last_pass import LastWholePass
from reconciler.core.report import Report
from state.records import Records


@frozen
class PageFacts:
    """All that the page shows. `explained` has one explanation for each row of the report.

    `events` are those of the whole ledger, the oldest first. `last` is the last pass over the whole fleet. `asked` is
    False if no upstream was asked: what is shown of upstreams is then what passes recorded. `broken_ledger` says how
    the ledger was changed, "" if it was not. `free` is the free space on the disk of the state folder in bytes, None if
    it is not known.
    """

    fleet: Fleet
    report: Report
    explained: Sequence[Explanation]
    events: Sequence[Event]
    records: Records
    last: LastWholePass
    asked: bool = True
    broken_ledger: str = ""
    free: int | None = None

    @property
    def now(self) -> datetime:
        """Return the time to which all ages on the page are relative."""
        return self.report.run.finished_at


@frozen
class PageActivity:
    """What Canon did, as the ledger tells it: the events by recipe, all trials, the trials by recipe, and all passes.

    All are in the order of the ledger.
    """

    events: Mapping[str, Sequence[Event]]
    trials: Sequence[PastTrial]
    trials_by_recipe: Mapping[str, Sequence[PastTrial]]
    passes: Sequence[PastPass]


def activity_of(events: Sequence[Event]) -> PageActivity:
    """Return what Canon did. `events` are those of the whole ledger, the oldest first."""
    trials = past_trials(events)
    of_recipes: dict[str, list[PastTrial]] = {}
    for trial in trials:
        of_recipes.setdefault(trial.recipe, []).append(trial)
    return PageActivity(by_recipe(events), trials, of_recipes, past_passes(events, trials))
