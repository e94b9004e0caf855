import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.crossing import SecretNeed
from reconciler.errors import RecipeError
from reconciler.host.processes.procfile import parse_procfile, read_checkout
from reconciler.host.sample import Sample, parse_sample

T = TypeVar("T")

NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,63}", fullmatch=True)
COMMANDS = st.text(st.characters(exclude_characters="\n\0", codec="utf-8"), min_size=1).map(str.strip).filter(bool)
VARIABLES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True).filter(
    lambda name: name != "PATH" and not name.startswith(("CANON_", "SECRET_"))
)
VALUES = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"))
# Texts that are nearly right, so that each rule is met.
WORDS = ["web", "worker", "PATH", "CANON_X", "A", "SECRET_X", "_VERSION=v1", "length=", "32", "0", "charset=", "hex"]
SIGNS = ["\n", "\n", " ", " # ", ":", "=", "'", '"', "\\", "$", "export ", "\r\n", "\0", "\ufeff", "\x85", "\u2028"]
SCRAPS = st.lists(st.sampled_from(WORDS) | st.sampled_from(SIGNS)).map("".join) | st.text()
WHOLE = st.sampled_from(["web: x\n", "A=1\n", "web: x\nworker:", "A='b'", ""])
TEXTS = st.builds(str.__add__, WHOLE, SCRAPS)


def quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def read(parse: Callable[[str], T], text: str, file: str) -> T | None:
    """What `parse` makes of the text; None where it refuses it, in one line that names the file."""
    try:
        return parse(text)
    except RecipeError as refusal:
        event("refused")
        return (
            None
            if re.fullmatch(rf"{re.escape(file)}(:\d+:)? [^\n]+", refusal.message)
            else pytest.fail(refusal.message)
        )


@given(TEXTS)
def test_any_text_is_a_procfile_or_refused_in_words(text: str) -> None:
    commands = read(parse_procfile, text, "Procfile")
    if commands is not None:
        event("taken")
        assert "web" in commands
        assert all(command and command == command.strip(" \t\r") for command in commands.values())


@given(TEXTS)
def test_any_text_is_a_sample_or_refused_in_words(text: str) -> None:
    sample = read(parse_sample, text, ".env.sample")
    if sample is not None:
        event("taken")
        assert "PATH" not in sample.settings
        assert not any("\0" in value for value in sample.settings.values())
        assert all(need.length is None or need.length > 0 for need in sample.secrets)


@given(st.dictionaries(NAMES, COMMANDS), COMMANDS)
def test_a_procfile_gives_back_the_commands_it_was_written_from(others: dict[str, str], web: str) -> None:
    commands = {**others, "web": web}
    text = "# a comment\n\n" + "".join(f"{name}: {command}\n" for name, command in commands.items())
    assert list(parse_procfile(text).items()) == list(commands.items())


@given(st.dictionaries(VARIABLES, VALUES))
def test_a_quoted_sample_gives_back_the_values_it_was_written_from(settings: dict[str, str]) -> None:
    text = "".join(f"{name}={quoted(value)} # why\n" for name, value in settings.items())
    assert parse_sample(text) == Sample(settings, ())


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=plain", "plain"),
        ("A=", ""),
        ("A= spaced out  ", "spaced out"),
        ("export A=1", "1"),
        ("A=x # why", "x"),
        ("A= # why", ""),
        ("A=x#y", "x#y"),
        ("A=#ffffff", "#ffffff"),
        ("A='x # y' # why", "x # y"),
        ("A='it is \\n'", "it is \\n"),
        ('A="x # \\"y\\"" # why', 'x # "y"'),
        ('A="one\\ntwo"', "one\ntwo"),
        ("A=$HOME/${X}", "$HOME/${X}"),
        ("A=b=c", "b=c"),
        ("A=it's", "it's"),
        ("A=1\nA=2", "2"),
        ("#A=0\nA=1\r", "1"),
    ],
)
def test_a_value_is_read_as_a_shell_minded_person_means_it(line: str, value: str) -> None:
    assert parse_sample(line) == Sample({"A": value}, ())


@pytest.mark.parametrize(
    ("comment", "need"),
    [
        ("", SecretNeed("x", None)),
        (" # length=32", SecretNeed("x", 32)),
        (" # length=64 charset=hex", SecretNeed("x", 64, "hex")),
        (" # charset=alphanumeric length=8, please", SecretNeed("x", None)),
        (" # length=8 generate=false", SecretNeed("x", None)),
        (" # the length=8 of it", SecretNeed("x", 8)),
    ],
)
def test_a_secret_is_declared_by_its_version_and_described_by_its_comment(comment: str, need: SecretNeed) -> None:
    if "please" in comment:
        with pytest.raises(RecipeError, match="length of secret x"):
            parse_sample(f"SECRET_X_VERSION=v1{comment}")
    else:
        assert parse_sample(f"SECRET_X_VERSION=v1{comment}") == Sample({}, (need,), {"x": "v1"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=1\n\nPATH=/x", ".env.sample:3: may not set PATH"),
        ("CANON_SLOT=/x", ".env.sample:1: may not set CANON_SLOT"),
        ("A='x", ".env.sample:1: the value of A has an unclosed quote or text after its quotes"),
        ('A="x" y', ".env.sample:1: the value of A has an unclosed quote or text after its quotes"),
        ("just words", ".env.sample:1: no setting"),
        ("1A=x", ".env.sample:1: no setting"),
        ("A=x\0", ".env.sample:1: holds a NUL byte"),
        ("SECRET_X_VERSION=v1 # length=0", ".env.sample:1: the length of secret x is not from 1 to 4096"),
        ("SECRET_X_VERSION=v1 # length=4097", ".env.sample:1: the length of secret x is not from 1 to 4096"),
        ("SECRET_X_VERSION=v1 # length=٣", ".env.sample:1: the length of secret x is not from 1 to 4096"),
        ("SECRET_X_VERSION=v1 # length=3 charset=rot13", ".env.sample:1: the charset of secret x is none we know"),
    ],
)
def test_a_sample_that_cannot_be_obeyed_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        parse_sample(text)
    assert refusal.value.message == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Procfile has no web process"),
        ("worker: x", "Procfile has no web process"),
        ("web: x\nweb: y", "Procfile:2: web is there twice"),
        ("# c\nweb x", "Procfile:2: no process"),
        ("web:", "Procfile:1: no process"),
        ("we b: x", "Procfile:1: no process"),
        ("web: x\0", "Procfile:1: holds a NUL byte"),
    ],
)
def test_a_procfile_that_cannot_be_run_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        parse_procfile(text)
    assert refusal.value.message == message


def test_a_release_without_sample_reads_no_secrets(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: x\n")
    assert read_checkout(tmp_path) == ({"web": "x"}, Sample({}, ()))


@pytest.mark.parametrize("name", ["Procfile", ".env.sample"])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "large", "binary"])
def test_a_file_that_is_none_of_the_repositorys_own_text_is_refused(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / "Procfile").write_text("web: x\n")
    path = tmp_path / name
    path.unlink(missing_ok=True)
    if kind == "link":
        path.symlink_to("/etc/hostname")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes(b"# \xff\n" if kind == "binary" else b"#" * 70_000)
    with pytest.raises(RecipeError) as refusal:
        read_checkout(tmp_path)
    assert refusal.value.message.startswith(name)
