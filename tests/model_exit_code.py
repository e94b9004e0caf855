"""The exit code and the count that the model expects of a report."""

from collections.abc import Iterable

from reconciler.core.findings import Cause
from reconciler.core.outcome import Result
from tests.pass_model import ExpectedWork, RecipeFacts, RecipeModel


def exit_code_of(
    left: Iterable[tuple[ExpectedWork, RecipeModel, RecipeFacts, Result]], orphans: Iterable[RecipeModel] = ()
) -> int:
    """Return the exit code: the worst of all recipes, after a pass or of a plan."""
    codes: set[int] = set()
    enrolled = 0
    for work, model, facts, result in left:
        enrolled += facts.enrolled
        if facts.enrolled:
            codes |= _codes(work, model, result)
    for orphan in orphans:
        codes |= {4, 3} if orphan.damaged else {4}
    if not enrolled:
        return 5
    return next((code for code in (1, 4, 3, 2) if code in codes), 0)


def is_in_sync(work: ExpectedWork, model: RecipeModel, facts: RecipeFacts, result: Result) -> bool:
    """Whether a recipe counts as in sync."""
    return facts.enrolled and work.cause is Cause.IN_SYNC and not _codes(work, model, result)


def _codes(work: ExpectedWork, model: RecipeModel, result: Result) -> set[int]:
    holds = {
        1: work.cause is Cause.UNOBSERVABLE or result is Result.INFRASTRUCTURE,
        4: work.person or result in {Result.RED, Result.GREEN_NOT_PROMOTED},
        3: model.damaged,
        2: work.target is not None and not work.repairs,
    }
    return {code for code, is_so in holds.items() if is_so}
