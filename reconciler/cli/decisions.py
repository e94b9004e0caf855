"""What all commands have in common by which a person decides something: who decides, and why."""

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
