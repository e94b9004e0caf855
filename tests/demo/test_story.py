import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from reconciler.demo.facts import AfterScene
from reconciler.demo.scenes import SCENES, Scene
from reconciler.demo.stage import Stage, shown
from reconciler.demo.story import UntrueError, tell_story
from reconciler.errors import NeedsPersonError


def scene(code: int, *, true: bool) -> Scene:
    """A scene that asks the real command for its version."""

    def facts(_: AfterScene) -> Mapping[str, bool]:
        return {"water is wet": true}

    return Scene("Versions", "The command says its version.", ("--version",), code, "it did", facts)


def test_a_true_story_runs_to_its_end(tmp_path: Path) -> None:
    said: list[str] = []
    assert tell_story(tmp_path, said.append, [scene(0, true=True)]) == 0
    assert re.search(r"\$ reconcile --version\nreconcile, version [0-9.]+\n\nExit code 0: it did\.", "".join(said))
    assert "  * water is wet\n" in said
    assert "Go on by hand" in said[-1]


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (scene(0, true=False), "1. Versions: it is not true that water is wet"),
        (scene(3, true=True), "1. Versions: reconcile --version should have exited with 3, but exited with 0"),
    ],
)
def test_a_story_stops_at_the_first_untrue_sentence(told: Scene, why: str, tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(UntrueError, match=re.escape(why)):
        tell_story(tmp_path, said.append, [told, scene(0, true=True)])
    assert "".join(said).count("$ reconcile --version") == 1
    assert "Go on by hand" not in "".join(said)


def test_a_story_needs_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("keep me")
    with pytest.raises(NeedsPersonError):
        tell_story(tmp_path, print)


def test_a_changed_record_is_detected_by_its_change_time(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    record = tmp_path / "state" / "canon.db"
    record.write_bytes(b"old")
    stage = Stage(tmp_path, print)
    before = stage.records()
    assert stage.records() == before
    record.write_bytes(b"new")
    assert stage.records() != before


def go_on(told: str) -> list[str]:
    """The commands that the story ends with, without comments."""
    block = told.partition("Go on by hand")[2].splitlines()[1:]
    return [line for line in block if line and not line.startswith("#")]


def test_a_shell_that_goes_on_by_hand_is_the_place_of_the_story(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    said: list[str] = []
    tell_story(tmp_path / "a demo", said.append, [scene(0, true=True)])
    exports = [line for line in go_on("".join(said)) if line.startswith(("cd ", "export "))]
    looks = ("drift", "-r", "paste", "-o", "json")
    played = Stage(tmp_path / "a demo", said.append).play(looks, "")
    script = "\n".join(["set -e", *exports, shown(looks)])
    by_hand = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=120, check=False)
    places = [json.loads(answer)["pass"]["place"] for answer in (played.output, by_hand.stdout)]
    assert places[0] == places[1]
    assert [line for line in exports if f"$ {line}\n" not in "".join(said) and line.startswith("export")] == []


@pytest.mark.slow
def test_the_whole_story_is_true_and_its_next_commands_work(tmp_path: Path) -> None:
    folder = tmp_path / "a demo"
    made = subprocess.run(
        [sys.executable, "-m", "reconciler", "demo", "--tell", folder],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr
    assert [scene.title for scene in SCENES if f". {scene.title} --" not in made.stdout] == []

    # The last one would stay for ten minutes.
    *commands, last = go_on(made.stdout)
    first = next(at for at, command in enumerate(commands) if command.startswith("reconcile "))
    commands.insert(first, "reconcile explain ledger")
    script = "\n".join(["set -e", *commands, last.replace("10m", "1s")])
    gone_on = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, timeout=1500, check=False)
    assert gone_on.returncode == 0, gone_on.stdout[-3000:] + gone_on.stderr
    assert gone_on.stdout.startswith("ledger: needs you\n  1.2.0+2.3.0 was red on ")
    assert "NOT NULL constraint failed: dated.month" in gone_on.stdout
    for promoted in (
        "data lived through 1.0.0+2.1.0 → 1.1.0+2.2.0 → 1.2.1+2.3.1",
        "data lived through 0.2.0+4.4.0",
    ):
        assert promoted in gone_on.stdout
    assert re.search(r"^guestbook 1\.1\.0\+0\.9\.2 [0-9a-f]{40} http://127", gone_on.stdout, re.MULTILINE)
