"""Worlds drawn at random: no looking command changes a byte, a mode or a time of them, also while a pass runs.

Compared are all files of the state folder, the fleet and the upstreams. Docker's objects are not among them: these
worlds have apps in memory. `CANON_WORLDS=50` draws more worlds.
"""

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

import pytest

from reconciler.cli import looking_commands
from reconciler.cli.main import reconcile
from state.decisions import Hold
from state.folder.identity import make_identity
from state.records import LedgerEntry
from state.registry.registry import SqliteRegistry
from tests.audit.git_world import GitWorld
from tests.folders import entries_below, scratch_folder
from tests.port_calls import Call, CallRecorder, CarryOut, KillPoint, killed_pass
from tests.values import NOW
from tests.world import Behaviour

WORLDS: Final = int(os.environ.get("CANON_WORLDS", "3"))
LOOKS: Final[Sequence[Sequence[str]]] = (
    ("--dry-run", "-o", "wide"),
    ("plan",),
    ("drift",),
    ("drift", "-o", "json"),
    ("status",),
    ("status", "notes", "-o", "json"),
    ("explain",),
    ("explain", "notes", "--offline", "-o", "json"),
    ("history",),
    ("history", "notes", "--since", "30d", "-o", "json"),
    ("events", "--for", "notes"),
    ("logs", "notes"),
    ("evidence", "notes"),
    ("audit", "-o", "wide"),
    ("doctor",),
    ("schema", "status"),
    ("report", "--html", "-"),
)
Changes = Mapping[str, tuple[str | None, str | None]]
WRITES: Final = {"prove"}
"""The looking commands that do write: a certificate in the ledger."""

# Runs each command in one process, and prints its exit code and what it wrote to stderr.
RUN_ALL = """
import io, json, sys
from contextlib import redirect_stderr, redirect_stdout
from reconciler.cli import run
for words in json.loads(sys.argv[1]):
    err = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(err):
        code = run([*words, "-q"])
    print(json.dumps([words, code, err.getvalue()]))
"""


def test_each_looking_command_is_tried_or_known_to_write() -> None:
    defined = {name for name, command in reconcile.commands.items() if command in vars(looking_commands).values()}
    assert defined - {words[0] for words in LOOKS} == WRITES


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(WORLDS))
def test_no_looking_command_changes_anything_in_a_world_drawn_at_random(seed: int) -> None:
    drawn = random.Random(seed)  # noqa: S311  a world at random is no secret
    with scratch_folder() as root:
        world = GitWorld(root)
        world.world.state.create()
        make_identity(world.world.state.identity)
        for name in ("notes", "wiki"):
            declare(world, name)
            world.release(name, "1.0.0")
        world.world.run()
        acts = drawn.choices([*ACTS], k=drawn.randint(2, 6))
        for number, act in enumerate(acts, 2):
            ACTS[act](world, number)
        assert changed_by_looking(root) == {}, acts
        assert changed_during_a_pass(world, drawn.randint(5, 60)) == {}, acts


def declare(world: GitWorld, name: str) -> None:
    """Declare a recipe in this world, and in files for the real command."""
    world.declare(name)
    folder = world.root / "fleet"
    (folder / "fleet.toml").write_text('format = 1\n[fleet]\nname = "test"\nprotocols = ["file"]\n')
    upstream = f"file://{world.upstreams[name].path}"
    (folder / "recipes" / name / "recipe.toml").write_text(f'[recipe]\nupstream = "{upstream}"\n')


def changed_by_looking(root: Path) -> Changes:
    """Run every looking command, and return what it changed below `root`: for each path before and after."""
    before = entries_below(root)
    folders = {"RECONCILE_FLEET": str(root / "fleet"), "RECONCILE_STATE": str(root / "state")}
    done = subprocess.run(
        [sys.executable, "-B", "-c", RUN_ALL, json.dumps(LOOKS)],
        env={"PATH": os.environ["PATH"], "HOME": str(root), "LANG": "C.UTF-8", **folders},
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=600,
    )
    ran = [json.loads(line) for line in done.stdout.splitlines()]
    assert [words for words, *_ in ran] == [[*words] for words in LOOKS]
    for words, code, err in ran:
        assert code in {0, 1, 2, 3, 4, 5, 64}, (words, code, err)
        assert "a bug in Canon" not in err, (words, err)
    after = entries_below(root)
    paths = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    return {path: (before.get(path), after.get(path)) for path in sorted(paths)}


