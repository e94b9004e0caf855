"""The result of `reconcile prove`: whether a pass would do nothing."""

from collections.abc import Mapping

from attrs import frozen

from reconciler.core.exit_codes import COULD_NOT, HOLLOW, IN_SYNC, WANTED


@frozen
class Proof:
    """The result of `reconcile prove`: whether it is proved that a pass would do nothing.

    To find out, upstreams and this host are observed and a plan is made, and right after that, all of this is done once
    more. It is proved if `recipes` is greater than 0, and if `unsettled`, `unseen`, `moved`, `left` and `unknown` are
    empty.

    * `digest`: the digest of everything on which the second plan depends.
    * `recipes`: how many of the selected recipes are enrolled.
    * `unsettled`: what a pass would do, by recipe.
    * `unseen`: the recipes for which it is not known what a pass would do, each with the reason.
    * `moved`: what differed between the two plans, or in what they depend on.
    * `left`: what a pass would delete, undeploy or end beside the steps of its plan, and what a dead pass has left.
    * `unknown`: a sentence for each thing of which it is not known whether a pass would clean it up.
    """

    digest: str
    recipes: int
    unsettled: Mapping[str, str]
    unseen: Mapping[str, str]
    moved: tuple[str, ...]
    left: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """Return the exit code of `reconcile prove`, the first of these that applies.

        * 5: no recipe is enrolled.
        * 1: it is not known what a pass would do for some recipe, or what it would clean up.
        * 2: a pass would do something or clean up something; or the two plans, made one right after the other from
          separate observations, differ or depend on something that has changed in between.
        * 0: a pass would do nothing.
        """
        if not self.recipes:
            return HOLLOW
        if self.unseen or self.unknown:
            return COULD_NOT
        return WANTED if self.unsettled or self.moved or self.left else IN_SYNC
