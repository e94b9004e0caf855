"""What a command says of kept deployments that it undeployed for a while, and that are not up again."""

from collections.abc import Mapping

from reconciler.core.exit_codes import COULD_NOT, DAMAGED, IN_SYNC
from reconciler.core.observation import CanonicalStatus, State


def not_up_notes(not_up: Mapping[str, CanonicalStatus]) -> tuple[str, ...]:
    """Return a sentence for each kept deployment that is down or cannot be observed.

    `not_up` has the status of the deployment by recipe.
    """
    return tuple(
        f"{name}: {f'its deployment is down ({status.reason})' if status.state is State.DOWN else status.reason}"
        for name, status in not_up.items()
    )


def code_of_not_up(not_up: Mapping[str, CanonicalStatus]) -> int:
    """Return the exit code of a command that did its work, and left kept deployments in the states of `not_up`.

    * 0: `not_up` is empty, so all are up.
    * 1: the deployment of some recipe cannot be observed. This code precedes 3.
    * 3: the deployment of some recipe is down.
    """
    if any(status.state is not State.DOWN for status in not_up.values()):
        return COULD_NOT
    return DAMAGED if not_up else IN_SYNC
