"""A recipe's `.env.sample`, in Co-op Cloud's syntax: the settings it proposes and the secrets it declares."""

import re
from collections.abc import Mapping

from attrs import field, frozen

from reconciler.crossing import SecretNeed
from reconciler.errors import RecipeError
from reconciler.host.lines import said_lines

SAMPLE = ".env.sample"
LONGEST_SECRET = 4096

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#(.*))?""")
_BARE = re.compile(r"""(?!\s*['"])((?:(?!\s#).)*)(?:\s#(.*))?""")
_SECRET_VERSION = re.compile(r"SECRET_([A-Z0-9][A-Z0-9_]*)_VERSION")
_WORD = re.compile(r"(?<!\S)(length|charset|generate)=(\S+)")
_CHARSETS = {"": "", "alnum": "alnum", "alphanumeric": "alnum", "hex": "hex"}


@frozen
class Assignment:
    """A line that sets something; `literal` says that a `$` in its value begins no variable, as in single quotes."""

    name: str
    value: str
    comment: str = ""
    literal: bool = False


@frozen
class Sample:
    """`versions` has for each secret what its line assigns, which is a part of its name in a swarm.

    `assigned` has all lines that made `settings`, for who expands variables: one may build on the one before.
    """

    settings: Mapping[str, str]
    secrets: tuple[SecretNeed, ...]
    versions: Mapping[str, str] = field(factory=dict)
    assigned: tuple[Assignment, ...] = field(default=(), eq=False)


def parse_sample(text: str, usual_length: int | None = None) -> Sample:
    """The last of several assignments to one name holds. A `$` stays as it is: nothing is expanded.

    `usual_length` is that of a secret whose line says neither a length nor that it is not to be generated. A secret of
    a charset that we do not know wants a maker.
    """
    assigned: list[Assignment] = []
    secrets: dict[str, SecretNeed] = {}
    versions: dict[str, str] = {}
    for where, line in said_lines(SAMPLE, text):
        said = assignment(where, line)
        own = secret_of(said.name)
        if own is not None:
            secrets[own], versions[own] = _secret(where, own, said.comment, usual_length), said.value
        else:
            assigned.append(said)
    settings = {said.name: said.value for said in assigned}
    return Sample(settings, tuple(secrets.values()), versions, tuple(assigned))


def secret_of(setting: str) -> str | None:
    """The secret whose version a setting has; None for one of the app."""
    match = _SECRET_VERSION.fullmatch(setting)
    return match[1].lower() if match else None


def version_of(secret: str) -> str:
    """The setting that has a secret's version."""
    return f"SECRET_{secret.upper()}_VERSION"


def carried(before: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The sample of who upgrades: what they had stays as it was, and what is new is added; also the names of that.

    Whoever deploys a recipe copies its sample once, and edits that copy: a later release's does not reach it.
    """
    had = {assignment(where, line).name for where, line in said_lines(SAMPLE, before)}
    said = [(assignment(where, line).name, line) for where, line in said_lines(SAMPLE, text)]
    new = [(name, line) for name, line in said if name not in had]
    return "\n".join([before, *(line for _, line in new)]), tuple(dict.fromkeys(name for name, _ in new))


def assignment(where: str, line: str) -> Assignment:
    match = _ASSIGNMENT.fullmatch(line)
    if match is None:
        raise RecipeError(f"{where}: no setting", "a line is NAME=VALUE, with a comment after ' #'")
    name, text = match.groups()
    if name == "PATH" or name.startswith("CANON_"):
        raise RecipeError(f"{where}: may not set {name}")
    if bare := _BARE.fullmatch(text):
        return Assignment(name, bare[1].strip(), bare[2] or "")
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        raise RecipeError(f"{where}: the value of {name} has an unclosed quote or text after its quotes")
    literal = quoted[1] is not None
    return Assignment(name, quoted[1] if literal else _unescape(quoted[2]), quoted[3] or "", literal)


def _unescape(text: str) -> str:
    return re.sub(r'\\([\\"$`n])', lambda escape: "\n" if escape[1] == "n" else escape[1], text)


def _secret(where: str, name: str, comment: str, usual_length: int | None) -> SecretNeed:
    words = dict(_WORD.findall(comment))
    charset = words.get("charset", "")
    if charset not in _CHARSETS or words.get("generate") == "false":
        return SecretNeed(name)
    return SecretNeed(name, _length(where, name, words) or usual_length, _CHARSETS[charset])


def _length(where: str, name: str, words: Mapping[str, str]) -> int | None:
    text = words.get("length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= LONGEST_SECRET:
        raise RecipeError(f"{where}: the length of secret {name} is not from 1 to {LONGEST_SECRET}")
    return int(text)
