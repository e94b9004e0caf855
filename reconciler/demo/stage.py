"""Where the story is played: the real command as a child, its output as it comes, and the facts it leaves."""

import codecs
import json
import os
import re
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
    """Says what a command writes while it writes it, and keeps it; `hears` is told the first address in it."""

    def __init__(self, write: WriteText, hears: Callable[[str], None]) -> None:
        self._say = write
        self._hears = hears
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._heard = False
        self.text = ""

    def feed(self, chunk: bytes) -> bool:
        said = self._decoder.decode(chunk)
        self._say(said)
        self.text += said
        address = ADDRESS.search(self.text.rpartition("\n")[0])
        if address and not self._heard:
            self._heard = True
            self._hears(address[0])
        return True

    def close(self) -> None:
        """What a command cuts off in the middle of a character stays unsaid."""


@frozen
class PlayedCommand:
    """How a command ended, what it `said`, and the `page` that was fetched meanwhile, "" if none was."""

    code: int | None
    said: str
    page: str


@frozen
class Stage:
    """The demo's folder, and where the story is said."""

    folder: Path
    write: WriteText
    environment: Mapping[str, str] = field(init=False)

    @environment.default
    def _environment(self) -> Mapping[str, str]:
        """As in the reader's own shell, with fleet and state pointed at the demo."""
        places = {"RECONCILE_FLEET": str(self.folder / "fleet"), "RECONCILE_STATE": str(self.folder / "state")}
        return os.environ | places

    def play(self, words: tuple[str, ...], reads: str) -> PlayedCommand:
        """Run the command and show all that it writes. Where it names an address, the page `reads` is fetched there."""
        pages: list[str] = []

        def read(url: str) -> None:
            if reads:
                self.write(f"\n$ curl {url}{reads}\n")
                pages.append(_page(url + reads))
                self.write(pages[-1] + "\n")

        self.write(f"$ {shown(words)}\n")
        aloud = EchoedOutput(self.write, read)
        finished = run(self._order(words), aloud)
        return PlayedCommand(finished.code, aloud.text, "".join(pages))

    def tried(self) -> frozenset[Path]:
        """The folders of all trials so far."""
        return frozenset((self.folder / "state" / "logs").glob("*/*"))

    def records(self) -> Mapping[Path, tuple[int, int]]:
        """Size and time of change of all that is recorded."""
        looks = {path: path.lstat() for path in (self.folder / "state").rglob("*")}
        return {path: (look.st_size, look.st_ctime_ns) for path, look in looks.items()}

    def rows(self) -> Rows:
        """What `reconcile drift -o json` says of each recipe, by name."""
        told = capture(self._order(("drift", "-o", "json")))
        document = json.loads(told.out or "{}")
        if "recipes" not in document:
            raise CanonError(f"reconcile drift told nothing: {told.err.decode(errors='replace').strip()}")
        return {row["name"]: row for row in document["recipes"]}

    def _order(self, words: tuple[str, ...]) -> CommandSpec:
        return CommandSpec((sys.executable, "-m", "reconciler", *words), self.environment, self.folder, SECONDS)


def shown(words: tuple[str, ...]) -> str:
    """The command as the reader would type it."""
    return " ".join(("reconcile", *words))


def program_folder() -> Path | None:
    """Where the reader's shell would find `reconcile`, if PATH does not lead there yet; None if it does."""
    own = Path(sys.executable).parent
    found = shutil.which("reconcile")
    return None if found and Path(found).parent == own else own


def _page(url: str) -> str:
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - the address is one on loopback that we were told
        text: str = answer.read().decode()
        return text.strip()
