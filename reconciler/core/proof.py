"""The result of a proof that a pass would do nothing."""

from collections.abc import Mapping

from attrs import frozen

from reconciler.core.exit_codes import COULD_NOT, HOLLOW, IN_SYNC, WANTED


@frozen
class Proof:
    """The result of a proof that a pass would do nothing. For it, two plans are made, one right after the other.

    `digest` is that of everything on which the plan depends, `recipes` the number of selected recipes that are
    enrolled. `unsettled` has what a pass would do, by recipe. `unseen` has the recipes for which that is not known,
    with the reason. `moved` names what differed between the two plans. `left` names what a dead pass or an ended hold
    left for the next pass.
    """

    digest: str
    recipes: int
    unsettled: Mapping[str, str]
    unseen: Mapping[str, str]
    moved: tuple[str, ...]
    left: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """5 if no recipe is enrolled, else 1 if one could not be seen, else 2 if a pass would do something, else 0."""
        if not self.recipes:
            return HOLLOW
        if self.unseen:
            return COULD_NOT
        return WANTED if self.unsettled or self.moved or self.left else IN_SYNC
