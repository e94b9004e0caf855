"""Where a fleet's mirrors are pushed to."""

from attrs import frozen


@frozen
class Mirror:
    """The forge to which mirrors are pushed.

    `push` is the address of a recipe's repository there, with "{recipe}" for its name; "" if nothing is pushed. `token`
    is the path of a file with the forge's token, or the name of a systemd credential; "" if no token is needed.
    """

    push: str = ""
    token: str = ""

    def address(self, recipe: str) -> str:
        """Return the address to which the mirror of the recipe is pushed."""
        return self.push.replace("{recipe}", recipe)
