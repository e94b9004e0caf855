"""Two commands at once, and state folders that cannot be ours."""

import os
import re
from pathlib import Path

import pytest

from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet, paused

SINCE = r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"


def test_a_second_pass_names_the_first_and_leaves_it_alone(jot: OneRecipeFleet) -> None:
    with paused(jot, "custom") as first:
        said, told = jot.run(), jot.json()
        assert (said.code, said.out, told.code) == (75, "", 75)
        held, hint = said.err.splitlines()
        command = r"\S*python\S* \S*/reconcile"
        assert re.fullmatch(rf"reconcile: {jot.state}/lock is held by pid {first.pid} \({command}\) {SINCE}", held)
        assert hint == "  wait until it has ended; then the lock is free"
        assert f"pid {first.pid}" in told.document["errors"][0]["message"]

        trial = jot.run("trial", "jot")
        assert (trial.code, trial.out) == (75, "")
        assert trial.err.startswith("jot: the mirror stays as it is") or f"pid {first.pid}" in trial.err
        assert re.search(rf"jot: its slot is in use: .* is held by pid {first.pid} \({command}\) {SINCE}", trial.err)
        assert trial.err.splitlines()[-1] == hint
        assert jot.run("accept", "jot", "--reason", "why not").code == 75

        (jot.folder / "go").touch()
        assert first.wait() == 0
    assert jot.row_of("status")["have"]["version"] == FIRST
    jot.assert_nothing_is_left()


def test_a_pass_does_not_try_a_recipe_with_a_raised_copy_and_names_the_owner(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    copy = settled.start("raise", "jot", "--for", "5m")
    try:
        assert copy.stdout is not None
        assert copy.stdout.readline().startswith(f"jot {FIRST} ")
        told = settled.json()
        row = told.row("jot")
        assert (told.code, row["result"], row["action"]) == (2, "not-tried", "promote")
        assert re.search(
            rf"^jot: its slot is in use: .* is held by pid {copy.pid} \(.* raise jot --for 5m\)", row["reason"]
        )
        assert copy.poll() is None
    finally:
        copy.terminate()
        copy.communicate()
    assert settled.run().code == 0
    assert settled.lines() == [FIRST, "marked", SECOND]


@pytest.mark.needs("root")
def test_a_state_folder_of_another_user_is_left_unchanged(jot: OneRecipeFleet) -> None:
    jot.state.mkdir(mode=0o700)
    os.chown(jot.state, 12345, 12345)
    said = jot.run()
    assert (said.code, said.out) == (1, "")
    problem, hint = said.err.splitlines()
    assert (
        problem == f"reconcile: the state folder's {jot.state} belongs to user 12345, and this is user {os.geteuid()}"
    )
    assert hint == "  run as its owner, or name another folder with --state"
    assert list(jot.state.iterdir()) == []


def test_a_state_folder_that_others_may_write_is_refused_with_its_remedy(jot: OneRecipeFleet) -> None:
    jot.state.mkdir()
    jot.state.chmod(0o777)
    said = jot.run("trial", "jot")
    assert (said.code, said.err.splitlines()[-1]) == (1, f"  chmod go-w {jot.state}")
    assert list(jot.state.iterdir()) == []
    jot.state.chmod(0o700)
    assert jot.run("--dry-run").code == 2


def test_a_state_path_that_is_no_state_folder_or_cannot_be_made_is_named(jot: OneRecipeFleet, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine\n")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    for path, why in ((tmp_path / "file", "is not a folder"), (tmp_path / "link", "symbolic link"), ("/proc/none", "")):
        told = jot.json("--state", str(path))
        message = told.document["errors"][0]["message"]
        assert (told.code, str(path) in message, why in message) == (1, True, True), message
    for words in (("--dry-run",), ("drift",), ("status",), ("logs", "jot"), ("trial", "jot"), ("raise", "jot")):
        said = jot.run(*words, "--state", str(tmp_path / "file"))
        assert said.code == 1
        assert said.err.splitlines() == [
            f"reconcile: the state folder's {tmp_path / 'file'} is not a folder",
            "  move it away, or name another folder with --state",
        ]
    assert (tmp_path / "file").read_text() == "mine\n"
    assert list((tmp_path / "elsewhere").iterdir()) == []
