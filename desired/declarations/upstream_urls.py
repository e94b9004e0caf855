"""Checks the addresses of upstream repositories, and finds out their protocols."""

import re
from typing import Final

from desired.declarations.problems import RefusedError, refusal

LONGEST: Final = 2048
_RECIPE: Final = "{recipe}"
_HOST = r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])"
_PATH = r"[^\x00-\x1f\x7f-\x9f\\]+"
_USER = r"[A-Za-z0-9_.~%+][A-Za-z0-9_.~%+-]*"
_NETWORK: Final = re.compile(rf"(?:(https?)://|(ssh)://(?:{_USER}@)?){_HOST}(?::[0-9]{{1,5}})?/{_PATH}", re.ASCII)
_LOCAL: Final = re.compile(rf"(file):///{_PATH}", re.ASCII)
_SCP: Final = re.compile(rf"{_USER}@{_HOST}:(?![-:]){_PATH}", re.ASCII)
# The user name in an ssh address is public. In an HTTP address it may be a token.
_SECRET: Final = re.compile(r"(?!ssh:)[^/]*://[^/]*@|(?:[^/]*://)?[^/]*:[^/]*@")


def protocol_of(upstream: str) -> str | None:
    """Return the protocol of an upstream's address, such as "https"; None if the address is not accepted.

    The protocol of `git@host:path` is "ssh".
    """
    if len(upstream) > LONGEST:
        return None
    if match := _NETWORK.fullmatch(upstream) or _LOCAL.fullmatch(upstream):
        return match[match.lastindex or 0]
    return "ssh" if _SCP.fullmatch(upstream) else None


def read_upstream(value: object) -> str:
    """Return `value` if it is an address that an upstream may have. Raise RefusedError for any other value.

    If there is a password or token in the value, the error does not show it.
    """
    if isinstance(value, str) and protocol_of(value):
        return value
    if isinstance(value, str) and _SECRET.match(value):
        raise RefusedError(
            "has a user, a token or a password, which reports would show: use a key, as ssh://git@host/path.git"
        )
    wants = "an address such as https://host/path.git, git@host:path.git or file:///path"
    raise refusal(wants, value)


def read_push_address(value: object) -> str:
    """Return `value` if it is an address for pushes with "{recipe}" once in it.

    Raise RefusedError for any other value.
    """
    if not isinstance(value, str) or value.count(_RECIPE) != 1 or {*"{}"} & {*value.replace(_RECIPE, "")}:
        wants = 'an address with {recipe} once, such as "ssh://git@forge.example/mirrors/{recipe}.git"'
        raise refusal(wants, value)
    read_upstream(value.replace(_RECIPE, "recipe"))
    return value
