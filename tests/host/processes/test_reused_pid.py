"""A process that took the pid of an earlier one is never mistaken for it."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from attrs import evolve, frozen

from reconciler.host.processes import subreaper as children
from reconciler.host.processes import terminate as ending
from reconciler.host.processes.procfs import (
    Process,
    descendants,
    kill_all,
    living_processes,
    mark_of,
    of_state_folder,
    read_process,
    send,
    stop_all,
    wait_until_ended,
)
from reconciler.host.processes.terminate import stop_lines
from reconciler.ports.app import RemovalResult
from tests.procfile_apps import is_running, wait_for

CHILDREN = 36
# A session of its own, with children at once and more of them while it is looked at.
BUSY = f"for i in $(seq {CHILDREN}); do sleep 1000 & done; echo up; while :; do sleep 1000 & sleep 0.02; done"


@frozen
class Stranger:
    """A running process with many children. `before` is the process that had its pid a moment ago."""

    pid: int
    before: Process

    def family(self) -> list[int]:
        """Return its pid and those of the children that stay."""
        members = [process.pid for process in living_processes() if process.session == self.pid]
        return [pid for pid in members if pid == self.pid or _stays(pid)]


def _stays(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x001000\0"
    return False


@pytest.fixture
def stranger() -> Iterator[Stranger]:
    with subprocess.Popen(
        ["sh", "-c", BUSY], stdout=subprocess.PIPE, start_new_session=True, env={"PATH": "/usr/bin:/bin"}
    ) as running:
        assert running.stdout is not None
        running.stdout.readline()
        seen = read_process(running.pid)
        assert seen is not None
        try:
            yield Stranger(running.pid, evolve(seen, started=seen.started - 1))
        finally:
            running.kill()
            everybody = [process for process in living_processes() if process.session == running.pid]
            for process in everybody:
                send(process, signal.SIGKILL)
            wait_until_ended(everybody, 10)


@pytest.fixture
def untouched(stranger: Stranger) -> Iterator[None]:
    """Yield a stranger. At the end all its processes still have to run."""
    family = wait_for(lambda: found if len(found := stranger.family()) > CHILDREN else None)
    yield
    assert [pid for pid in family if not is_running(pid)] == []


@pytest.mark.usefixtures("untouched")
def test_children_do_not_descend_from_an_earlier_process_with_the_same_pid(stranger: Stranger) -> None:
    assert descendants([stranger.before], living_processes()) == (stranger.before,)
    seen = read_process(stranger.pid)
    assert seen is not None
    assert len(descendants([seen], living_processes())) > CHILDREN


@pytest.mark.usefixtures("untouched")
def test_nothing_of_it_is_signalled_or_waited_for(stranger: Stranger) -> None:
    send(stranger.before, signal.SIGKILL)
    wait_until_ended([stranger.before], 1e6)
    looks = iter([(stranger.before,), ()])
    assert kill_all(lambda: next(looks)) == (stranger.before,)
    looks = iter([(stranger.before,), (), ()])
    assert stop_all(lambda: next(looks), 1e6) == ((stranger.before,), ())


@pytest.mark.usefixtures("untouched")
def test_it_is_not_killed_as_a_supervisor_with_its_group_or_children(stranger: Stranger) -> None:
    assert ending._kill_forking(stranger.before) == ()
    ending._kill_groups([stranger.before])
    looks = iter([(stranger.before,)])
    assert stop_lines(lambda: next(looks, ()), 0) == RemovalResult()


@pytest.mark.usefixtures("untouched")
def test_its_session_is_none_of_a_command_that_had_its_pid(stranger: Stranger) -> None:
    known = children.child_keys()
    for leader in (stranger.before, None):
        assert children.of_command(leader, stranger.pid, "token", known) == ()
    seen = read_process(stranger.pid)
    assert len(children.of_command(seen, stranger.pid, "token", known)) > CHILDREN


@pytest.mark.usefixtures("untouched")
def test_an_orphan_with_the_pid_of_a_child_from_before_is_a_new_one(stranger: Stranger) -> None:
    assert children.has_orphans({stranger.before.key})
    assert stranger.pid in {process.pid for process in children.unmarked_orphans({stranger.before.key})}
    assert stranger.pid not in {process.pid for process in children.unmarked_orphans(children.child_keys())}


@pytest.mark.usefixtures("untouched")
def test_a_claim_on_it_is_not_given_up_with_that_on_who_had_its_pid_before(stranger: Stranger) -> None:
    claimed = children.claim(stranger.pid, "/slot", lambda: False)
    assert claimed is not None
    try:
        children.release(stranger.before)
        assert stranger.pid not in {process.pid for process in children.unmarked_orphans(frozenset())}
    finally:
        children.release(claimed)


@pytest.mark.usefixtures("untouched")
def test_its_environment_is_not_that_of_the_process_that_had_its_pid_before(stranger: Stranger) -> None:
    seen = read_process(stranger.pid)
    assert seen is not None
    assert (mark_of(seen, "PATH"), mark_of(stranger.before, "PATH")) == ("/usr/bin:/bin", None)
    assert of_state_folder([stranger.before], "a") == (stranger.before,)
