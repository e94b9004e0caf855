"""The file on the pass that runs is believed only while the very process runs that wrote it."""

import os
import time
from pathlib import Path

from attrs import evolve

from state.folder.changed_file import ChangedFile
from state.folder.process_identity import ProcessIdentity, is_running, own_identity
from state.pass_progress import PassProgress, PlannedWork
from state.running_pass import drop_progress, keep_progress, read_progress
from tests.child_processes import python_child
from tests.values import NOW

PROGRESS = (
    PassProgress("p1", "shell", NOW)
    .with_plan([PlannedWork("notes", "promote", "1.0.0", 7.5), PlannedWork("wiki", "refetch", "", None)])
    .with_step("notes", "1.0.0: install", 7.5, NOW)
    .with_result("wiki", "repaired", NOW)
)


def identity_of(pid: int) -> ProcessIdentity:
    """Return the identity of another process, read as its own process would."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return evolve(own_identity(), pid=pid, started=int(fields[19]))


def test_what_was_written_is_read_and_is_gone_when_it_is_dropped(tmp_path: Path) -> None:
    file = tmp_path / "running.json"
    assert read_progress(file) is None
    keep_progress(file, PROGRESS)
    seen = read_progress(file)
    assert seen is not None
    assert (seen.progress, seen.is_alive) == (PROGRESS, True)
    assert [path.name for path in tmp_path.iterdir()] == ["running.json"]
    assert file.stat().st_mode & 0o777 == 0o600
    drop_progress(file)
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_not_alive_even_before_it_is_reaped() -> None:
    with python_child("import time; time.sleep(600)") as child:
        process = identity_of(child.pid)
        assert is_running(process)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert is_running(process) is False
    assert is_running(process) is False


def test_another_process_of_the_same_number_is_not_taken_for_the_pass() -> None:
    own = own_identity()
    assert is_running(own)
    assert is_running(evolve(own, started=own.started - 1)) is False
    assert is_running(evolve(own, boot="another")) is False


def test_nobody_says_of_a_process_in_another_container_whether_it_runs() -> None:
    assert is_running(evolve(own_identity(), namespace="pid:[1]")) is None


def test_half_a_file_tells_of_no_pass(tmp_path: Path) -> None:
    file = tmp_path / "running.json"
    keep_progress(file, PROGRESS)
    for content in (b"", file.read_bytes()[:40], b"\xff", b"[]"):
        file.write_bytes(content)
        assert read_progress(file) is None


def test_progress_that_cannot_be_written_leaves_no_older_one(tmp_path: Path) -> None:
    file = tmp_path / "running.json"
    keep_progress(file, PROGRESS)
    (tmp_path / "running.json.new").mkdir()
    keep_progress(file, PROGRESS)
    assert not file.exists()


def test_a_file_counts_as_changed_at_the_first_look_and_when_it_changed_a_moment_ago(tmp_path: Path) -> None:
    path = tmp_path / "file"
    watched = ChangedFile(path)
    assert (watched.may_have_changed(), watched.may_have_changed()) == (True, False)
    path.write_text("a")
    assert (watched.may_have_changed(), watched.may_have_changed()) == (True, True)
    old = time.time_ns() - 60_000_000_000
    os.utime(path, ns=(old, old))
    assert (watched.may_have_changed(), watched.may_have_changed()) == (True, False)
    os.utime(path, ns=(old, old + 1))
    assert watched.may_have_changed()
