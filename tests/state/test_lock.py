import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from state.folder.lock import hold, holder
from state.state_errors import FolderError, LockHeldError
from tests.child_processes import kill_child, next_line, pid_exists, python_child, wait_until
from tests.state.lock_holders import BEQUEATHING, HOLDING


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def bequeathed(path: Path) -> Iterator[int]:
    """The pid of the heir to a lock whose taker was killed."""
    with python_child(BEQUEATHING, path) as process:
        heir, bystander = map(int, next_line(process).split())
        try:
            kill_child(process)
            yield heir
        finally:
            for pid in (heir, bystander):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_a_lock_is_free_before_and_after_it_is_held(path: Path) -> None:
    assert holder(path) is None
    with hold(path, "reconcile"):
        assert holder(path) is not None
    assert holder(path) is None
    with hold(path, "reconcile"):
        pass
    assert path.exists()


def test_asking_for_the_holder_of_a_missing_lock_makes_no_file(tmp_path: Path) -> None:
    assert holder(tmp_path / "missing" / "lock") is None
    assert holder(tmp_path / "lock") is None
    assert list(tmp_path.iterdir()) == []


def test_a_held_lock_names_pid_command_and_since_when(path: Path) -> None:
    begun = datetime.now(UTC)
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        with pytest.raises(LockHeldError) as caught, hold(path, "reconcile"):
            pass
        message = caught.value.message
        assert message.startswith(f"{path} is held by pid {process.pid} (")
        since = re.search(rf"{path}\) since (\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d) UTC", message)
        assert since is not None
        # The kernel gives the second in which the host booted, and no fraction of it.
        assert abs(datetime.fromisoformat(f"{since[1]}+00:00") - begun) < timedelta(seconds=3)
        assert "from state.folder.lock import hold" in message
        assert "inherited" not in message


def test_the_holder_is_read_from_the_kernel_and_not_from_the_file(path: Path) -> None:
    """A file that names a living process holds nobody up, and one that names another does not hide the holder."""
    path.write_text(json.dumps({"pid": os.getpid(), "command": "reconcile"}))
    assert holder(path) is None
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        path.write_text(json.dumps({"pid": 1, "command": "init"}))
        found = holder(path)
        assert found is not None
        assert found.pid == process.pid


def test_a_lock_ends_with_its_holder(path: Path) -> None:
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        kill_child(process)
        with hold(path, "reconcile"):
            pass


def test_the_lock_is_released_at_the_end_of_the_block_while_the_process_lives_on(path: Path) -> None:
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        assert process.stdin is not None
        print(file=process.stdin, flush=True)
        assert next_line(process) == "let go"
        assert holder(path) is None
        with hold(path, "reconcile"):
            pass


def test_a_child_that_inherited_the_descriptor_keeps_the_lock(path: Path, bequeathed: int) -> None:
    found = holder(path)
    assert found is not None
    assert (found.pid, found.command, found.heir) == (bequeathed, "sleep 600", True)
    with pytest.raises(LockHeldError, match=rf"pid {bequeathed} \(sleep 600\).*inherited"), hold(path, "reconcile"):
        pass
    os.kill(bequeathed, signal.SIGKILL)
    # A process that is killed is gone from sight a moment before the kernel lets go of its locks.
    wait_until(lambda: is_free(path))
    assert holder(path) is None


def is_free(path: Path) -> bool:
    try:
        with hold(path, "reconcile"):
            return True
    except LockHeldError:
        return False


def test_a_child_keeps_the_lock_after_we_release_it(path: Path) -> None:
    with hold(path, "reconcile") as lock:
        heir = subprocess.Popen(["sleep", "600"], pass_fds=[lock.descriptor])
    try:
        found = holder(path)
        assert found is not None
        assert (found.pid, found.heir) == (heir.pid, True)
    finally:
        heir.kill()
        heir.wait()
    assert holder(path) is None


def test_a_child_gets_nothing_unless_it_is_handed_the_descriptor(path: Path) -> None:
    with hold(path, "reconcile"):
        stranger = subprocess.Popen(["sleep", "600"], close_fds=False)
    try:
        assert holder(path) is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_process_that_only_has_the_file_open_is_not_named(path: Path) -> None:
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        with path.open() as _:
            found = holder(path)
            assert found is not None
            assert found.pid == process.pid
        kill_child(process)
    with path.open() as _:
        assert holder(path) is None


def test_the_same_process_cannot_take_it_twice(path: Path) -> None:
    with (
        hold(path, "reconcile"),
        pytest.raises(LockHeldError, match=f"pid {os.getpid()} "),
        hold(path, "reconcile"),
    ):
        pass


def test_a_lock_removed_with_its_slot_is_no_lock_of_the_next_slot(tmp_path: Path) -> None:
    """Whoever still holds the old file does not hold the new one, and the new one is really taken."""
    path = tmp_path / "slot" / "lock"
    path.parent.mkdir()
    with python_child(HOLDING, path) as process:
        assert next_line(process) == "held"
        shutil.rmtree(path.parent)
        path.parent.mkdir()
        assert holder(path) is None
        with hold(path, "reconcile"):
            found = holder(path)
            assert found is not None
            assert found.pid == os.getpid()


def test_two_at_once_never_both_hold_a_slot_that_comes_and_goes(tmp_path: Path) -> None:
    """Each turn removes the slot together with its lock, while the other may have the old file open already."""
    turns = """
import shutil, sys
from pathlib import Path
from state.state_errors import LockHeldError, FolderError
from state.folder.lock import hold
slot = Path(sys.argv[1])
had = 0
while had < 150:
    slot.mkdir(exist_ok=True)
    try:
        with hold(slot / "lock", "turn"):
            (slot / "mine").touch(exist_ok=False)
            (slot / "mine").unlink()
            (slot / "lock").unlink()
            had += 1
    except (LockHeldError, FolderError):
        pass
print("done", flush=True)
"""
    with python_child(turns, tmp_path / "slot") as one, python_child(turns, tmp_path / "slot") as other:
        assert next_line(one) == next_line(other) == "done"


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "lock").symlink_to("elsewhere")
    with pytest.raises(FolderError, match="symbolic link"), hold(tmp_path / "lock", "reconcile"):
        pass
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_a_missing_folder_is_an_error_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="No such file"), hold(tmp_path / "missing" / "lock", "reconcile"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_lock_file_names_its_last_holder(path: Path) -> None:
    path.write_text("x" * 1000)
    with hold(path, "reconcile --fleet ü\udcff"):
        signature = json.loads(path.read_text("ascii"))
    assert (signature["pid"], signature["command"]) == (os.getpid(), "reconcile --fleet ü\udcff")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_lock_is_released_after_an_error(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(path, "reconcile"):
        raise ZeroDivisionError
    assert holder(path) is None
    assert pid_exists(os.getpid())
