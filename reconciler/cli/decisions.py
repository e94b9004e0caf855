"""Names the person who decides something by a command, and checks the reason. All commands of this kind use it."""

import getpass
import os

from reconciler.errors import UsageError


def author() -> str:
    """Return the name of the user who decides. Under sudo, this is the user who called sudo."""
    return os.environ.get("SUDO_USER") or getpass.getuser()


def require_reason(reason: str) -> None:
    """Raise UsageError if `reason` is blank."""
    if not reason.strip():
        raise UsageError("--reason is empty", "say why; the ledger keeps it")
