"""Parses the `.env.sample` of a recipe in Co-op Cloud's syntax. The file declares settings and secrets."""

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
# A value that begins with a quote which the same line does not close.
_OPENED = re.compile(r"""\s*(?:(')[^']*|(")(?:[^"\\]|\\.)*\\?)""")
_UP_TO = {"'": re.compile(r"[^']*'"), '"': re.compile(r'(?:[^"\\]|\\.)*"')}
_SECRET_VERSION = re.compile(r"SECRET_([A-Z0-9][A-Z0-9_]*)_VERSION")
_WORD = re.compile(r"(?<!\S)(length|charset|generate)=(\S+)")
_CHARSETS = {"": "", "default": "", "alnum": "alnum", "alphanumeric": "alnum", "hex": "hex"}


@frozen
class SampleLine:
    """One assignment NAME=VALUE, with the comment after it.

    `literal` is True if the value is in single quotes: a `$` in it is then an ordinary character.
    """

    name: str
    value: str
    comment: str = ""
    literal: bool = False


@frozen
class Sample:
    """A parsed `.env.sample`.

    * `settings`: the settings with their values, without version settings such as SECRET_DB_VERSION.
    * `secrets`: the secrets that version settings declare.
    * `versions`: for each secret, the value of its version setting. On a Swarm, the name of the secret ends with this
      value.
    * `assigned`: the lines of `settings`, in the order of the file.
    * `comments`: for every setting, also version settings, the comment after its value.
    """

    settings: Mapping[str, str]
    secrets: tuple[SecretNeed, ...]
    versions: Mapping[str, str] = field(factory=dict)
    assigned: tuple[SampleLine, ...] = field(default=(), eq=False)
    comments: Mapping[str, str] = field(factory=dict, eq=False)


def parse_sample(text: str, usual_length: int | None = None, reserved: Collection[str] = ("PATH",)) -> Sample:
    """Parse the text of an `.env.sample`. If it sets a name twice, the last value counts. Variables are not expanded.

    `usual_length` is the length of a secret whose comment declares no length. None: such a secret gets no length. A
    secret with `generate=false`, or an unknown charset, gets no length either: a command must make it. Raise
    RecipeError, which names the line, for an invalid line, and for a setting in `reserved` or one that begins with
    CANON_.
    """
    assigned: list[SampleLine] = []
    secrets: dict[str, SecretNeed] = {}
    versions: dict[str, str] = {}
    comments: dict[str, str] = {}
    for where, line in _assignments(text):
        if line.name in reserved or line.name.startswith("CANON_"):
            raise RecipeError(f"{where}: may not set {line.name}")
        comments[line.name] = line.comment
        own = secret_of_setting(line.name)
        if own is not None:
            secrets[own], versions[own] = secret_from_comment(where, own, line.comment, usual_length), line.value
        else:
            assigned.append(line)
    settings = {line.name: line.value for line in assigned}
    return Sample(settings, tuple(secrets.values()), versions, tuple(assigned), comments)


def secret_of_setting(setting: str) -> str | None:
    """Return the secret that a version setting declares: "db" for SECRET_DB_VERSION; None for any other setting."""
    match = _SECRET_VERSION.fullmatch(setting)
    return match[1].lower() if match else None


def version_setting(secret: str) -> str:
    """Return the name of a secret's version setting: SECRET_DB_VERSION for the secret "db"."""
    return f"SECRET_{secret.upper()}_VERSION"


def merge_env_sample(before: str, text: str) -> tuple[str, tuple[str, ...]]:
    """Append to the sample `before` those settings that only the newer sample `text` has.

    Return the merged text, and the names of the appended settings. A setting in `before` keeps its value, even if
    `text` has another value. Co-op Cloud does the same: an operator copies the sample once, and a new release does not
    change the copy. Raise RecipeError for an invalid line.
    """
    had = {line.name for _, line in _assignments(before)}
    lines = [(assignment(where, line).name, line) for where, line in statements(text)]
    new = [(name, line) for name, line in lines if name not in had]
    return "\n".join([before, *(line for _, line in new)]), tuple(dict.fromkeys(name for name, _ in new))


