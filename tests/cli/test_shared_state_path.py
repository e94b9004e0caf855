"""Two Canons on one host with state folders of one path, as in a container and outside: each sees to its own."""

import shutil
import signal
import subprocess
from pathlib import Path

import pytest
from attrs import frozen

from state.folder.identity import read_identity
from tests.child_processes import slot_processes
from tests.cli.one_recipe_fleet import FIRST, SECOND, OneRecipeFleet, make_one_recipe_fleet
from tests.procfile_apps import is_running, wait_for
from tests.reconcile_command import BoundStateFolder, needs_mounts, wait_for_lock


@frozen
class Pair:
    """Two fleets, and the path that both have their state at."""

    jots: tuple[OneRecipeFleet, OneRecipeFleet]
    path: Path

    def start(self, number: int, *words: str) -> "subprocess.Popen[str]":
        bound = BoundStateFolder.at(self.path, self.jots[number])
        return subprocess.Popen(
            bound.argv(*words), env=bound.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, number: int, *words: str) -> tuple[int, str]:
        command = self.start(number, *words)
        out, _ = command.communicate(timeout=300)
        return command.returncode, out

    def running(self) -> set[int]:
        """What bears the mark of a slot below the common path."""
        return {*slot_processes(self.path / "work")}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    one, two = map(make_one_recipe_fleet, folders)
    return Pair((one, two), tmp_path / "state")


@needs_mounts
def test_a_pass_leaves_alone_what_a_killed_one_with_the_same_path_left_to_its_own_next_pass(pair: Pair) -> None:
    one, two = pair.jots
    one.pause("custom")
    killed = pair.start(0)
    wait_for((one.folder / "reached").exists)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    wait_for_lock(one.state / "lock", 60)
    left = pair.running()
    assert left

    code, said = pair.run(1)
    assert (code, "a slot left by a dead run" in said) == (0, False), said
    assert all(map(is_running, left))

    (one.folder / "go").touch()
    code, said = pair.run(0)
    assert (code, "jot: a slot left by a dead run was removed" in said) == (0, True), said
    assert not any(map(is_running, left))
    assert pair.running() == set()
    ids = {read_identity(jot.state / "id") for jot in (one, two)}
    assert len(ids) == 2
    assert None not in ids


def test_a_state_folder_that_was_moved_keeps_its_id_and_a_copy_gets_its_own(settled: OneRecipeFleet) -> None:
    settled.release(SECOND)
    (settled.state / "id").unlink()
    assert settled.run().code == 0
    first = read_identity(settled.state / "id")
    moved, copy = settled.folder / "moved", settled.folder / "copy"
    settled.state.rename(moved)
    shutil.copytree(moved, copy, symlinks=True)
    for state in (moved, copy):
        done = settled.run("--state", str(state))
        assert (done.code, FIRST in done.out) == (0, False), done
    assert read_identity(moved / "id") == first
    assert read_identity(copy / "id") not in {None, first}
