"""Decides which environment variables a fleet may name: those to pass on, and those that a recipe sets."""

import re
from typing import Final

from desired.declarations.problems import RefusedError, nearest

PASSED_TO_GIT: Final = (
    "GIT_HTTP_PROXY_AUTHMETHOD",
    "GIT_PROXY_SSL_CAINFO",
    "GIT_PROXY_SSL_CERT",
    "GIT_PROXY_SSL_CERT_PASSWORD_PROTECTED",
    "GIT_PROXY_SSL_KEY",
    "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_CERT_PASSWORD_PROTECTED",
    "GIT_SSL_CERT_TYPE",
    "GIT_SSL_CIPHER_LIST",
    "GIT_SSL_KEY",
    "GIT_SSL_KEY_TYPE",
    "GIT_SSL_VERSION",
)
"""The variables of git that may be passed on: those for TLS, ssh, authentication and proxies.

No other `GIT_` variable may be passed on, since Canon decides git's settings. Other variables reach git as well.
"""

SET_BY_CANON: Final = (
    "ADDRESS",
    "APP_RUN",
    "BACKUP_DIR",
    "COMMIT",
    "HOME",
    "LANG",
    "LC_ALL",
    "RECIPE",
    "SSH_ASKPASS",
    "TMPDIR",
    "URL",
    "VERSION",
)
"""Variables that Canon itself sets for every child process, or for every command of a recipe's tests."""

ENV_NAME: Final = r"[A-Za-z_][A-Za-z0-9_]*"
PATTERN: Final = (
    rf"(?!(?:PATH|{'|'.join(SET_BY_CANON)})$)(?!CANON_)(?!GIT_(?!(?:{'|'.join(n[4:] for n in PASSED_TO_GIT)})$))"
    rf"{ENV_NAME}"
)


def read_passed_name(value: object) -> str:
    """Return `value` if it names a variable that child processes may get from Canon's own environment.

    Raise RefusedError for any other value.
    """
    if value == "PATH":
        raise RefusedError("may not be set: child processes get the PATH of Canon")
    if not isinstance(value, str) or not re.fullmatch(ENV_NAME, value, re.ASCII):
        raise RefusedError("is not the name of a variable: letters, digits and _, no digit first")
    if value in SET_BY_CANON or value.startswith("CANON_"):
        raise RefusedError(f"names {value}, which Canon itself sets for child processes")
    if value == "GIT_SSL_NO_VERIFY":
        raise RefusedError(f"names {value}: an upstream that is not verified proves nothing", "GIT_SSL_CAINFO")
    if value.startswith("GIT_") and value not in PASSED_TO_GIT:
        only = "of git's own variables only those for TLS, proxies and ssh are passed on"
        meant = next((name for name in PASSED_TO_GIT if name.startswith(f"{value}_")), "")
        raise RefusedError(f"names {value}: {only}", meant or nearest(value, PASSED_TO_GIT))
    return value


def read_env_name(value: object) -> str:
    """Return `value` if it is the name of a variable that a recipe may set. Raise RefusedError for any other value."""
    if value == "PATH":
        raise RefusedError("may not be set: child processes get the PATH of Canon")
    if not isinstance(value, str) or not re.fullmatch(ENV_NAME, value):
        raise RefusedError("is not the name of a variable: letters, digits and _, no digit first")
    return value