def _assignments(text: str) -> Iterator[tuple[str, SampleLine]]:
    """Yield the position "FILE:LINE" of each assignment in an .env.sample, and the parsed assignment.

    Raise RecipeError for an invalid line.
    """
    return ((where, assignment(where, line)) for where, line in statements(text))


def statements(text: str) -> Iterator[tuple[str, str]]:
    """Yield the position "FILE:LINE" and the text of each assignment in an .env.sample. The text is not parsed yet.

    The text has several lines if a quoted value has. Blank lines and comments are left out, except within quotes. Raise
    RecipeError for a NUL byte.
    """
    lines = enumerate(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n"), start=1)
    for number, line in lines:
        where, content = f"{SAMPLE}:{number}", line.strip(" \t\r")
        if "\0" in line:
            raise RecipeError(f"{where}: holds a NUL byte")
        if content and not content.startswith("#"):
            quote = _opened_by(line)
            yield where, content if quote is None else line.lstrip(" \t") + _until_closed(quote, lines)


def _opened_by(line: str) -> str | None:
    """Return the quote (' or ") that begins the value of a line and is not closed there; None if there is none."""
    match = _ASSIGNMENT.fullmatch(line.strip(" \t\r"))
    opened = _OPENED.fullmatch(match[2]) if match else None
    return (opened[1] or opened[2]) if opened else None


def _until_closed(quote: str, lines: Iterator[tuple[int, str]]) -> str:
    """Take lines up to the line that closes the quote `quote`, or up to the last line. Return them as one text.

    A line end is put before each line. `lines` yields the number and the text of each line. Raise RecipeError for a NUL
    byte.
    """
    text = ""
    for number, line in lines:
        if "\0" in line:
            raise RecipeError(f"{SAMPLE}:{number}: holds a NUL byte")
        if _UP_TO[quote].match(line):
            return f"{text}\n{line.rstrip()}"
        text += f"\n{line}"
    return text


def assignment(where: str, line: str) -> SampleLine:
    """Parse the assignment `line`, and return its parts. A value in quotes may have several lines.

    If the assignment is not valid, raise RecipeError with the position `where`.
    """
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
    r"""Return `text` without the escapes that a value in double quotes may have: \\, \", \$, \` and \n."""
    return re.sub(r'\\([\\"$`n])', lambda escape: "\n" if escape[1] == "n" else escape[1], text)


def describes_secret(setting: str, comment: str) -> bool:
    """Return whether a setting may be the version setting of a secret.

    This is so if its name is like SECRET_DB_VERSION, or if its comment `comment` has a word such as "length=32".
    """
    return secret_of_setting(setting) is not None or _WORD.search(comment) is not None


def secret_from_comment(where: str, name: str, comment: str, usual_length: int | None) -> SecretNeed:
    """Return the secret `name`, with the length and charset that the comment after its version setting declares.

    If the comment declares no length, the length is `usual_length`, which may be None. With "generate=false" or an
    unknown charset, the length is None too: a command must make the secret. For an invalid length, raise RecipeError
    with the position `where`.
    """
    words = dict(_WORD.findall(comment))
    charset = words.get("charset", "")
    if charset not in _CHARSETS or words.get("generate") == "false":
        return SecretNeed(name)
    length = _length(where, name, words)
    return SecretNeed(name, length or usual_length, _CHARSETS[charset], declares_length=length is not None)


def _length(where: str, name: str, words: Mapping[str, str]) -> int | None:
    """Return the length that a comment declares for the secret `name`; None if it declares none.

    `words` maps words of the comment to values: "length" to "32" for "length=32". For an invalid length, raise
    RecipeError with the position `where`.
    """
    text = words.get("length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= LONGEST_SECRET:
        raise RecipeError(f"{where}: the length of secret {name} is not from 1 to {LONGEST_SECRET}")
    return int(text)
