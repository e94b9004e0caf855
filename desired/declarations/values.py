"""The kinds of values in declarations: how each is read, and its JSON Schema for editors.

Values are never converted: a number is not accepted as text, nor true as a number.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final, NewType

from attrs import field, frozen

from desired.declarations.durations import PATTERN as DURATION
from desired.declarations.durations import read_duration
from desired.declarations.passing import ENV_NAME, read_env_name, read_passed_name
from desired.declarations.passing import PATTERN as PASSED_NAME
from desired.declarations.problems import RefusedError, nearest, refusal
from desired.declarations.recipe_names import PATTERN as RECIPE_NAME
from desired.declarations.sizes import PATTERN as SIZE
from desired.declarations.sizes import read_size
from desired.declarations.upstream_urls import read_push_address, read_upstream
from desired.declarations.version_ranges import CLAUSES, read_range
from desired.declarations.version_ranges import PATTERN as RANGE
from desired.drift_ignore import DRIFT_WORDS
from desired.model import DataPolicy, Keep, WayName
from desired.versions import is_release_name

Argument = NewType("Argument", str)
AllowRange = NewType("AllowRange", str)
Base = NewType("Base", str)
Count = NewType("Count", int)
DriftWord = NewType("DriftWord", str)
DriverName = NewType("DriverName", str)
Duration = NewType("Duration", timedelta)
EnvName = NewType("EnvName", str)
Format = NewType("Format", int)
ImagesWord = NewType("ImagesWord", str)
HttpPath = NewType("HttpPath", str)
Line = NewType("Line", str)
MailAddress = NewType("MailAddress", str)
MailEncryption = NewType("MailEncryption", str)
MailServer = NewType("MailServer", str)
NeverSkipped = NewType("NeverSkipped", str)
OlderReleases = NewType("OlderReleases", str)
OnlyTrue = NewType("OnlyTrue", bool)
OverlayName = NewType("OverlayName", str)
Parallel = NewType("Parallel", int)
PassedName = NewType("PassedName", str)
Protocol = NewType("Protocol", str)
Proxy = NewType("Proxy", str)
PushAddress = NewType("PushAddress", str)
RecipeName = NewType("RecipeName", str)
SecretName = NewType("SecretName", str)
SigningKey = NewType("SigningKey", str)
Size = NewType("Size", int)
StatusCode = NewType("StatusCode", int)
TokenSource = NewType("TokenSource", str)
ToolName = NewType("ToolName", str)
UnitName = NewType("UnitName", str)
UpstreamName = NewType("UpstreamName", str)
WayWord = NewType("WayWord", str)
WebhookUrl = NewType("WebhookUrl", str)
Zone = NewType("Zone", str)

Command = NewType("Command", tuple[Argument, ...])
StatusCodes = NewType("StatusCodes", tuple[StatusCode, ...])
FILLED_LISTS: Final[Mapping[Any, Any]] = {Command: tuple[Argument, ...], StatusCodes: tuple[StatusCode, ...]}
"""The types of lists that may not be empty, each with the type that reads such a list."""

_MAKERS_NAME: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"
_RELEASE: Final = r"v?[0-9]+\.[0-9]+\.[0-9]+(?:\+[0-9A-Za-z._-]+)?"
_LINE: Final = r"(?=.*\S)[^\x00-\x1f\x7f-\x9f]+"
_FILE: Final = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# A recipe's name and a dot come before the zone, and a domain has at most 253 characters.
_ZONE: Final = rf"(?=.{{1,189}}$){_LABEL}(?:\.{_LABEL})*"
_PORT: Final = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# A path, or one of the names that systemd allows for a credential.
_SOURCE: Final = r"/[^\x00-\x1f\x7f]+|[A-Za-z0-9_.:@-]{1,255}"
DIRECT: Final = "direct"
"""The value of `proxy` in a declaration if there is no proxy; desired.model has None for it."""

_HOST: Final = r"(?:[A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9A-Fa-f:.]+\])"
_PROXY: Final = rf"{DIRECT}|http://{_HOST}(?::{_PORT})?"
# What needs no quotes, and so cannot add a header or another recipient.
_MAIL_ADDRESS: Final = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,251}"


@frozen
class Kind:
    """A kind of value in declarations.

    `read` returns what a parsed TOML value stands for, or raises RefusedError. `schema` is the JSON Schema for editors.
    """

    read: Callable[[object], object]
    schema: Mapping[str, object] = field(factory=dict)


def _text(wants: str, pattern: str, *, hides: bool = False) -> Kind:
    """Return the kind of texts that match `pattern` completely. `wants` describes them in errors.

    If `hides` is True, the error for a refused text does not show that text, because it may have a secret in it.
    """

    def read(value: object) -> str:
        # Compiled at the first value, and kept by `re`: no fleet has values of all kinds.
        if isinstance(value, str) and re.fullmatch(pattern, value):
            return value
        raise RefusedError(f"wants {wants}") if hides and isinstance(value, str) else refusal(wants, value)

    return Kind(read, {"type": "string", "pattern": f"^(?:{pattern})$"})


def _choice(*names: str) -> Kind:
    """Return the kind of values that are one of the texts `names`."""
    wants = ("one of " if len(names) > 1 else "") + ", ".join(f'"{name}"' for name in names)

    def read(value: object) -> str:
        if value not in names or not isinstance(value, str):
            raise refusal(wants, value, nearest(value, names) if isinstance(value, str) else "")
        return value

    return Kind(read, {"enum": list(names)})


def _number(low: int, high: int) -> Kind:
    """Return the kind of whole numbers from `low` to `high`."""

    def read(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise refusal(f"a whole number from {low} to {high}", value)
        return value

    return Kind(read, {"type": "integer", "minimum": low, "maximum": high})


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise refusal("true or false", value)
    return value


def _only_true(value: object) -> bool:
    if value is not True:
        raise refusal("true, or to be left out", value)
    return value


def _day(value: object) -> date:
    if type(value) is not date:
        raise refusal("a date such as 2027-03-01", value)
    return value


def _format(value: object) -> int:
    if type(value) is not int or value != 1:
        raise refusal("1", value)
    return value


def _older_releases(value: object) -> str:
    """Return `value` if it is a release name, or a range of versions. Raise RefusedError for any other value."""
    if isinstance(value, str) and is_release_name(value):
        return value
    try:
        return read_range(value if value != "*" else None)
    except RefusedError:
        raise refusal('a version such as "3.4.1", or a range on x.y.z such as ">=3.2,<3.4"', value) from None


def _base(value: object) -> str:
    """Return `value` if it is "canonical" or a release name. Raise RefusedError for any other value."""
    if not isinstance(value, str) or (value != "canonical" and not is_release_name(value)):
        meant = nearest(value, ["canonical"]) if isinstance(value, str) else ""
        raise refusal('"canonical" or a version such as "3.0.1+v2.0.0"', value, meant)
    return value


def _member(kind: type[StrEnum]) -> Kind:
    """Return the kind of texts that are values of the enum `kind`. Reading such a text returns the enum's member."""
    return Kind(lambda value: kind(str(_choice(*kind).read(value))), {"enum": list(kind)})


