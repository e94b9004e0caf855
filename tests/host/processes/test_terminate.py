"""Apps that resist being stopped."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reconciler.host.processes.process_driver import ProcessDriver
from reconciler.host.processes.procfs import children, living_processes, read_process
from reconciler.ports.app import App, RemovalResult
from tests.procfile_apps import (
    OPTIONS,
    PYTHON,
    absent,
    app_in_slot,
    checkout,
    daemon,
    is_running,
    process_driver,
    settled,
    wait_for,
    wait_for_line,
)

ROOT = Path(__file__).parents[2]


@pytest.fixture
def app(tmp_path: Path) -> App:
    return app_in_slot(tmp_path / "work" / "slot", grace=1.0)


# Is one process at a time, which lives for a moment; ends by itself, should nobody manage to end it.
CHAIN = """\
import os, time
over = time.time() + 60
print("up", flush=True)
while time.time() < over:
    if os.fork():
        os._exit(0)
    {between}
    with open(os.environ["DATA_DIR"] + "/beats", "a") as beats:
        beats.write(".")
"""


@pytest.mark.parametrize("between", ["pass", "os.setsid()", "os.setsid(); time.sleep(0.001)"])
def test_processes_that_fork_faster_than_they_can_be_listed_are_stopped_and_reported(
    driver: ProcessDriver, app: App, tmp_path: Path, between: str
) -> None:
    release = checkout(tmp_path / "one", worker=f"{PYTHON} chain.py & sleep 1000")
    (release / "chain.py").write_text(CHAIN.format(between=between))
    driver.deploy(app, release, OPTIONS)
    wait_for_line(app.logs / "worker.log")
    wait_for((app.data / "beats").exists)
    residue = driver.stop(app)
    beats = (app.data / "beats").stat().st_size
    time.sleep(0.3)
    assert (app.data / "beats").stat().st_size == beats
    # What stayed in the line's session may end with it, before it can be told; SIGTERM may hit the one that lives.
    assert residue.killed or residue.ended or between == "pass"
    assert residue.remaining == ()


def test_a_process_that_suspends_itself_stops_when_it_is_asked_to(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    driver.deploy(app, checkout(tmp_path / "one", worker="echo $$; kill -STOP $$"), OPTIONS)
    pid = int(wait_for_line(app.logs / "worker.log"))
    wait_for(lambda: Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T")
    assert driver.stop(app) == RemovalResult()
    assert not is_running(pid)


def test_a_line_that_kills_its_own_supervisor_is_not_running_and_still_stopped(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    web = f"kill -9 $PPID; {PYTHON} escape.py $DATA_DIR/daemon; echo $$; exec {PYTHON} server.py"
    driver.deploy(app, checkout(tmp_path / "one", web=web), OPTIONS)
    pid, hidden = int(wait_for_line(app.logs / "web.log")), int(wait_for_line(app.data / "daemon"))
    assert absent(driver, app).reason == "web ended by SIGKILL"
    assert is_running(pid)
    residue = driver.stop(app)
    assert len(residue.ended) == 2
    assert not is_running(pid)
    assert not is_running(hidden)


DETACH = """\
import os
if os.fork() == 0:
    os.setsid()
    os.execv("/bin/sleep", ["sleep", "1000"])
"""


def test_a_daemon_with_its_mark_is_found_although_its_line_has_ended(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    release = checkout(tmp_path / "one", web=f"{PYTHON} detach.py")
    (release / "detach.py").write_text(DETACH)
    driver.deploy(app, release, OPTIONS)
    absent(driver, app)
    (slot,) = driver.leftovers(app.folder.parents[1])
    assert slot == app.mark
    assert len(driver.stop(app).ended) == 1
    assert driver.leftovers(app.folder.parents[1]) == ()


def test_many_processes_are_ended_and_none_is_left(app: App, tmp_path: Path) -> None:
    crowd = "for i in $(seq 60); do sleep 1000 & done; echo up; wait"
    app = app_in_slot(app.folder.parent, grace=30.0)
    with process_driver(app.folder.parent) as driver:
        driver.deploy(app, checkout(tmp_path / "one", worker=crowd), OPTIONS)
        wait_for_line(app.logs / "worker.log")
        before = {process.pid for process in living_processes()}
        assert driver.stop(app) == RemovalResult()
        after = {process.pid for process in living_processes()}
    assert len(before - after) > 60


def test_no_dead_child_is_left_to_us(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as earlier:
        first = read_process(earlier.pid)
    assert first is not None
    driver.deploy(app, checkout(tmp_path / "one", web=daemon("exit 1"), worker=daemon("exec sleep 1000")), OPTIONS)
    absent(driver, app)
    driver.stop(app)
    # Earlier tests killed passes of their own: their dead workers are adopted, and reaped by no driver.
    assert [process for process in children() if process.state == "Z" and process.started >= first.started] == []


STUBBORN = """\
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("no", flush=True))
print("up", flush=True)
while True:
    time.sleep(1)
"""

INTERRUPTED = """\
import sys
from pathlib import Path
from tests.procfile_apps import ENVIRONMENT, OPTIONS, app_in_slot, settled, wait_for_line
from reconciler.host.processes.process_driver import ProcessDriver
slot, checkout = map(Path, sys.argv[1:])
driver, app = ProcessDriver(ENVIRONMENT), app_in_slot(slot, grace=600.0)
driver.deploy(app, checkout, OPTIONS)
settled(driver, app)
wait_for_line(app.logs / "worker.log")
print("stopping", flush=True)
driver.stop(app)
"""


def test_a_pass_that_was_killed_while_it_stopped_an_app_is_taken_up_by_the_next(
    driver: ProcessDriver, app: App, tmp_path: Path
) -> None:
    release = checkout(tmp_path / "one", worker=f"exec {PYTHON} stubborn.py")
    (release / "stubborn.py").write_text(STUBBORN)
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, app.mark, str(release)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as killed:
        assert killed.stdout
        assert killed.stdout.readline() == "stopping\n"
        wait_for(lambda: "no" in (app.logs / "worker.log").read_text())
        killed.send_signal(signal.SIGKILL)
    assert driver.leftovers(app.folder.parents[1]) == (app.mark,)
    assert driver.clear(app.mark).remaining == ()
    assert driver.leftovers(app.folder.parents[1]) == ()


def test_an_app_does_not_notice_how_another_app_is_stopped(driver: ProcessDriver, app: App, tmp_path: Path) -> None:
    other = app_in_slot(app.folder.parent.with_name("slot-2"))
    driver.deploy(other, checkout(tmp_path / "other", worker=daemon("exec sleep 1000")), OPTIONS)
    with process_driver(other.folder.parent):
        seen = settled(driver, other)
        pid = int(wait_for_line(other.data / "daemon"))
        driver.deploy(app, checkout(tmp_path / "one", web=daemon("exit 1")), OPTIONS)
        wait_for_line(app.data / "daemon")
        absent(driver, app)
        driver.stop(app)
        driver.clear(app.mark)
        assert driver.status(other) == seen
        assert is_running(pid)
