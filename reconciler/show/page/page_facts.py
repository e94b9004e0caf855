"""All that is read and observed for the page of `reconcile report`."""

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
    """All that the page is made of.

    * `explained`: an explanation for each recipe in the report.
    * `events`: the events of the whole ledger, the oldest first.
    * `records`: the records of all recipes.
    * `last`: the last pass over the whole fleet.
    * `asked`: False if no upstream was asked now. Then the page shows what passes have recorded of upstreams.
    * `broken_ledger`: what is wrong with the hashes of the ledger; "" if they are right.
    * `free`: the free space on the disk of the state folder in bytes; None if unknown.
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
        """Return the time from which all ages on the page are counted."""
        return self.report.run.finished_at


@frozen
class PageActivity:
    """What Canon did, by the ledger. The oldest comes first everywhere.

    * `events`: the events of each recipe, by its name.
    * `trials`: all trials.
    * `trials_by_recipe`: the trials of each recipe, by its name.
    * `passes`: all passes.
    """

    events: Mapping[str, Sequence[Event]]
    trials: Sequence[PastTrial]
    trials_by_recipe: Mapping[str, Sequence[PastTrial]]
    passes: Sequence[PastPass]


def activity_of(events: Sequence[Event]) -> PageActivity:
    """Return what Canon did, by the ledger. `events` are the events of the whole ledger, the oldest first."""
    trials = past_trials(events)
    of_recipes: dict[str, list[PastTrial]] = {}
    for trial in trials:
        of_recipes.setdefault(trial.recipe, []).append(trial)
    return PageActivity(by_recipe(events), trials, of_recipes, past_passes(events, trials))
