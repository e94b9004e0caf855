"""Reads secrets of the operator: from files, or from credentials that systemd gives to the unit."""

import os
from pathlib import Path

from reconciler.errors import InfrastructureError

_CREDENTIALS = "CREDENTIALS_DIRECTORY"


def read_credential(source: str, what: str, key: str) -> str:
    """Return a secret of the operator, without blanks at both ends.

    * `source`: the path of a file, or the name of a systemd credential of this unit.
    * `what`: what the secret is, such as "the forge's token", for an error.
    * `key`: the key of fleet.toml that names it, such as "[mirror] token", for an error.

    Raise InfrastructureError if the file or the credential is not there, or is empty.
    """
    folder = os.environ.get(_CREDENTIALS)
    if not is_readable_here(source):
        message = f"the credential {source} is only there in a unit with LoadCredential={source}:PATH"
        raise InfrastructureError(message, f"systemctl start the unit, or let {key} name a file")
    path = Path(folder or "/", source)
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as failed:
        raise InfrastructureError(f"{what} {path} cannot be read", f"see {key}") from failed
    if not secret:
        raise InfrastructureError(f"{what} {path} is empty", f"see {key}")
    return secret


def is_readable_here(source: str) -> bool:
    """Return whether this process may read a secret of the operator.

    `source` is the path of a file, or the name of a systemd credential. For a path, return True. For a credential,
    return True only within a systemd unit.
    """
    return source.startswith("/") or bool(os.environ.get(_CREDENTIALS))
