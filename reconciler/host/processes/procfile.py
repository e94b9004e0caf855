"""What a process recipe's repository says of itself: its Procfile and its .env.sample."""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path

from attrs import frozen

from reconciler.crossing import SecretNeed
from reconciler.errors import RecipeError

PROCFILE = "Procfile"
SAMPLE = ".env.sample"
LONGEST_SECRET = 4096
_LARGEST_TEXT = 64 * 1024

_LINE = re.compile(r"([A-Za-z0-9_-]{1,63})\s*:\s*(\S.*)")
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)")
_QUOTED = re.compile(r"""\s*(?:'([^']*)'|"((?:[^"\\]|\\.)*)")\s*(?:#(.*))?""")
_BARE = re.compile(r"""(?!\s*['"])((?:(?!\s#).)*)(?:\s#(.*))?""")
_SECRET = re.compile(r"SECRET_([A-Z0-9][A-Z0-9_]*)_VERSION")
_WORD = re.compile(r"(?<!\S)(length|charset|generate)=(\S+)")
_CHARSETS = {"": "", "alnum": "alnum", "alphanumeric": "alnum", "hex": "hex"}


@frozen
class Sample:
    """An `.env.sample`: the settings it proposes and the secrets it declares."""

    settings: Mapping[str, str]
    secrets: tuple[SecretNeed, ...]


def read_checkout(checkout: Path) -> tuple[Mapping[str, str], Sample]:
    """The commands and the sample of a checked-out release. Raises RecipeError where it cannot be run."""
    procfile = _text(checkout / PROCFILE)
    if procfile is None:
        raise RecipeError(f"the release has no {PROCFILE}", "the process driver runs its lines, NAME: COMMAND each")
    return parse_procfile(procfile), parse_sample(_text(checkout / SAMPLE) or "")


def parse_procfile(text: str) -> Mapping[str, str]:
    """The shell command of each process by its name, in the file's order; `web` is among them."""
    commands: dict[str, str] = {}
    for where, line in _lines(PROCFILE, text):
        match = _LINE.fullmatch(line)
        if match is None:
            raise RecipeError(f"{where}: no process", "a line is NAME: COMMAND")
        if match[1] in commands:
            raise RecipeError(f"{where}: {match[1]} is there twice")
        commands[match[1]] = match[2]
    if "web" not in commands:
        raise RecipeError(f"{PROCFILE} has no web process", "add a line web: COMMAND that listens on 127.0.0.1:$PORT")
    return commands


def parse_sample(text: str) -> Sample:
    """The last of several assignments to one name holds. A `$` stays as it is: nothing is expanded."""
    settings: dict[str, str] = {}
    secrets: dict[str, SecretNeed] = {}
    for where, line in _lines(SAMPLE, text):
        name, value, comment = _assignment(where, line)
        secret = _SECRET.fullmatch(name)
        if secret is not None:
            secrets[secret[1].lower()] = _secret(where, secret[1].lower(), comment)
        else:
            settings[name] = value
    return Sample(settings, tuple(secrets.values()))


def _text(path: Path) -> str | None:
    """A small text file of a repository, None if there is none; never what a link or a pipe of that name leads to."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as failure:
        raise RecipeError(f"{path.name} cannot be read: {failure.strerror}") from None
    try:
        regular = stat.S_ISREG(os.fstat(handle).st_mode)
        data = os.read(handle, _LARGEST_TEXT + 1) if regular else b""
    finally:
        os.close(handle)
    if not regular or len(data) > _LARGEST_TEXT:
        raise RecipeError(f"{path.name} is no plain file of at most {_LARGEST_TEXT} bytes")
    return _decoded(path.name, data)


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        raise RecipeError(f"{name}:{line}: is not UTF-8") from None


def _lines(file: str, text: str) -> Iterator[tuple[str, str]]:
    """The lines that say something, with where they stand; only a newline ends a line, as for a shell."""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        said = line.strip(" \t\r")
        if "\0" in said:
            raise RecipeError(f"{file}:{number}: holds a NUL byte")
        if said and not said.startswith("#"):
            yield f"{file}:{number}", said


def _assignment(where: str, line: str) -> tuple[str, str, str]:
    """Name, value and comment of one line."""
    match = _ASSIGNMENT.fullmatch(line)
    if match is None:
        raise RecipeError(f"{where}: no setting", "a line is NAME=VALUE, with a comment after ' #'")
    name = match[1]
    if name == "PATH" or name.startswith("CANON_"):
        raise RecipeError(f"{where}: may not set {name}")
    value, comment = _value(where, name, match[2])
    return name, value, comment


def _value(where: str, name: str, text: str) -> tuple[str, str]:
    """What stands after the equals sign, without its quotes, and the comment after it."""
    if bare := _BARE.fullmatch(text):
        return bare[1].strip(), bare[2] or ""
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        raise RecipeError(f"{where}: the value of {name} has an unclosed quote or text after its quotes")
    literal = quoted[1] if quoted[1] is not None else _unescape(quoted[2])
    return literal, quoted[3] or ""


def _unescape(text: str) -> str:
    return re.sub(r'\\([\\"$`n])', lambda escape: "\n" if escape[1] == "n" else escape[1], text)


def _secret(where: str, name: str, comment: str) -> SecretNeed:
    words = dict(_WORD.findall(comment))
    charset = words.get("charset", "")
    if charset not in _CHARSETS:
        raise RecipeError(f"{where}: the charset of secret {name} is none we know", "charset is hex or alnum")
    return SecretNeed(
        name, None if words.get("generate") == "false" else _length(where, name, words), _CHARSETS[charset]
    )


def _length(where: str, name: str, words: Mapping[str, str]) -> int | None:
    text = words.get("length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 0 < int(text) <= LONGEST_SECRET:
        raise RecipeError(f"{where}: the length of secret {name} is not from 1 to {LONGEST_SECRET}")
    return int(text)
