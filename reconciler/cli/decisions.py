"""What all decisions of a person have in common: the author, a reason, and the pass lock."""

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager

from reconciler.cli.command_context import CommandContext, prepare_state
from reconciler.errors import UsageError
from state.folder.lock import Lock, hold


def author() -> str:
    """Return the name of the user who decides. Under sudo, it is the user who called sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def require_reason(reason: str) -> None:
    """Raise UsageError if `reason` is blank."""
    if not reason.strip():
        raise UsageError("--reason is empty", "say why; the ledger keeps it")


@contextmanager
def pass_lock(context: CommandContext, command: str) -> Iterator[Lock]:
    """Hold the pass lock within the `with` block. Creates the state folder if it is missing.

    `command` is written into the lock, so that other processes can name the command that holds it.
    """
    prepare_state(context.state)
    with hold(context.state.lock, command) as lock:
        yield lock
