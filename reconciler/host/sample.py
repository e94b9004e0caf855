"""A recipe's `.env.sample`, in Co-op Cloud's syntax: the settings it proposes and the secrets it declares."""

import re
from collections.abc import Collection, Iterator, Mapping

from attrs import field, frozen

from reconciler.errors import RecipeError
from reconciler.ports.app_secrets import SecretNeed

SAMPLE = ".env.sample"
LONGEST_SECRET = 4096

_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)", re.DOTALL)
_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#(.*))?""", re.DOTALL)
_BARE = re.compile(r"""(?!\s*['"])((?:(?!\s#).)*)(?:\s#(.*))?""")
# The value of a setting that begins with a quote, up to where that one would end on the same line.
_OPENED = re.compile(r"""\s*(?:(')[^']*|(")(?:[^"\\]|\\.)*\\?)""")
_UP_TO = {"'": re.compile(r"[^']*'"), '"': re.compile(r'(?:[^"\\]|\\.)*"')}
_SECRET_VERSION = re.compile(r"SECRET_([A-Z0-9][A-Z0-9_]*)_VERSION")
_WORD = re.compile(r"(?<!\S)(length|charset|generate)=(\S+)")
_CHARSETS = {"": "", "default": "", "alnum": "alnum", "alphanumeric": "alnum", "hex": "hex"}


@frozen
class SampleLine:
    """A line that sets something; `literal` says that a `$` in its value begins no variable, as in single quotes."""

    name: str
    value: str
    comment: str = ""
    literal: bool = False


@frozen
class Sample:
    """`versions` has for each secret what its line assigns, which is a part of its name in a swarm.

    `assigned` has all lines that made `settings`, for who expands variables: one may build on the one before.
    `comments` has what stands behind the value of each setting, those of secrets' versions among them.
    """

    settings: Mapping[str, str]
    secrets: tuple[SecretNeed, ...]
    versions: Mapping[str, str] = field(factory=dict)
    assigned: tuple[SampleLine, ...] = field(default=(), eq=False)
    comments: Mapping[str, str] = field(factory=dict, eq=False)


def parse_sample(text: str, usual_length: int | None = None, reserved: Collection[str] = ("PATH",)) -> Sample:
    """The last of several assignments to one name holds. A `$` stays as it is: nothing is expanded.

    `usual_length` is that of a secret whose line says neither a length nor that it is not to be generated. A secret of
    a charset that we do not know wants a maker. Raises RecipeError with the line, also for a `reserved` name.
    """
    assigned: list[SampleLine] = []
    secrets: dict[str, SecretNeed] = {}
    versions: dict[str, str] = {}
    comments: dict[str, str] = {}
    for where, said in _assignments(text):
        if said.name in reserved or said.name.startswith("CANON_"):
            raise RecipeError(f"{where}: may not set {said.name}")
        comments[said.name] = said.comment
        own = secret_of_setting(said.name)
        if own is not None:
            secrets[own], versions[own] = secret_from_comment(where, own, said.comment, usual_length), said.value
        else:
            assigned.append(said)
    settings = {said.name: said.value for said in assigned}
    return Sample(settings, tuple(secrets.values()), versions, tuple(assigned), comments)


def secret_of_setting(setting: str) -> str | None:
    """The secret whose version a setting has by its name, SECRET_X_VERSION; None for any other setting."""
    match = _SECRET_VERSION.fullmatch(setting)
    return match[1].lower() if match else None


def version_setting(secret: str) -> str:
    """The setting that has a secret's version."""
    return f"SECRET_{secret.upper()}_VERSION"


def merge_env_sample(before: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The sample of who upgrades: what they had stays as it was, and what is new is added; also the names of that.

    Whoever deploys a recipe copies its sample once, and edits that copy: a later release's does not reach it.
    """
    had = {said.name for _, said in _assignments(before)}
    said = [(assignment(where, line).name, line) for where, line in statements(text)]
    new = [(name, line) for name, line in said if name not in had]
    return "\n".join([before, *(line for _, line in new)]), tuple(dict.fromkeys(name for name, _ in new))


def _assignments(text: str) -> Iterator[tuple[str, SampleLine]]:
    return ((where, assignment(where, line)) for where, line in statements(text))


def statements(text: str) -> Iterator[tuple[str, str]]:
    """What a sample assigns, with where it begins: a line each, or several where a quoted value goes on.

    Blank lines and comments are left out; within quotes every line counts as it is.
    """
    lines = enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), start=1)
    for number, line in lines:
        where, said = f"{SAMPLE}:{number}", line.strip(" \t\r")
        if "\0" in line:
            raise RecipeError(f"{where}: holds a NUL byte")
        if said and not said.startswith("#"):
            quote = _opened_by(line)
            yield where, said if quote is None else line.lstrip(" \t") + _rest(quote, lines)


def _opened_by(line: str) -> str | None:
    """The quote that begins the value which a line assigns and does not end; None where there is none."""
    match = _ASSIGNMENT.fullmatch(line.strip(" \t\r"))
    opened = _OPENED.fullmatch(match[2]) if match else None
    return (opened[1] or opened[2]) if opened else None


def _rest(quote: str, lines: Iterator[tuple[int, str]]) -> str:
    """The lines after one that opened a quote, up to the one that closes it; all where none does."""
    taken = ""
    for number, line in lines:
        if "\0" in line:
            raise RecipeError(f"{SAMPLE}:{number}: holds a NUL byte")
        if _UP_TO[quote].match(line):
            return f"{taken}\n{line.rstrip()}"
        taken += f"\n{line}"
    return taken


def assignment(where: str, line: str) -> SampleLine:
    match = _ASSIGNMENT.fullmatch(line)
    if match is None:
        raise RecipeError(f"{where}: no setting", "a line is NAME=VALUE, with a comment after ' #'")
    name, text = match.groups()
    if bare := _BARE.fullmatch(text):
        return SampleLine(name, bare[1].strip(), bare[2] or "")
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        raise RecipeError(f"{where}: the value of {name} has an unclosed quote or text after its quotes")
    literal = quoted[1] is not None
    return SampleLine(name, quoted[1] if literal else _unescape(quoted[2]), quoted[3] or "", literal)


def _unescape(text: str) -> str:
    return re.sub(r'\\([\\"$`n])', lambda escape: "\n" if escape[1] == "n" else escape[1], text)


def describes_secret(setting: str, comment: str) -> bool:
    """Whether a setting may be the version of a secret: by its name, or by what stands behind its value."""
    return secret_of_setting(setting) is not None or _WORD.search(comment) is not None


def secret_from_comment(where: str, name: str, comment: str, usual_length: int | None) -> SecretNeed:
    """The secret that the comment behind its version describes. Raises RecipeError for a length that is none."""
    words = dict(_WORD.findall(comment))
    charset = words.get("charset", "")
    if charset not in _CHARSETS or words.get("generate") == "false":
        return SecretNeed(name)
    length = _length(where, name, words)
    return SecretNeed(name, length or usual_length, _CHARSETS[charset], declares_length=length is not None)


def _length(where: str, name: str, words: Mapping[str, str]) -> int | None:
    text = words.get("length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= LONGEST_SECRET:
        raise RecipeError(f"{where}: the length of secret {name} is not from 1 to {LONGEST_SECRET}")
    return int(text)
