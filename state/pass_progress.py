"""What a pass is doing now, what it has done, and what it has still to do. Values only."""

from collections.abc import Collection, Sequence
from datetime import datetime

from attrs import evolve, frozen


@frozen
class PlannedWork:
    """A step of the plan that does something. `action` is the value of its Action.

    `version` is the release that is tried, "" for none. `last_seconds` is how long the recipe's last trial took, None
    if it never had one.
    """

    recipe: str
    action: str
    version: str
    last_seconds: float | None


@frozen
class CurrentWork:
    """What is done for a recipe now, since the time `since`. `began_at` is when its first step began."""

    recipe: str
    doing: str
    began_at: datetime
    since: datetime
    last_seconds: float | None


@frozen
class FinishedWork:
    """A planned step that has ended, with the word for its result."""

    recipe: str
    result: str
    at: datetime


@frozen
class PassProgress:
    """A pass that runs. `trigger` is what started it. `planned` is None until there is a plan.

    `beside` are the recipes that are tried at the same time now, empty if one is tried after the other. `over_budget`
    are the recipes that the fleet's budget leaves to a later pass.
    """

    pass_id: str
    trigger: str
    began_at: datetime
    planned: tuple[PlannedWork, ...] | None = None
    now: tuple[CurrentWork, ...] = ()
    done: tuple[FinishedWork, ...] = ()
    beside: tuple[str, ...] = ()
    over_budget: tuple[str, ...] = ()

    @property
    def left(self) -> tuple[PlannedWork, ...]:
        """Return the planned steps that have not begun, or that have to be done again."""
        begun = {each.recipe for each in self.done} | {each.recipe for each in self.now}
        return tuple(work for work in self.planned or () if work.recipe not in begun)

    def work_of(self, recipe: str) -> PlannedWork | None:
        """Return the planned step of a recipe; None if nothing is planned for it."""
        return next((work for work in self.planned or () if work.recipe == recipe), None)

    def with_plan(self, planned: Sequence[PlannedWork], over_budget: Sequence[str] = ()) -> "PassProgress":
        """Return the progress when the plan is made: no step has begun, and all planned steps are left."""
        return evolve(self, planned=tuple(planned), over_budget=tuple(over_budget), now=(), done=())

    def with_step(self, recipe: str, doing: str, last_seconds: float | None, at: datetime) -> "PassProgress":
        """Return the progress when a step of a recipe begins. Steps of recipes that are not tried beside it are over.

        `last_seconds` is how long the last trial took; if it is None, what was known before stays.
        """
        own = next((each for each in self.now if each.recipe == recipe), None)
        known = own.last_seconds if own is not None and last_seconds is None else last_seconds
        step = CurrentWork(recipe, doing, own.began_at if own is not None else at, at, known)
        others = [each for each in self.now if each.recipe in self.beside and each.recipe != recipe]
        return evolve(self, now=tuple(sorted((*others, step), key=lambda each: each.recipe)))

    def with_beside(self, recipes: Collection[str]) -> "PassProgress":
        """Return the progress when these recipes are tried at the same time; all others are not tried now."""
        now = tuple(each for each in self.now if each.recipe in recipes)
        return evolve(self, beside=tuple(sorted(recipes)), now=now)

    def without(self, recipe: str) -> "PassProgress":
        """Return the progress when nothing is done for a recipe any more."""
        return evolve(self, now=tuple(each for each in self.now if each.recipe != recipe))

    def with_result(self, recipe: str, result: str, at: datetime) -> "PassProgress":
        """Return the progress when the step of a recipe has ended. A step that was not planned is not counted."""
        ended = self.without(recipe)
        if self.work_of(recipe) is None:
            return ended
        return evolve(ended, done=(*ended.done, FinishedWork(recipe, result, at)))


@frozen
class SeenPass:
    """The pass that a file describes. `is_alive` is False if its process ended without removing the file.

    `is_alive` is None if its process is in another container, where it cannot be seen from here.
    """

    progress: PassProgress
    is_alive: bool | None