def _never_skipped(_: object) -> str:
    raise RefusedError("may not be left out: without an install nothing is tried")


KINDS: Final[Mapping[Any, Kind]] = {
    bool: Kind(_flag, {"type": "boolean"}),
    date: Kind(_day, {"type": "string", "format": "date"}),
    AllowRange: Kind(read_range, {"type": "string", "pattern": f"^(?:{RANGE})$"}),
    Argument: _text("text without a zero byte", r"[^\x00]*"),
    Base: Kind(_base, {"type": "string", "pattern": rf"^(?:canonical|{_RELEASE})$"}),
    DataPolicy: _member(DataPolicy),
    DriftWord: _choice(*DRIFT_WORDS),
    DriverName: _choice("process", "swarm", "abra"),
    Duration: Kind(read_duration, {"type": "string", "pattern": f"^(?:{DURATION})$"}),
    EnvName: Kind(read_env_name, {"type": "string", "pattern": f"^(?!PATH$)(?:{ENV_NAME})$"}),
    Format: Kind(_format, {"const": 1}),
    Count: _number(1, 1000),
    HttpPath: _text('a path of printable ASCII that starts with "/"', r"/[\x21-\x7e]*"),
    ImagesWord: _choice("keep", "prune"),
    Keep: _member(Keep),
    Line: _text("one line of text", _LINE),
    MailAddress: _text("a mail address such as ops@example.org, without a name", _MAIL_ADDRESS),
    MailEncryption: _choice("starttls", "tls", "none"),
    MailServer: _text('a server and its port, such as "smtp.example.org:587"', rf"{_HOST}:{_PORT}", hides=True),
    NeverSkipped: Kind(_never_skipped, {"not": {}}),
    OlderReleases: Kind(_older_releases, {"type": "string", "pattern": rf"^(?:{_RELEASE}|{CLAUSES})$"}),
    OnlyTrue: Kind(_only_true, {"const": True}),
    OverlayName: _text(
        'the name of a file in the recipe\'s fleet folder, such as "compose.ci.yml"', rf"{_FILE}(?:/{_FILE}){{0,7}}"
    ),
    Parallel: _number(1, 64),
    PassedName: Kind(read_passed_name, {"type": "string", "pattern": f"^(?:{PASSED_NAME})$"}),
    Protocol: _choice("https", "ssh", "http", "file"),
    Proxy: _text('"direct", or the URL of a proxy such as "http://127.0.0.1:8080"', _PROXY),
    PushAddress: Kind(read_push_address, {"type": "string", "pattern": r"^[^{}]*\{recipe\}[^{}]*$"}),
    RecipeName: _text("the name of a recipe: a-z, 0-9 and -, at most 63 characters", RECIPE_NAME),
    SecretName: _text("the name of a secret: letters, 0-9, _, - and ., at most 64 characters", _MAKERS_NAME),
    SigningKey: _text('"ssh:/path/of/a/key", "gpg:ID", or ""', r"(?:ssh:/[\x21-\x7e]+|gpg:[0-9A-Fa-f]{16,40})?"),
    Size: Kind(read_size, {"type": "string", "pattern": f"^(?:{SIZE})$"}),
    StatusCode: _number(100, 599),
    TokenSource: _text("the absolute path of a file, or the name of a systemd credential", _SOURCE, hides=True),
    ToolName: _text('the name of a program, without "/"', r"[A-Za-z0-9_.+][A-Za-z0-9_.+-]*"),
    UnitName: _text('the name of a unit that ends in ".service", or ""', r"([A-Za-z0-9:_.\\@-]+\.service)?"),
    UpstreamName: Kind(
        read_upstream, {"type": "string", "pattern": r"^(?:(?:https|ssh|http|file)://|[^/@:]+@[^/@:]+:)[^/]*"}
    ),
    WayWord: _member(WayName),
    WebhookUrl: _text(
        'a URL without a user, such as "https://hooks.example.org/canon"',
        rf"https?://{_HOST}(?::{_PORT})?(?:[/?][!-~]*)?",
        hides=True,
    ),
    Zone: _text('a domain in lower case, such as "ci.example"', _ZONE),
}
"""The kind of each type that is used in the tables of declarations."""
