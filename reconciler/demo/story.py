"""Tells the story of the demo with real commands. Stops at the first sentence that is not true."""

import shlex
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from reconciler.demo.facts import AfterScene
from reconciler.demo.fleet import make_demo
from reconciler.demo.scenes import SCENES, Scene
from reconciler.demo.stage import Rows, Stage, WriteText, exports, shown
from reconciler.errors import CanonError

WIDTH = 100


class UntrueError(CanonError):
    """A sentence of the story is not true: a bug of Canon or of the demo."""


_BY_HAND = """\
# see what broke in ledger 1.2.0; then tag the fixed release, which is on a branch, and promote it
reconcile logs ledger
git -C upstreams/ledger.git tag 1.2.1+2.3.1 mended
reconcile -r ledger

# accept the moved tag; then it is tested like any release
reconcile accept links 1.5.0+2.1.0 --reason "the maintainers say so"
reconcile -r links

# try 3.1.0 of notes again, although it was left
reconcile resume notes --reason "labels can be seen now"
reconcile -r notes

# publish the first release of wiki
git -C upstreams/wiki.git tag 0.2.0+4.4.0 main
reconcile -r wiki

# run a guestbook with the accounts that it needs, for ten minutes or until Ctrl-C
reconcile raise guestbook --for 10m
"""


def _write_to_stdout(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def tell_story(folder: Path, write: WriteText = _write_to_stdout, scenes: Sequence[Scene] = SCENES) -> int:
    """Make the demo in the new or empty folder `folder`, play all scenes, and print what to try next. Return 0.

    `write` prints a piece of the story, without a line end after it. Raise UntrueError at the first sentence that is
    not true, NeedsPersonError if `folder` is not empty.
    """
    make_demo(folder)
    folder = folder.absolute()
    stage = Stage(folder, write)
    rows: Rows = {}
    write("\n".join((f"In {folder}:\n", *(f"$ {line}" for line in exports()), "")))
    for number, scene in enumerate(scenes, start=1):
        rows = _play_scene(stage, f"{number}. {scene.title}", scene, rows)
    write(_next_commands(folder))
    return 0


def _play_scene(stage: Stage, title: str, scene: Scene, before: Rows) -> Rows:
    """Play one scene. Return the rows of all recipes in `reconcile drift` after the scene, by recipe.

    `title` is printed above the scene. `before` are the rows of `reconcile drift` before the scene. Raise UntrueError
    if the exit code of the scene's command is not the expected code, or if a sentence of the scene is not true.
    """
    stage.write(f"\n\n---- {title} {'-' * (WIDTH - 6 - len(title))}\n\n{textwrap.fill(scene.before, WIDTH)}\n\n")
    scene.happens(stage.folder)
    tried, records = stage.tried(), stage.records()
    played = stage.play(scene.words, scene.reads)
    if played.code != scene.code:
        left = f"should have exited with {scene.code}, but exited with {played.code}"
        raise UntrueError(f"{title}: {shown(scene.words)} {left}")
    stage.write(f"\nExit code {played.code}: {scene.means}.\n")
    begun = {trial.parent.name for trial in stage.tried() - tried}
    now = AfterScene(stage.folder, before, stage.rows(), begun, stage.records() != records, played)
    for sentence, is_so in scene.facts(now).items():
        if not is_so:
            raise UntrueError(f"{title}: it is not true that {sentence}")
        stage.write(f"  * {sentence}\n")
    return now.after


def _next_commands(folder: Path) -> str:
    """Return a text with commands that the reader can try next in the demo's folder `folder`."""
    title = "Go on by hand"
    head = f"\n\n---- {title} {'-' * (WIDTH - 6 - len(title))}\n\n"
    return head + "\n".join((f"cd {shlex.quote(str(folder))}", *exports(), "", _BY_HAND))
