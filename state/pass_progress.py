"""What a pass is doing now, what it has done, and what is left for it to do."""

from collections.abc import Collection, Sequence
from datetime import datetime

from attrs import evolve, frozen


@frozen
class PlannedWork:
    """A step of the plan that does something.

    * `action`: a word for what the step does, such as "promote".
    * `version`: the release that the step tries; "" if it tries none.
    * `last_seconds`: how long the recipe's last trial took; None if there was none, or if the step tries no release.
    """

    recipe: str
    action: str
    version: str
    last_seconds: float | None


@frozen
class CurrentWork:
    """What is being done for a recipe now.

    * `doing`: what is being done, in a few words.
    * `began_at`: when this pass began to do something for the recipe.
    * `since`: when the pass began to do what `doing` says.
    * `last_seconds`: how long the recipe's last trial took; None if unknown.
    """

    recipe: str
    doing: str
    began_at: datetime
    since: datetime
    last_seconds: float | None


@frozen
class FinishedWork:
    """A planned step that ended at the time `at`. `result` is the word for its result, such as "promoted"."""

    recipe: str
    result: str
    at: datetime


@frozen
class PassProgress:
    """A pass that runs: what it does now, and what it has done.

    * `trigger`: what started the pass, such as "timer".
    * `planned`: the steps of the plan that do something; None until there is a plan.
    * `now`: what is being done now, one entry for each recipe.
    * `done`: the planned steps that have ended.
    * `beside`: the recipes that are tried at the same time; () if one is tried after the other.
    * `over_budget`: the recipes that are left to a later pass, because this pass is not allowed to try more.
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
        """Return the planned steps that have not begun yet, or that have to be done again."""
        begun = {each.recipe for each in self.done} | {each.recipe for each in self.now}
        return tuple(work for work in self.planned or () if work.recipe not in begun)

    def work_of(self, recipe: str) -> PlannedWork | None:
        """Return the planned step of a recipe; None if nothing is planned for it."""
        return next((work for work in self.planned or () if work.recipe == recipe), None)

    def with_plan(self, planned: Sequence[PlannedWork], over_budget: Sequence[str] = ()) -> "PassProgress":
        """Return a copy with the plan `planned`, of which no step has begun.

        `over_budget` are the recipes that are left to a later pass.
        """
        return evolve(self, planned=tuple(planned), over_budget=tuple(over_budget), now=(), done=())

    def with_step(self, recipe: str, doing: str, last_seconds: float | None, at: datetime) -> "PassProgress":
        """Return a copy in which a step of a recipe began at the time `at`. `doing` says what is done, in a few words.

        The steps of recipes that are not in `beside` count as ended. `last_seconds` is how long the recipe's last trial
        took; with None, the time that was known before stays. If a recipe that was over budget is tried after all, it
        is removed from `over_budget`.
        """
        own = next((each for each in self.now if each.recipe == recipe), None)
        known = own.last_seconds if own is not None and last_seconds is None else last_seconds
        step = CurrentWork(recipe, doing, own.began_at if own is not None else at, at, known)
        others = [each for each in self.now if each.recipe in self.beside and each.recipe != recipe]
        is_tried = doing.startswith("trying ")
        over_budget = tuple(each for each in self.over_budget if not is_tried or each != recipe)
        now = tuple(sorted((*others, step), key=lambda each: each.recipe))
        return evolve(self, now=now, over_budget=over_budget)

    def with_beside(self, recipes: Collection[str]) -> "PassProgress":
        """Return a copy that says: `recipes` are being tried at the same time, and no other recipe is worked on now."""
        now = tuple(each for each in self.now if each.recipe in recipes)
        return evolve(self, beside=tuple(sorted(recipes)), now=now)

    def without(self, recipe: str) -> "PassProgress":
        """Return a copy that says: the recipe is not worked on now."""
        return evolve(self, now=tuple(each for each in self.now if each.recipe != recipe))

    def with_result(self, recipe: str, result: str, at: datetime) -> "PassProgress":
        """Return a copy in which the step of a recipe ended at the time `at`. `result` is a word such as "promoted".

        The step is added to `done` if it was planned.
        """
        ended = self.without(recipe)
        if self.work_of(recipe) is None:
            return ended
        return evolve(ended, done=(*ended.done, FinishedWork(recipe, result, at)))


@frozen
class SeenPass:
    """The pass that the progress file describes, and whether it still runs.

    `is_alive` is False if the process of the pass ended without removing the file. It is None if the process is in
    another container, where it cannot be seen from here.
    """

    progress: PassProgress
    is_alive: bool | None
