import os
from pathlib import Path

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reconciler.errors import RecipeError
from reconciler.host.processes.procfile import parse_procfile, read_checkout
from reconciler.host.sample import Sample
from tests.host.almost_valid_files import TEXTS, parse_or_refuse

NAMES = st.from_regex(r"[A-Za-z0-9_-]{1,63}", fullmatch=True)
COMMANDS = st.text(st.characters(exclude_characters="\n\0", codec="utf-8"), min_size=1).map(str.strip).filter(bool)


@given(TEXTS)
def test_any_text_is_a_procfile_or_refused_in_words(text: str) -> None:
    commands = parse_or_refuse(parse_procfile, text, "Procfile")
    if commands is not None:
        event("taken")
        assert "web" in commands
        assert all(command and command == command.strip(" \t\r") for command in commands.values())


@given(st.dictionaries(NAMES, COMMANDS), COMMANDS)
def test_a_procfile_gives_back_the_commands_it_was_written_from(others: dict[str, str], web: str) -> None:
    commands = {**others, "web": web}
    text = "# a comment\n\n" + "".join(f"{name}: {command}\n" for name, command in commands.items())
    assert list(parse_procfile(text).items()) == list(commands.items())


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
