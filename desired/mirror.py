"""Where the mirrors of a fleet are pushed to."""

from attrs import frozen


@frozen
class Mirror:
    """The forge to which mirrors are pushed.

    * `push`: the address of a recipe's repository there, with "{recipe}" for its name; "" if nothing is pushed.
    * `token`: the path of a file with the forge's token, or the name of a systemd credential; "" if none is needed.
    """

    push: str = ""
    token: str = ""

    def address(self, recipe: str) -> str:
        """Return the address to which the mirror of the recipe is pushed; "" if nothing is pushed."""
        return self.push.replace("{recipe}", recipe)