def changed_during_a_pass(world: GitWorld, number: int) -> Changes:
    """Run a pass with new releases, and look after its port call `number`. Return what the looking changed.

    If the pass has fewer calls, run another one and look at an earlier call.
    """
    for name in (name for name, upstream in world.upstreams.items() if upstream.path.exists()):
        world.release(name, "9.0.0")
    while (changed := _look_during_a_pass(world, number)) is None:
        number = number * 2 // 3
    return changed


def _look_during_a_pass(world: GitWorld, number: int) -> Changes | None:
    """Run a pass and look after its port call `number`. Return what the looking changed, None without such a call."""
    found: list[Changes] = []
    real = world.world.wrap

    def answer(_: Call, honest: CarryOut) -> object:
        answered = honest()
        if len(recorder.calls) == number:
            found.append(changed_by_looking(world.root))
        return answered

    recorder = CallRecorder(answer)
    world.world.wrap = lambda name, port: recorder(name, real(name, port))
    try:
        world.world.run()
    finally:
        world.world.wrap = real
    return found[0] if found else None


# ---- what happens in a world ----


def _red(world: GitWorld, number: int) -> None:
    world.release("notes", f"{number}.0.0", Behaviour(passes_custom=False))
    world.world.run()


def _promoted(world: GitWorld, number: int) -> None:
    world.release("notes", f"{number}.0.0", annotated=number % 2 == 0)
    world.world.run()


def _killed(world: GitWorld, number: int) -> None:
    """A pass that dies, with a slot, an intent or half a promotion left."""
    world.release("notes", f"{number}.0.0")
    killed_pass(world.world, KillPoint(20 + 7 * number, after=True))


def _damaged(world: GitWorld, _: int) -> None:
    for snapshot in sorted(world.world.state.generations("notes").glob("*/snapshot.tar.zst"))[-1:]:
        content = bytearray(snapshot.read_bytes())
        content[len(content) // 2] ^= 0xFF
        snapshot.write_bytes(content)


def _held(world: GitWorld, _: int) -> None:
    held = Hold("notes", "until the move is done", "ada", NOW, date(2999, 1, 1))
    SqliteRegistry(world.world.state.database).set_hold(
        held, [LedgerEntry(NOW, "held", "notes", {"reason": held.reason})]
    )


def _undeclared(world: GitWorld, _: int) -> None:
    world.world.recipes.pop("wiki", None)
    shutil.rmtree(world.root / "fleet" / "recipes" / "wiki", ignore_errors=True)


def _gone(world: GitWorld, _: int) -> None:
    """Upstream cannot be reached while the commands look."""
    path = world.upstreams["wiki"].path
    if path.exists():
        path.rename(path.with_suffix(".away"))
    world.world.run()


ACTS: Final[Mapping[str, Callable[[GitWorld, int], object]]] = {
    "red": _red,
    "promoted": _promoted,
    "killed": _killed,
    "damaged": _damaged,
    "held": _held,
    "undeclared": _undeclared,
    "gone": _gone,
    "released": lambda world, number: world.release("notes", f"{number}.0.0"),
    "moved": lambda world, _: world.release("notes", "1.0.0"),
    "lost": lambda world, _: world.upstreams["notes"].untag("1.0.0"),
    "older": lambda world, number: world.release("notes", f"0.{number}.0"),
    "mirror lost": lambda world, _: shutil.rmtree(world.world.state.mirror("notes"), ignore_errors=True),
    "pass": lambda world, _: world.world.run(),
}
