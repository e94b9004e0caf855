"""kill -9 of the real program after every port call of a promotion, and at random moments: one more pass mends all."""

import io
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest
from attrs import define, frozen

from reconciler.host.processes.procfs import living_processes, marked_below
from state.registry.registry import SqliteRegistry
from tests.folders import state_folder_contents
from tests.reconcile_command import CanonCommand, wait_for_lock
from tests.snapshot_tar import tar_in
from tests.tiny_fleet import make_fleet, release

ROOT = Path(__file__).parent.parent
RECIPES = ("first", "second")
MOMENTS = int(os.environ.get("CANON_MOMENTS", "15"))
SEED = 20261124
NEVER = -1


@frozen
class StateAfterPass:
    """What a pass has to come to, whatever came before it: release, lineage and data by recipe; what is left."""

    canonicals: dict[str, tuple[str, tuple[str, ...], str]]
    remains: tuple[str, ...]


@define
class PreparedState:
    """A fleet of two recipes with canonicals at 1.0.0, and 1.1.0 published; `seconds` is about what a pass takes.

    `fresh` makes a copy of its state.
    """

    folder: Path
    seconds: float

    def fresh(self, into: Path) -> CanonCommand:
        into.mkdir()
        (into / "fleet").symlink_to(self.folder / "fleet")
        shutil.copytree(self.folder / "state", into / "state", symlinks=True)
        return CanonCommand(into)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> PreparedState:
    folder = tmp_path_factory.mktemp("crash")
    upstreams = make_fleet(folder, *RECIPES)
    for upstream in upstreams.values():
        release(upstream, "1.0.0")
    begun = time.monotonic()
    done = CanonCommand(folder).run("-q")
    assert done.code == 0, done.out
    seconds = 1.6 * (time.monotonic() - begun)  # an upgrade takes more than a first release
    for upstream in upstreams.values():
        release(upstream, "1.1.0")
    return PreparedState(folder, seconds)


@pytest.fixture(scope="module")
def undisturbed(prepared: PreparedState, tmp_path_factory: pytest.TempPathFactory) -> tuple[StateAfterPass, list[str]]:
    """The end of a pass that nobody disturbs, and the port calls of its promotions."""
    canon = prepared.fresh(tmp_path_factory.mktemp("undisturbed") / "copy")
    log = canon.folder / "calls"
    assert crash(canon, log, NEVER) == 0
    return end_of(canon), log.read_text().splitlines()


def crash(canon: CanonCommand, log: Path, number: int) -> int:
    """One pass that ends itself right after its port call `number`, before the first for 0."""
    words = [sys.executable, "-m", "tests.self_killing_command", str(log), str(number), "-q"]
    environment = {**canon.environment, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        words, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=300
    ).returncode


def end_of(canon: CanonCommand) -> StateAfterPass:
    """Told from the registry, the snapshots' bytes and the folders, not from what the program says."""
    registry = SqliteRegistry(canon.state / "canon.db")
    records = registry.read()
    assert records.intents == ()
    found = {
        name: (have.version, have.lineage, data_in(canon.state / "canonicals" / name / str(have.generation), name))
        for name, have in records.canonicals.items()
    }
    assert not marked_below(canon.state / "work", living_processes())
    registry.verify()
    return StateAfterPass(found, state_folder_contents(canon.state))


def data_in(generation: Path, name: str) -> str:
    with tarfile.open(fileobj=io.BytesIO(tar_in(generation))) as tar:
        member = next(each for each in tar.getmembers() if each.name.endswith(f"{name}/data/lines"))
        file = tar.extractfile(member)
        assert file is not None
        return file.read().decode()


def last_words(canon: CanonCommand) -> str:
    """The logs of the apps, which say why one ended."""
    logs = sorted((canon.state / "logs").rglob("web.log"))
    return "".join(f"{path.relative_to(canon.state)}:\n{path.read_text()}" for path in logs)


def recovers(canon: CanonCommand, end: StateAfterPass) -> None:
    """One more pass, with nobody's help, reaches the undisturbed end."""
    wait_for_lock(canon.state / "lock", 60)
    done = canon.run("-q")
    assert done.code == 0, done.out + done.err + last_words(canon)
    assert end_of(canon) == end
    assert canon.run("-q").code == 0


# The port calls of one promotion with its writing down; a test below says when they are no longer so many.
CALLS = 27
OF_THE_SECOND = (1, 8, 21, 23)


# Between two calls nothing is done that lasts, so that the moment before a call is the moment after the one before it.
@pytest.mark.parametrize("number", [*range(CALLS + 1), *(CALLS + each for each in OF_THE_SECOND)])
def test_a_pass_killed_after_a_port_call_of_a_promotion_is_mended_by_the_next(
    number: int, prepared: PreparedState, undisturbed: tuple[StateAfterPass, list[str]], tmp_path: Path
) -> None:
    end, calls = undisturbed
    canon = prepared.fresh(tmp_path / "copy")
    assert crash(canon, tmp_path / "calls", number) == -signal.SIGKILL, f"there are {len(calls)} calls"
    recovers(canon, end)


def test_the_calls_that_are_killed_at_are_all_of_a_promotion(undisturbed: tuple[StateAfterPass, list[str]]) -> None:
    _, calls = undisturbed
    assert len(calls) == 2 * CALLS
    assert calls[:CALLS] == calls[CALLS:]
    assert (calls[0], calls[CALLS - 1]) == ("registry.begin", "registry.remember")
    assert [calls[each - 1] for each in OF_THE_SECOND] == [
        "registry.begin",
        "driver.deploy",
        "snapshots.move",
        "registry.commit",
    ]


@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_pass_killed_at_any_moment_is_repaired_by_the_next(
    moment: int, prepared: PreparedState, undisturbed: tuple[StateAfterPass, list[str]], tmp_path: Path
) -> None:
    """The moments are spread over a pass; where one falls behind its end, nothing is left to mend."""
    end, _ = undisturbed
    canon = prepared.fresh(tmp_path / "copy")
    within = random.Random(f"{SEED}/{moment}").random()  # noqa: S311  a spread, no secret
    share = (moment + within) / MOMENTS
    begun = canon.start("-q")
    try:
        begun.wait(timeout=share * prepared.seconds)
    except subprocess.TimeoutExpired:
        begun.kill()
    begun.communicate()
    recovers(canon, end)
