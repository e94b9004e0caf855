"""Runs the real commands of the story, shows their output, and reads what they changed."""

import codecs
import json
import os
import re
import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from attrs import field, frozen

from reconciler.errors import CanonError
from reconciler.host.command_spec import CommandSpec
from reconciler.host.run import capture, run

SECONDS = 600.0
ADDRESS = re.compile(r"\bhttp://127\.0\.0\.1:[0-9]+\b")

WriteText = Callable[[str], None]
Rows = Mapping[str, Any]


class EchoedOutput:
    """Writes the output of a command with `write` as soon as it comes, and keeps all of it as `text`.

    `on_address` is called once, with the first URL in the output.
    """

    def __init__(self, write: WriteText, on_address: Callable[[str], None]) -> None:
        self._write = write
        self._on_address = on_address
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._has_address = False
        self.text = ""

    def feed(self, chunk: bytes) -> bool:
        """Print a piece of the command's output. Return True, which means that the command may go on."""
        text = self._decoder.decode(chunk)
        self._write(text)
        self.text += text
        address = ADDRESS.search(self.text.rpartition("\n")[0])
        if address and not self._has_address:
            self._has_address = True
            self._on_address(address[0])
        return True

    def close(self) -> None:
        """Do nothing at the end of the output. An incomplete UTF-8 character that came last is dropped."""


@frozen
class PlayedCommand:
    """What came of a command of the story.

    * `code`: its exit code. Negative if a signal ended the command, None if the command took too long and was stopped.
    * `output`: what the command printed.
    * `page`: the page that was fetched while the command ran; "" for none.
    """

    code: int | None
    output: str
    page: str


@frozen
class Stage:
    """Runs commands in the demo's folder `folder`.

    * `write`: a function that prints a piece of the story.
    * `environment`: the environment variables of the commands.
    """

    folder: Path
    write: WriteText
    environment: Mapping[str, str] = field(init=False)

    @environment.default
    def _environment(self) -> Mapping[str, str]:
        """Return the environment for commands: that of a shell after the lines of `exports`.

        Its PATH is part of the place on which verdicts depend: so a reader who goes on by hand is in the same place.
        """
        folders = {"RECONCILE_FLEET": str(self.folder / "fleet"), "RECONCILE_STATE": str(self.folder / "state")}
        own = program_folder()
        path = {"PATH": f"{own}:{os.environ.get('PATH', '')}"} if own else {}
        return os.environ | folders | path

    def play(self, words: tuple[str, ...], reads: str) -> PlayedCommand:
        """Run `reconcile` with the arguments `words`, and print its output as it comes. Return the result.

        `reads` is the path of a page that is fetched as soon as the command prints a URL; "" for none.
        """
        pages: list[str] = []

        def read(url: str) -> None:
            if reads:
                self.write(f"\n$ curl {url}{reads}\n")
                pages.append(_page(url + reads))
                self.write(pages[-1] + "\n")

        self.write(f"$ {shown(words)}\n")
        aloud = EchoedOutput(self.write, read)
        finished = run(self._command(words), aloud)
        return PlayedCommand(finished.code, aloud.text, "".join(pages))

    def tried(self) -> frozenset[Path]:
        """Return the log folders of all trials that have begun so far."""
        return frozenset((self.folder / "state" / "logs").glob("*/*"))

    def records(self) -> Mapping[Path, tuple[int, int]]:
        """Return the size in bytes and the change time in nanoseconds of everything in the state folder, by path."""
        stats = {path: path.lstat() for path in (self.folder / "state").rglob("*")}
        return {path: (stat.st_size, stat.st_ctime_ns) for path, stat in stats.items()}

    def rows(self) -> Rows:
        """Run `reconcile drift -o json`. Return the row of each recipe in its report, by the name of the recipe.

        Raise CanonError if the command prints no report.
        """
        result = capture(self._command(("drift", "-o", "json")))
        document = json.loads(result.out or "{}")
        if "recipes" not in document:
            raise CanonError(f"reconcile drift printed no report: {result.err.decode(errors='replace').strip()}")
        return {row["name"]: row for row in document["recipes"]}

    def _command(self, words: tuple[str, ...]) -> CommandSpec:
        return CommandSpec((sys.executable, "-m", "reconciler", *words), self.environment, self.folder, SECONDS)


def shown(words: tuple[str, ...]) -> str:
    """Return `reconcile` with the arguments `words` as a user types it, with quotes where the shell needs them."""
    return shlex.join(("reconcile", *words))


def exports() -> tuple[str, ...]:
    """Return the lines after which a shell in the demo's folder runs `reconcile` as the story does."""
    own = program_folder()
    path = (f'export PATH="{own}:$PATH"',) if own else ()
    return (*path, 'export RECONCILE_FLEET="$PWD/fleet" RECONCILE_STATE="$PWD/state"')


def program_folder() -> Path | None:
    """Return the folder that must be added to PATH, so that this `reconcile` is found; None if it is found already."""
    own = Path(sys.executable).parent
    found = shutil.which("reconcile")
    return None if found and Path(found).parent == own else own


def _page(url: str) -> str:
    """Fetch a page and return its text. Raise OSError if that fails."""
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - a loopback address that Canon printed
        text: str = answer.read().decode()
        return text.strip()
