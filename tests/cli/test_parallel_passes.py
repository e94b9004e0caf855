"""Real passes that try three recipes at once: what is recorded, and what is left after signals and kills."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from attrs import define

from reconciler.core.outcome import Result
from state.folder.folder import StateFolder
from state.registry.registry import SqliteRegistry
from tests import tiny_fleet
from tests.child_processes import read_of_process, slot_processes
from tests.procfile_apps import is_running, wait_for
from tests.reconcile_command import LONGEST, CanonCommand, wait_for_lock

NAMES = ("ant", "bee", "cat")
# No other recipe may be at this place at the same time.
ALONE = """\
import fcntl
import sys
import time

place = open({place!r}, "w")
try:
    fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    sys.exit("somebody else is here")
time.sleep(2)
"""


@define
class ThreeRecipes(CanonCommand):
    """`reconcile` with a fleet of three recipes, each with one release, and `[budget] parallel = 3`."""

    def declare(self, more: str = "", **scripts: str) -> None:
        """Make the fleet. `more` is added to each declaration, `scripts` are files of each recipe."""
        for name in NAMES:
            tiny_fleet.release(tiny_fleet.make_recipe(self.folder, name, more), "1.0.0")
            for script, text in scripts.items():
                (self.fleet / "recipes" / name / f"{script}.py").write_text(text)
        self.at_once(3)

    def at_once(self, parallel: int) -> None:
        (self.fleet / "fleet.toml").write_text(f"{tiny_fleet.FLEET}[budget]\nparallel = {parallel}\n")

    def workers(self, command: "subprocess.Popen[str]") -> list[int]:
        """Return the pids of the workers of a pass: they run its own program."""
        children = Path(f"/proc/{command.pid}/task/{command.pid}/children").read_text().split()
        own = Path(f"/proc/{command.pid}/cmdline").read_bytes()
        return [int(pid) for pid in children if read_of_process(Path(f"/proc/{pid}/cmdline")) == own]

    def apps(self) -> list[int]:
        return slot_processes(self.state)

    def promoted(self) -> Mapping[str, tuple[int, str, tuple[str, ...]]]:
        found = SqliteRegistry(self.state / "canon.db").read().canonicals
        return {name: (have.generation, have.version, have.lineage) for name, have in found.items()}

    def assert_nothing_is_left(self) -> None:
        records = SqliteRegistry(self.state / "canon.db")
        records.verify()
        assert records.read().intents == ()
        assert self.apps() == []
        assert list((self.state / "work").iterdir()) == []
        folders = StateFolder(self.state).canonicals
        recorded = {f"{name}/{generation}" for name, (generation, *_) in self.promoted().items()}
        assert {str(path.relative_to(folders)) for path in folders.glob("*/*")} == recorded


@pytest.fixture
def three(tmp_path: Path) -> Iterator[ThreeRecipes]:
    made = ThreeRecipes(tmp_path)
    yield made
    for pid in made.apps():
        os.kill(pid, signal.SIGKILL)


ALL = dict.fromkeys(NAMES, (1, "1.0.0", ("1.0.0",)))


def start(three: ThreeRecipes) -> "subprocess.Popen[str]":
    """Start a pass as a shell starts a job: with a process group of its own. Return once three apps of trials run."""
    command = three.start(group=0)
    try:
        wait_for(lambda: len(three.workers(command)) == 3 and len(three.apps()) >= 3, 120)
    except BaseException:
        command.kill()
        raise
    return command


def test_three_recipes_that_hinder_each_other_are_promoted_as_if_each_was_alone(three: ThreeRecipes) -> None:
    script = ALONE.format(place=str(three.folder / "place"))
    three.declare('[custom]\nrun = [["python3", "alone.py"]]\n', alone=script)
    looked = three.run("--dry-run")
    assert "note: a pass tries up to 3 of these recipes at once ([budget] parallel)" in looked.out
    done = three.run()
    assert (done.code, three.promoted()) == (0, ALL)
    three.assert_nothing_is_left()
    told = [line for line in done.err.splitlines() if "tried again alone" in line]
    notes = [line for line in done.out.splitlines() if "failed beside other recipes: 1.0.0: custom failed" in line]
    assert len(told) == len(notes) > 0
    assert {line.partition(": ")[0] for line in done.err.splitlines()} == {*NAMES}


def test_a_worker_that_is_killed_costs_no_recipe_anything(three: ThreeRecipes) -> None:
    three.declare()
    command = start(three)
    os.kill(three.workers(command)[0], signal.SIGKILL)
    out, _ = command.communicate(timeout=LONGEST)
    assert (command.returncode, three.promoted()) == (0, ALL)
    assert "its process was ended by SIGKILL" in out
    three.assert_nothing_is_left()


def test_a_killed_pass_takes_its_workers_along_and_the_next_one_cleans_up(three: ThreeRecipes) -> None:
    three.declare()
    command = start(three)
    workers = three.workers(command)
    command.kill()
    command.communicate(timeout=LONGEST)
    wait_for(lambda: not any(map(is_running, workers)))
    wait_for_lock(StateFolder(three.state).lock, 60)
    assert three.run().code == 0
    assert three.promoted() == ALL
    three.assert_nothing_is_left()


def test_ctrl_c_takes_all_down_and_the_next_pass_goes_on(three: ThreeRecipes) -> None:
    three.declare()
    command = start(three)
    os.killpg(command.pid, signal.SIGINT)
    out, _ = command.communicate(timeout=LONGEST)
    assert command.returncode == 130
    assert three.promoted() == {}
    three.assert_nothing_is_left()
    assert all(Result.NOT_TRIED in line for line in out.splitlines()[1:4]), out
    assert three.run().code == 0
    assert three.promoted() == ALL
