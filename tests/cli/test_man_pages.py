"""The man pages say what `--help` says, and man finds nothing wrong with them."""

import subprocess
from pathlib import Path

import click
import pytest

from reconciler.cli.main import reconcile
from reconciler.cli.man_pages import _roff, man_pages

PAGES = man_pages("2026-11-29")


def rendered(page: Path) -> "subprocess.CompletedProcess[str]":
    """Return what man prints of a page, without the breaks and hyphens that depend on its width."""
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "400", "MAN_KEEP_FORMATTING": ""}
    argv = ["man", "--warnings", "--no-hyphenation", "--no-justification", "--local-file", str(page)]
    return subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)


def test_there_is_a_page_of_every_command() -> None:
    assert {*PAGES} == {"reconcile.1", *(f"reconcile-{name}.1" for name in reconcile.commands)}


@pytest.mark.needs("man")
def test_man_shows_every_option_and_example_and_warns_of_nothing(tmp_path: Path) -> None:
    for name, command in {
        "reconcile": reconcile,
        **{f"reconcile-{name}": each for name, each in reconcile.commands.items()},
    }.items():
        page = tmp_path / f"{name}.1"
        page.write_text(PAGES[page.name], encoding="ascii")
        done = rendered(page)
        assert (done.returncode, done.stderr) == (0, ""), name
        options = [each for each in command.params if isinstance(each, click.Option)]
        shown = [flag for each in options for flag in each.opts] + (command.epilog or "").replace("\b", "").splitlines()
        assert [text for text in shown if text.strip() not in done.stdout and not text.startswith("Example")] == [], (
            name
        )


def test_text_that_roff_would_read_as_a_request_or_an_escape_is_shown_as_it_is() -> None:
    assert _roff(".so /etc/passwd \\fB it's …") == "\\&.so /etc/passwd \\efB it\\(aqs \\[u2026]"
